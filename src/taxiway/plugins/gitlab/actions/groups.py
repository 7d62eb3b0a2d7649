"""`gitlab:group:ensureExists`: groups below each other, made where they are not there. Undo removes those that the step
made, when nothing is in them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from taxiway.model.errors import ConflictError
from taxiway.model.run import Created
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema
from taxiway.plugin.forging.clients import quoted
from taxiway.plugin.forging.making import TakeBack, make_once, would
from taxiway.plugins.gitlab.actions.base import AS_WHOM, HOST_OF, GitLab, Values, number, sent
from taxiway.plugins.gitlab.client import GitLabClient

GROUP = "group"
TEXT = {"type": "string"}


def make(gitlab: GitLab) -> list[FunctionAction]:
    """The action of this module."""
    named = {"type": "object", "required": ["name", "slug"], "properties": {"name": TEXT, "slug": TEXT}}
    return [
        FunctionAction(
            key="gitlab:group:ensureExists",
            description="Make groups below each other on GitLab where they are not there; undo removes empty ones",
            function=partial(_ensure, gitlab),
            take_back=TakeBack({GROUP: partial(_remove, gitlab)}),
            input_schema=schema(
                ["repoUrl", "path"],
                repoUrl=HOST_OF,
                token=AS_WHOM,
                description="What the innermost group is for",
                path={
                    "type": "array",
                    "minItems": 1,
                    "items": {"anyOf": [TEXT, named]},
                    "description": "The groups, outermost first: a name, names with '/' between, or {name, slug}",
                },
            ),
            output_schema=schema(groupId=number("Id of the innermost group")),
        )
    ]


def _ensure(gitlab: GitLab, ctx: StepContext, values: Values) -> Values:
    client, url = gitlab.client(ctx, values)
    parts = list(_parts(values["path"]))
    whole = "/".join(slug for _, slug in parts)
    if ctx.is_dry_run:
        return would(ctx, f"make the group {whole} on {url.host} where it is not there", {"groupId": 42})
    path, parent = "", None
    for index, (name, slug) in enumerate(parts):
        path = f"{path}/{slug}".lstrip("/")
        body: dict[str, Any] = {"name": name, "path": slug} | ({"parent_id": parent} if parent else {})
        if values.get("description") and index == len(parts) - 1:
            body["description"] = values["description"]
        made = make_once(
            ctx,
            GROUP,
            f"{url.host}/{path}",
            {"host": url.host, "group": path},
            find=partial(_found, client, path),
            make=partial(_made, client, body),
        )
        parent = int(made.value["id"])
        ctx.log(f"{'Made' if made.is_ours else 'Found'} the group {path}")
    return {"groupId": parent}


def _parts(path: list[Any]) -> Iterator[tuple[str, str]]:
    for one in path:
        if isinstance(one, str):
            yield from ((part, part) for part in one.split("/") if part)
        else:
            yield str(one["name"]), str(one["slug"])


def _found(client: GitLabClient, path: str) -> Values | None:
    answer = client.get(f"groups/{quoted(path)}?with_projects=false")
    return None if answer.status == 404 else _kept(answer.checked(f"the group {path}").json())


def _made(client: GitLabClient, body: Values) -> Values:
    return _kept(sent(client, "POST", "groups", body))


def _kept(found: Any) -> dict[str, Any]:
    return {"id": found["id"], "gone": bool(found.get("marked_for_deletion_on"))}


def _remove(gitlab: GitLab, ctx: StepContext, item: Created) -> None:
    client, path = gitlab.clients.of(item.data["host"]), str(item.data["group"])
    found = _found(client, path)
    if found is None or found["gone"]:
        return
    for what in ("projects", "subgroups"):
        listed = client.pages(f"groups/{quoted(path)}/{what}?per_page=100")
        inside = [
            one["full_path"] if what == "subgroups" else one["path_with_namespace"] for one in listed if _stays(one)
        ]
        if inside:
            raise ConflictError(
                f"the group {item.name} has {what} ({', '.join(inside[:3])}): move or remove them, then undo again",
                code="gitlab.group_in_use",
            )
    answer = client.send("DELETE", f"groups/{quoted(path)}")
    if answer.status != 404:
        answer.checked(f"the group {item.name}")
    ctx.log(f"Removed the group {item.name}")


def _stays(one: Any) -> bool:
    return not (one.get("marked_for_deletion_on") or one.get("marked_for_deletion_at"))
