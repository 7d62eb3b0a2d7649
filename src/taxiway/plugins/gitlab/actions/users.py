"""`gitlab:user:info`: what GitLab tells of a user. It reads only: undo has nothing to do."""

from __future__ import annotations

from functools import partial

from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema
from taxiway.plugin.forging.making import would
from taxiway.plugins.gitlab.actions.base import AS_WHOM, HOST_OF, GitLab, Values, number

OPTIONAL = {"email": "email", "createdAt": "created_at", "publicEmail": "public_email"}


def make(gitlab: GitLab) -> list[FunctionAction]:
    """The action of this module."""
    return [
        FunctionAction(
            key="gitlab:user:info",
            description="Read what GitLab tells of a user",
            function=partial(_read, gitlab),
            input_schema=schema(
                ["repoUrl"], repoUrl=HOST_OF, token=AS_WHOM, userId=number("Which user; default that of the token")
            ),
            output_schema=schema(
                ["id", "username", "name", "state", "webUrl"],
                id=number("Id"),
                username="Name to sign in with",
                name="Name to show",
                state="active, blocked …",
                webUrl="URL of the profile",
                email="Mail address, where it may be seen",
                createdAt="Since when",
                publicEmail="Public mail address",
            ),
        )
    ]


def _read(gitlab: GitLab, ctx: StepContext, values: Values) -> Values:
    client, url = gitlab.client(ctx, values)
    which = values.get("userId")
    if ctx.is_dry_run:
        user = {"id": int(which or 0), "username": "<username>", "name": "<name>", "state": "active"}
        return would(ctx, f"read a user of {url.host}", {**user, "webUrl": f"{client.web}/<username>"})
    path = "user" if which is None else f"users/{int(which)}"
    found = client.get(path).checked(f"the user {which or 'of the token'} on {url.host}").json()
    told = {"id": found["id"], "webUrl": found["web_url"], **{key: found[key] for key in ("username", "name", "state")}}
    return told | {key: found[name] for key, name in OPTIONAL.items() if found.get(name)}
