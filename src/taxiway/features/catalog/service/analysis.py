"""What a repository would bring to the catalog: the descriptors in it, or a proposed one where it has none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from taxiway.core.context import OpContext
from taxiway.features.catalog.service.locations import find_location
from taxiway.features.catalog.sources.targets import DEFAULT_FILE, Target, forge_of, open_target
from taxiway.kit.yaml12 import YamlError, load_all
from taxiway.model.errors import InputError, NotFoundError, TaxiwayError

MAX_EXISTING = 100
SLUGS = {
    "github.com": "github.com/project-slug",
    "gitlab.com": "gitlab.com/project-slug",
    "bitbucket.org": "bitbucket.org/project-slug",
    "dev.azure.com": "dev.azure.com/project-slug",
}
"""Hosts whose repositories have an annotation of their own."""
CODEOWNERS = ("CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS", "docs/CODEOWNERS")


def analyze_location(ctx: OpContext, type: str, target: str, filename: str | None) -> dict[str, Any]:
    """Backstage's answer: `{existingEntityFiles, generateEntities}`. Writes nothing.

    Repositories of the built-in forge are looked into, which needs the right to register them; of others only the
    address is used. InputError for a target that is no address.
    """
    if type not in ("url", "git") or not (target.startswith("git:") or type == "git" or "://" in target):
        raise InputError("The given location.target is not a URL", code="catalog.bad_location")
    try:
        opened = open_target(ctx.platform, type, target)
    except (InputError, NotFoundError):
        ctx.authorize("catalog.location.analyze")
        return _proposal(*_names(target), [])
    ctx.authorize("catalog.location.analyze", opened.owner)
    existing = list(_existing(ctx, opened, filename or DEFAULT_FILE))
    if existing:
        return {"existingEntityFiles": existing[:MAX_EXISTING], "generateEntities": []}
    return _proposal("", opened.repository or "repository", list(_owner(opened)))


def _existing(ctx: OpContext, opened: Target, filename: str) -> Iterator[dict[str, Any]]:
    if opened.repository is None:
        return
    name = filename.rpartition("/")[2]
    found = [path for path in _files(ctx, opened) if path.rpartition("/")[2] == name]
    for path in found[:MAX_EXISTING]:
        kind, _, place = opened.tree.location(path).partition(":")
        registered = [
            (kind, place),
            ("git", f"{opened.repository}//{path}"),
            ("url", f"git:{opened.repository}//{path}"),
        ]
        is_registered = any(find_location(ctx.platform, *one) is not None for one in registered)
        try:
            documents = [document.value for document in load_all(opened.tree.read(path))]
        except (YamlError, TaxiwayError):
            continue
        for document in documents:
            if isinstance(document, dict):
                yield {
                    "location": {"type": kind, "target": place},
                    "isRegistered": is_registered,
                    "entity": document,
                }


def _files(ctx: OpContext, opened: Target) -> Sequence[str]:
    return forge_of(ctx.platform).list_files(opened.repository or "", opened.tree.state)


def _owner(opened: Target) -> Iterator[tuple[str, str]]:
    # (owner, why): the repository's owner, else the team or person that CODEOWNERS gives everything to.
    if opened.owner is not None:
        yield opened.owner, f"the owner of the repository {opened.repository}"
        return
    for path in CODEOWNERS:
        try:
            text = opened.tree.read(path).decode(errors="replace")
        except TaxiwayError:
            continue
        match = re.search(r"^\s*\*\s+@(\S+)", text, re.MULTILINE)
        if match is not None:
            name = match[1].rpartition("/")[2]
            yield f"{'group' if '/' in match[1] else 'user'}:default/{name}".lower(), f"{path} gives everything to it"
            return


def _proposal(organisation: str, name: str, owners: Sequence[tuple[str, str]]) -> dict[str, Any]:
    host, _, slug = organisation.partition("/")
    metadata: dict[str, Any] = {"name": re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-_.")[:63] or "repository"}
    if host in SLUGS:
        metadata["annotations"] = {SLUGS[host]: f"{slug}/{name}"}
    entity: dict[str, Any] = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": metadata,
        "spec": {"type": "other", "lifecycle": "unknown"},
    }
    fields = [
        {"field": "spec.owner", "state": "analysisSuggestedValue", "value": owner, "description": why}
        for owner, why in owners
    ]
    if owners:
        entity["spec"]["owner"] = owners[0][0]
    return {"existingEntityFiles": [], "generateEntities": [{"entity": entity, "fields": fields}]}


def _names(target: str) -> tuple[str, str]:
    # (host/organisation, repository) of an address such as https://github.com/org/repo/blob/main/x.yaml
    parts = urlsplit(target.removeprefix("git:"))
    segments = [segment for segment in parts.path.split("/") if segment]
    nested = segments[: segments.index("-")] if "-" in segments else segments[:2]
    if not segments:
        return parts.hostname or "", parts.hostname or "repository"
    name = nested[-1].removesuffix(".git")
    return "/".join([parts.hostname or "", *nested[:-1]]), name
