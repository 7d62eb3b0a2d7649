"""Variables and secrets of a repository or of one of its environments.

`base` is the path of what holds them: `actions`, or `environments/<name>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from taxiway.model.errors import ConflictError
from taxiway.model.run import Created
from taxiway.plugin import StepContext
from taxiway.plugin.forging.making import first_look
from taxiway.plugins.github.actions import sealing
from taxiway.plugins.github.actions.base import GitHub, Repo, Values, quoted

VARIABLE, SECRET = "variable", "secret"


def put_variables(
    ctx: StepContext, repo: Repo, base: str, variables: Mapping[str, str], *, is_noted: bool = False
) -> None:
    """Set each. With `is_noted` the inventory keeps what a variable was, for undo."""
    for name, value in variables.items():
        path = f"{base}/variables/{quoted(name)}"
        if is_noted:
            before, _ = first_look(ctx, f"{repo.place}/{path}", partial(_value, repo, path))
            ctx.created(VARIABLE, f"{repo.place}/{path}", {**repo.data, "path": path, "before": before})
        try:
            repo.send("POST", f"{base}/variables", {"name": name, "value": str(value)})
        except ConflictError:
            repo.send("PATCH", path, {"name": name, "value": str(value)})
        ctx.log(f"Set the variable {name}")


def put_secrets(ctx: StepContext, repo: Repo, base: str, secrets: Mapping[str, str], *, is_noted: bool = False) -> None:
    """Seal and set each. With `is_noted` the inventory keeps whether it was there, for undo."""
    if not secrets:
        return
    key = repo.read(f"{base}/secrets/public-key")
    for name, value in secrets.items():
        ctx.hide(str(value))
        path = f"{base}/secrets/{quoted(name)}"
        if is_noted:
            was_there, _ = first_look(ctx, f"{repo.place}/{path}", partial(_is_there, repo, path))
            ctx.created(SECRET, f"{repo.place}/{path}", {**repo.data, "path": path, "was_there": was_there})
        body = {"encrypted_value": sealing.seal(key["key"], str(value)), "key_id": key["key_id"]}
        repo.send("PUT", path, body)
        ctx.log(f"Set the secret {name}")


def _value(repo: Repo, path: str) -> str | None:
    return (repo.find(path) or {}).get("value")


def _is_there(repo: Repo, path: str) -> bool:
    return repo.find(path) is not None


def take_back_variable(github: GitHub, ctx: StepContext, item: Created) -> None:
    """Remove it, or give it the value that it had."""
    repo, path, before = github.own(item.data), str(item.data["path"]), item.data["before"]
    if before is None:
        repo.remove(path)
        ctx.log(f"Removed the variable {item.name}")
    elif repo.find(path) is not None:
        repo.send("PATCH", path, {"value": before})
        ctx.log(f"Set the variable {item.name} to what it was")


def take_back_secret(github: GitHub, ctx: StepContext, item: Created) -> None:
    """Remove it. One that was there before has its new value: nobody can read the old one."""
    if item.data["was_there"]:
        ctx.log(f"Leaving the secret {item.name}: it was there before, and its old value cannot be read")
        return
    github.own(item.data).remove(str(item.data["path"]))
    ctx.log(f"Removed the secret {item.name}")


def hide_all(ctx: StepContext, secrets: Values | None) -> None:
    """Mask the values in the log, and see that they can be sealed, before anything is made."""
    for value in (secrets or {}).values():
        ctx.hide(str(value))
    if secrets and not ctx.is_dry_run:
        sealing.load()
