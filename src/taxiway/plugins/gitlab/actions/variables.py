"""`gitlab:projectVariable:create`: a variable of a project's pipelines; undo removes it."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote

from taxiway.model.errors import ConflictError, InputError
from taxiway.model.run import Created
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema
from taxiway.plugin.forging.making import TakeBack, make_once, would
from taxiway.plugins.gitlab.actions.base import AS_WHOM, HOST_OF, PROJECT_ID, GitLab, Values, flag

VARIABLE = "project_variable"
KINDS = ("env_var", "file")


def make(gitlab: GitLab) -> list[FunctionAction]:
    """The action of this module."""
    return [
        FunctionAction(
            key="gitlab:projectVariable:create",
            description="Set a variable of a project's pipelines on GitLab; undo removes it",
            function=partial(_create, gitlab),
            take_back=TakeBack({VARIABLE: partial(_remove, gitlab)}),
            input_schema=schema(
                ["repoUrl", "projectId", "key", "value", "variableType"],
                repoUrl=HOST_OF,
                token=AS_WHOM,
                projectId=PROJECT_ID,
                key={"type": "string", "pattern": "^[A-Za-z0-9_]{1,255}$", "description": "Its name"},
                value="Its value, or the reference of a secret of this run",
                variableType="env_var or file",
                variableProtected=flag("Only pipelines of protected branches see it", False),
                masked=flag("Logs do not show it", False),
                maskedAndHidden=flag("Logs do not show it, nor does GitLab", False),
                raw=flag("References in it stay as they are", False),
                environmentScope={
                    "type": "string",
                    "default": "*",
                    "description": "Environments that see it; default all",
                },
            ),
            output_schema=schema(),
        )
    ]


def variable_path(key: str, scope: str) -> str:
    """Where a variable is below its project: several of a key differ in their scope."""
    return f"variables/{quote(key, safe='')}?filter%5Benvironment_scope%5D={quote(scope, safe='')}"


def _create(gitlab: GitLab, ctx: StepContext, values: Values) -> Values:
    project, key = gitlab.project(ctx, values), str(values["key"])
    scope = values.get("environmentScope") or "*"
    if values["variableType"] not in KINDS:
        raise InputError(f"'{values['variableType']}' is no variableType: write {' or '.join(KINDS)}")
    if ctx.is_dry_run:
        return would(ctx, f"set the variable {key} of {project.place} in {scope}")
    is_secret = bool(values.get("masked") or values.get("maskedAndHidden"))
    value = gitlab.secret(ctx, values["value"])
    if is_secret:
        ctx.hide(value)
    body: dict[str, Any] = {
        "key": key,
        "value": value,
        "variable_type": values["variableType"],
        "protected": bool(values.get("variableProtected")),
        "raw": bool(values.get("raw")),
        "environment_scope": scope,
        **({"masked_and_hidden": True} if values.get("maskedAndHidden") else {"masked": bool(values.get("masked"))}),
    }
    what = f"{project.place} {key} in {scope}"
    made = make_once(
        ctx,
        VARIABLE,
        what,
        {**project.data, "key": key, "scope": scope},
        find=lambda: {} if project.find(variable_path(key, scope)) is not None else None,
        make=lambda: {"key": project.send("POST", "variables", body)["key"]},
    )
    if not made.is_ours:
        raise ConflictError(
            f"there is a variable {what} already: choose another name, or remove it first", code="gitlab.variable_taken"
        )
    ctx.log(f"Set the variable {what}")
    return {}


def _remove(gitlab: GitLab, ctx: StepContext, item: Created) -> None:
    gitlab.own(item.data).remove(variable_path(item.data["key"], item.data["scope"]))
    ctx.log(f"Removed the variable {item.name}")
