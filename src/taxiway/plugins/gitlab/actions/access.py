"""`gitlab:group:access`: who is a member of a group, and which groups it is shared with.

The inventory holds what was before. Undo puts that back where it is still as the step left it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from taxiway.model.errors import InputError
from taxiway.model.run import Created
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema
from taxiway.plugin.forging.clients import quoted
from taxiway.plugin.forging.making import TakeBack, first_look, turn_of, would
from taxiway.plugins.gitlab.actions.base import AS_WHOM, HOST_OF, NUMBERS, GitLab, Values, number, sent
from taxiway.plugins.gitlab.client import GitLabClient

MEMBER, SHARE = "group_member", "group_share"
LEVELS = {
    "no_access": 0,
    "minimal_access": 5,
    "guest": 10,
    "planner": 15,
    "reporter": 20,
    "developer": 30,
    "maintainer": 40,
    "owner": 50,
}
DEFAULT_LEVEL = 30


def make(gitlab: GitLab) -> list[FunctionAction]:
    """The action of this module."""
    group = {"type": ["number", "string"], "description": "Id or full path of the group"}
    return [
        FunctionAction(
            key="gitlab:group:access",
            description="Add members to a group on GitLab, or remove them; undo puts back what was before",
            function=partial(_change, gitlab),
            take_back=TakeBack({MEMBER: partial(_undo, gitlab), SHARE: partial(_undo, gitlab)}),
            input_schema=schema(
                ["repoUrl", "path"],
                repoUrl=HOST_OF,
                token=AS_WHOM,
                path=group,
                userIds={**NUMBERS, "description": "Ids of users"},
                groupIds={**NUMBERS, "description": "Ids of groups that it is shared with"},
                action={
                    "type": "string",
                    "enum": ["add", "remove"],
                    "default": "add",
                    "description": "What becomes of them",
                },
                accessLevel={
                    "type": ["number", "string"],
                    "default": DEFAULT_LEVEL,
                    "description": f"A number, or one of {', '.join(LEVELS)}; default developer",
                },
            ),
            output_schema=schema(
                userIds={**NUMBERS, "description": "The users"},
                groupIds={**NUMBERS, "description": "The groups"},
                path=group,
                accessLevel=number("What they may do, where they were added"),
            ),
        )
    ]


def _change(gitlab: GitLab, ctx: StepContext, values: Values) -> Values:
    client, url = gitlab.client(ctx, values)
    users, groups = values.get("userIds") or [], values.get("groupIds") or []
    if not users and not groups:
        raise InputError("name userIds or groupIds: there is nobody to add or remove", code="gitlab.nobody")
    level, adds = _level(values.get("accessLevel", DEFAULT_LEVEL)), values.get("action", "add") == "add"
    told = {"path": values["path"]} | ({"userIds": users} if users else {}) | ({"groupIds": groups} if groups else {})
    told |= {"accessLevel": level} if adds else {}
    if ctx.is_dry_run:
        return would(ctx, f"{'add to' if adds else 'remove from'} the group {values['path']} on {url.host}", told)
    group, wanted = str(values["path"]), level if adds else None
    for kind, ids in ((MEMBER, users), (SHARE, groups)):
        for one in map(int, ids):
            what = f"{url.host}/{group} {kind} {one}"
            now = partial(_level_of, client, kind, group, one)
            was, _ = first_look(ctx, f"{what} {turn_of(values)}", now)
            ctx.created(
                kind, what, {"host": url.host, "group": group, "id": one, "kind": kind, "was": was, "set": wanted}
            )
            _set(client, kind, group, one, now(), wanted)
            ctx.log(f"{what}: {_word(wanted)}, was {_word(was)}")
    return told


def _level(given: Any) -> int:
    if isinstance(given, int | float):
        return int(given)
    if given.lower() not in LEVELS:
        raise InputError(f"'{given}' is no accessLevel: write a number, or one of {', '.join(LEVELS)}")
    return LEVELS[given.lower()]


def _word(level: int | None) -> str:
    return "no member" if level is None else str(level)


def _level_of(client: GitLabClient, kind: str, group: str, one: int) -> int | None:
    """What a user or group may do now; None when it is no member."""
    path = f"groups/{quoted(group)}"
    if kind == MEMBER:
        answer = client.get(f"{path}/members/{one}")
        return None if answer.status == 404 else int(answer.checked(f"a member of {group}").json()["access_level"])
    shared = client.get(f"{path}?with_projects=false").checked(f"the group {group}").json().get("shared_with_groups")
    return next((int(item["group_access_level"]) for item in shared or [] if item["group_id"] == one), None)


def _set(client: GitLabClient, kind: str, group: str, one: int, now: int | None, wanted: int | None) -> None:
    """Go from one level to another; None is no member."""
    path = f"groups/{quoted(group)}"
    if now == wanted:
        return
    if kind == MEMBER:
        if wanted is None:
            sent(client, "DELETE", f"{path}/members/{one}")
        elif now is None:
            sent(client, "POST", f"{path}/members", {"user_id": one, "access_level": wanted})
        else:
            sent(client, "PUT", f"{path}/members/{one}", {"access_level": wanted})
        return
    if now is not None:
        sent(client, "DELETE", f"{path}/share/{one}")
    if wanted is not None:
        sent(client, "POST", f"{path}/share", {"group_id": one, "group_access": wanted})


def _undo(gitlab: GitLab, ctx: StepContext, item: Created) -> None:
    data, client = item.data, gitlab.clients.of(item.data["host"])
    if client.get(f"groups/{quoted(data['group'])}?with_projects=false").status == 404:
        return
    now = _level_of(client, data["kind"], data["group"], data["id"])
    if now != data["set"]:
        ctx.log(f"Leaving {item.name}: it was changed since ({_word(now)})")
        return
    _set(client, data["kind"], data["group"], data["id"], now, data["was"])
    ctx.log(f"{item.name}: {_word(data['was'])} again")
