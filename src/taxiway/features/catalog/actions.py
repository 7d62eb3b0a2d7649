"""Scaffolder actions of the catalog: `catalog:register` and `catalog:write`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from taxiway.core.context import OpContext, Platform
from taxiway.features.catalog import service
from taxiway.features.catalog.repository import entities as repository
from taxiway.features.catalog.repository.kinds import load_kinds
from taxiway.features.catalog.sources.read import read_target
from taxiway.features.catalog.sources.targets import DEFAULT_FILE, Target, forge_of
from taxiway.features.catalog.sources.trees import FileTree
from taxiway.features.catalog.validation import validate
from taxiway.model.entity import ref_of
from taxiway.model.errors import InputError, NotFoundError
from taxiway.model.run import Created, Recovery
from taxiway.plugin import SourceProblem, StepContext

TEXT = {"type": "string"}


class Register:
    """Registers the catalog file of a repository; its entities are in the catalog when the step ends."""

    key = "catalog:register"
    description = "Register a catalog-info.yaml in the catalog"
    input_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "repository": {**TEXT, "description": "Name of a repository on the built-in forge"},
            "catalogInfoPath": {**TEXT, "description": f"Path of the file in it; default /{DEFAULT_FILE}"},
            "catalogInfoUrl": {**TEXT, "description": "URL of the file, instead of repository and path"},
            "repoContentsUrl": {**TEXT, "description": "URL of the repository's files, instead of its name"},
            "optional": {"type": "boolean", "description": "Go on when the file is not there"},
        },
        "anyOf": [{"required": [name]} for name in ("repository", "catalogInfoUrl", "repoContentsUrl")],
    }
    output_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {"entityRef": TEXT, "catalogInfoUrl": TEXT},
    }
    recovery: Recovery = "idempotent"
    supports_dry_run = True

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def run(self, ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any]:
        kind, target = self._target(values)
        if ctx.is_dry_run:
            return _from_workspace(self._platform, ctx.workspace, values.get("catalogInfoPath") or DEFAULT_FILE)
        # Asked once and kept, so that a repeated step still knows what it made itself.
        existed = ctx.checkpoint("existed", lambda: service.find_location(self._platform, kind, target) is not None)
        if not existed:
            ctx.created("location", f"{kind}:{target}", {"type": kind, "target": target})
        op = OpContext(self._platform, ctx.principal, ctx.run_id)
        try:
            done = service.register_location(op, kind, target, on_conflict="refresh")
        except NotFoundError:
            if values.get("optional"):
                return {}
            raise
        with self._platform.store.read() as conn:
            found = [(r, w) for r, w in repository.refs_of_source(conn, done.location.id) if r != done.entity_ref]
        if not found:
            detail = "; ".join(problem.detail for problem in done.result.problems) or "it holds no entity"
            raise InputError(
                f"{target} brought no entity into the catalog: {detail}", code="catalog.nothing_registered"
            )
        url = self._url(values)
        entity_ref = next((ref for ref, where in found if where == f"url:{url}"), found[0][0])
        ctx.log(f"Registered {len(found)} entities, first {entity_ref}")
        return {"entityRef": entity_ref, "catalogInfoUrl": url}

    def probe(self, ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return None

    def undo(self, ctx: StepContext, created: Sequence[Created]) -> None:
        system = self._platform.system("catalog")
        for item in reversed(created):
            if item.kind != "location":
                continue
            found = service.find_location(self._platform, item.data["type"], item.data["target"])
            if found is not None:
                gone = service.unregister_location(system, found.id)
                ctx.log(f"Unregistered {item.name} with {len(gone)} entities")

    def _target(self, values: Mapping[str, Any]) -> tuple[str, str]:
        if url := self._given_url(values):
            return "url", url
        path = str(values.get("catalogInfoPath") or DEFAULT_FILE).strip("/")
        return "git", f"{values['repository']}//{path}"

    def _given_url(self, values: Mapping[str, Any]) -> str | None:
        if values.get("catalogInfoUrl"):
            return str(values["catalogInfoUrl"])
        if values.get("repoContentsUrl"):
            path = str(values.get("catalogInfoPath") or DEFAULT_FILE).lstrip("/")
            return f"{str(values['repoContentsUrl']).rstrip('/')}/{path}"
        return None

    def _url(self, values: Mapping[str, Any]) -> str:
        if url := self._given_url(values):
            return url
        found = forge_of(self._platform).get_repository(values["repository"])
        base = found.clone_url if found else values["repository"]
        return f"{base}/{str(values.get('catalogInfoPath') or DEFAULT_FILE).strip('/')}"


class Write:
    """Writes an entity document into the workspace."""

    key = "catalog:write"
    description = "Write a catalog-info.yaml into the workspace"
    input_schema: Mapping[str, Any] = {
        "type": "object",
        "required": ["entity"],
        "properties": {
            "filePath": {**TEXT, "description": f"Where to; default {DEFAULT_FILE}"},
            "entity": {"type": "object", "description": "The entity"},
        },
    }
    output_schema: Mapping[str, Any] = {"type": "object", "properties": {}}
    recovery: Recovery = "idempotent"
    supports_dry_run = True

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def run(self, ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any]:
        with self._platform.store.read() as conn:
            kinds = load_kinds(conn)
        validate(values["entity"], kinds)
        file = _inside(ctx.workspace, values.get("filePath") or DEFAULT_FILE)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(values["entity"], sort_keys=False, allow_unicode=True))
        ctx.log(f"Wrote {file.relative_to(ctx.workspace.resolve())}")
        return {}

    def probe(self, ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return None

    def undo(self, ctx: StepContext, created: Sequence[Created]) -> None:
        return None


def _inside(workspace: Path, path: str) -> Path:
    root = workspace.resolve()
    file = (root / path.lstrip("/")).resolve()
    if not file.is_relative_to(root) or file == root:
        raise InputError(f"'{path}' leads out of the workspace", code="catalog.outside")
    return file


def _from_workspace(platform: Platform, workspace: Path, path: str) -> Mapping[str, Any]:
    """What registering would give, read from the workspace as it would be from the repository."""
    file = _inside(workspace, path)
    if not file.is_file():
        raise NotFoundError(f"there is no {path} in the workspace to register", code="catalog.no_file")
    tree = FileTree(workspace)
    here = Target(tree=tree, path=file.relative_to(workspace.resolve()).as_posix())
    refs = []
    with platform.store.read() as conn:
        kinds = load_kinds(conn)
    for item in read_target(here, _nowhere):
        if isinstance(item, SourceProblem):
            where = item.location.removeprefix(tree.location("x").removesuffix("x"))
            raise InputError(f"{where}:{item.line or 1}: {item.detail}", code="catalog.unreadable")
        validate(item.document, kinds)
        refs.append(str(ref_of(item.document)))
    if not refs:
        raise InputError(f"{path} holds no entity", code="catalog.nothing_registered")
    return {"entityRef": refs[0], "catalogInfoUrl": path}


def _nowhere(kind: str, target: str) -> Target:
    raise InputError(f"a dry run does not read {kind} {target}", code="catalog.dry_run")
