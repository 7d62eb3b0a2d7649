"""`taxiway catalog edit` and `apply`: change entities where they are written; bring those that are written nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from taxiway.cli.client import Client, entity_path, find_session
from taxiway.cli.errors import CliError
from taxiway.cli.output import note
from taxiway.kit.yaml12 import YamlError, load, load_all
from taxiway.model.entity import ref_of
from taxiway.model.kinds import KINDS

BASE = "/api/catalog/v1/edits"
WHOLE_KEYS = ("annotations", "labels")
"""Parts of `metadata` whose keys have dots of their own."""
NOT_FOUND = KINDS["not_found"].exit_code


def edit(
    ref: str,
    *,
    set: Annotated[list[str] | None, Parameter(negative="", consume_multiple=False)] = None,
    unset: Annotated[list[str] | None, Parameter(negative="", consume_multiple=False)] = None,
    file: Path | None = None,
    message: str | None = None,
    commit: bool = False,
    dry_run: bool = False,
) -> None:
    """Change an entity where it is written, by a pull request; comments and layout of the file stay.

    Parameters
    ----------
    ref
        The entity, such as `orders` or `api:shop/orders`.
    set
        A field and its value, such as `spec.lifecycle=production` or `metadata.tags=["go"]`. Can be repeated.
    unset
        A field to remove. Can be repeated.
    file
        The document's new text instead, as YAML.
    message
        The title of the pull request or commit.
    commit
        Commit to the default branch instead of opening a pull request.
    dry_run
        Print the diff only.
    """
    fields = {**dict(_assignment(text) for text in set or []), **{_pointer(path): None for path in unset or []}}
    if bool(fields) == (file is not None):
        raise CliError("say what to change: --set FIELD=VALUE, --unset FIELD, or --file", 2)
    body: dict[str, Any] = {"text": _text_of(file)} if file is not None else {"fields": fields}
    client, path = Client(find_session()), f"{BASE}/{entity_path(ref)}"
    seen = client.call("POST", f"{path}/preview", body=body)
    if dry_run:
        print(seen["diff"], end="")
        _tell(seen)
        return
    how = "commit" if commit else "pull"
    made = client.call("POST", path, body={**body, "message": message, "how": how}, headers={"If-Match": seen["etag"]})
    print(made["commit"] or f"{made['repository']}#{made['pull']}")
    note(seen["title"])


def apply(files: list[Path], *, source: str = "cli", commit: bool = False, dry_run: bool = False) -> None:
    """Make the catalog hold the entities of files. One that lives in a repository gets a pull request there; one that
    is nowhere else is pushed, under the source's name.

    Parameters
    ----------
    files
        YAML files, such as `taxiway catalog get orders > orders.yaml` wrote them.
    source
        The name under which entities are pushed. When the settings declare it an overlay, all of them are.
    commit
        Commit to repositories instead of opening pull requests.
    dry_run
        Say what would be done only.
    """
    client, failed = Client(find_session()), 0
    overlay = _is_overlay(client, source)
    for document in _documents(files):
        ref = _ref(document)
        try:
            if overlay:
                told = f"would be laid over by {source}" if dry_run else _push(client, document, source)
            else:
                told = _apply(client, ref, document, source, commit, dry_run)
            print(f"{ref}: {told}")
        except CliError as error:
            failed += 1
            print(f"{ref}: failed, {error}")
    if failed:
        raise CliError(f"{failed} entities could not be applied", 1)


def _apply(client: Client, ref: str, document: Any, source: str, commit: bool, dry_run: bool) -> str:
    path = f"{BASE}/{entity_path(ref)}"
    try:
        found = client.call("GET", path)
    except CliError as error:
        if error.exit_code != NOT_FOUND:
            raise
        found = None
    if found is None or (not found["is_editable"] and found["reason"] == f"It is pushed by '{source}'."):
        return f"would be pushed as {source}" if dry_run else _push(client, document, source)
    if not found["is_editable"]:
        raise CliError(f"{found['reason']} {found['remedy']}", 1)
    seen = client.call("POST", f"{path}/preview", body={"document": document})
    if not seen["is_changed"]:
        return "unchanged"
    where = f"{seen['path']} in {seen['repository']}"
    if dry_run:
        return f"would change {where}\n{seen['diff']}"
    body = {"document": document, "how": "commit" if commit else "pull"}
    made = client.call("POST", path, body=body, headers={"If-Match": seen["etag"]})
    if made["commit"]:
        return f"committed to {where}"
    return f"pull request {made['repository']}#{made['pull']}"


def _is_overlay(client: Client, source: str) -> bool:
    try:
        return client.call("GET", f"/api/catalog/v1/sources/push:{source}")["overlay"] is not None
    except CliError as error:
        if error.exit_code != NOT_FOUND:
            raise
        return False


def _push(client: Client, document: Any, source: str) -> str:
    line = json.dumps(document).encode()
    told = client.call("POST", f"/api/catalog/v1/push/{source}", body=line)
    if told["problems"]:
        raise CliError("; ".join(item["detail"] for item in told["problems"]), 1)
    return next((word for word in ("created", "updated") if told[word]), "unchanged")


def _text_of(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(f"{file} cannot be read: {error}", 2) from error


def _documents(files: list[Path]) -> Iterator[Any]:
    for file in files:
        try:
            for document in load_all(file.read_bytes()):
                yield document.value
        except (OSError, YamlError) as error:
            raise CliError(f"{file}: {error}", 2) from error


def _ref(document: Any) -> str:
    try:
        return str(ref_of(document))
    except (KeyError, TypeError, AttributeError) as error:
        raise CliError("a document has no kind or no metadata.name: see `taxiway catalog lint`", 2) from error


def _tell(seen: dict[str, Any]) -> None:
    for item in seen["problems"]:
        note(f"line {item['line']}: {item['detail']} {item['remedy']}")
    if not seen["is_changed"]:
        note("nothing would change")


def _assignment(text: str) -> tuple[str, Any]:
    path, sign, value = text.partition("=")
    if not sign:
        raise CliError(f"'{text}' has no '=': write FIELD=VALUE, such as spec.lifecycle=production", 2)
    try:
        return _pointer(path), load(value) if value else ""
    except YamlError:
        return _pointer(path), value


def _pointer(path: str) -> str:
    """`metadata.annotations.a.b/c` as a JSON Pointer; one that begins with a slash stays."""
    if path.startswith("/"):
        return path
    first, *rest = path.split(".")
    if first == "metadata" and len(rest) > 1 and rest[0] in WHOLE_KEYS:
        rest = [rest[0], ".".join(rest[1:])]
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in (first, *rest))
