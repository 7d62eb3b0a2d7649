"""What a repository tells about the template that made it: the traces that Backstage, copier and cruft leave.

Every file is untrusted text: it is read bounded, and what is no trace is no error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from taxiway.kit.yaml12 import YamlError, load_all
from taxiway.model.entity import parse_ref
from taxiway.model.errors import InputError

SOURCE_TEMPLATE = "backstage.io/source-template"
CATALOG_FILE = "catalog-info.yaml"
COPIER_FILE, CRUFT_FILE = ".copier-answers.yml", ".cruft.json"
FILES = (CATALOG_FILE, COPIER_FILE, CRUFT_FILE)
"""Where traces are, in the order in which they are believed."""
MAX_BYTES = 200_000
_AUTHORITY = re.compile(r"^(?:[a-z+]+://)?(?:[^@/]+@)?([^:/]+)[:/]+")


@dataclass(frozen=True)
class Trace:
    """`template` is an entity reference for Backstage, else the address that the tool took it from; `commit` is the
    template's. `answers` are those that the tool wrote down: Backstage writes none."""

    tool: Literal["backstage", "copier", "cruft"]
    template: str
    commit: str | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)


def entities_of(content: bytes | None) -> list[Mapping[str, Any]]:
    """The entities of a descriptor that can be read; no error for the others."""
    try:
        found = [document.value for document in load_all(content)] if content else []
    except YamlError:
        return []
    return [item for item in found if isinstance(item, Mapping) and isinstance(item.get("metadata"), Mapping)]


def subject_of(content: bytes | None) -> str | None:
    """The reference of the first component of a descriptor."""
    for item in entities_of(content):
        if item.get("kind") == "Component" and isinstance(item["metadata"].get("name"), str):
            name, namespace = item["metadata"]["name"], item["metadata"].get("namespace")
            try:
                return str(parse_ref(name, default_kind="component", default_namespace=str(namespace or "default")))
            except InputError:
                return None
    return None


def traces_of(files: Mapping[str, bytes]) -> list[Trace]:
    """All traces in the `FILES` of a repository, the most telling first."""
    found = [*_copier(files.get(COPIER_FILE)), *_cruft(files.get(CRUFT_FILE)), *_backstage(files.get(CATALOG_FILE))]
    return sorted(found, key=lambda trace: trace.tool != "backstage")


def plain_address(address: str) -> str:
    """An address of a repository without what differs between its spellings: `host/path`, in lower case."""
    text = address.strip().removeprefix("gh:") if not address.startswith("gh:") else f"github.com/{address[3:]}"
    text = _AUTHORITY.sub(r"\1/", text, count=1)
    return text.rstrip("/").removesuffix(".git").lower()


def _backstage(content: bytes | None) -> Iterator[Trace]:
    for item in entities_of(content):
        notes = item["metadata"].get("annotations")
        ref = notes.get(SOURCE_TEMPLATE) if isinstance(notes, Mapping) else None
        if isinstance(ref, str) and ref:
            yield Trace("backstage", ref)
            return


def _copier(content: bytes | None) -> Iterator[Trace]:
    try:
        values = next((document.value for document in load_all(content)), None) if content else None
    except YamlError:
        return
    if isinstance(values, Mapping) and isinstance(values.get("_src_path"), str):
        answers = {name: value for name, value in values.items() if not str(name).startswith("_")}
        yield Trace("copier", values["_src_path"], _text(values.get("_commit")), answers)


def _cruft(content: bytes | None) -> Iterator[Trace]:
    try:
        values = json.loads(content) if content else None
    except (ValueError, RecursionError):
        return
    if not isinstance(values, Mapping) or not isinstance(values.get("template"), str):
        return
    context = values.get("context")
    given = context.get("cookiecutter") if isinstance(context, Mapping) else None
    answers = {k: v for k, v in given.items() if not k.startswith("_")} if isinstance(given, Mapping) else {}
    yield Trace("cruft", values["template"], _text(values.get("commit")), answers)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
