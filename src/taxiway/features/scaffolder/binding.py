"""Day-2 golden paths: `taxiway:for` in a template's spec says which entities it is for, and which answer is the one.

Who runs one must see and own the entity. Called when a template is planned or run, and to tell what an entity's page
offers; it starts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from taxiway.core.context import OpContext
from taxiway.core.permissions import decide
from taxiway.features.catalog import service as catalog
from taxiway.features.catalog.matching import Tests, rows_of
from taxiway.features.catalog.repository.grammar import read_filters
from taxiway.features.catalog.service.query import text_of_entity
from taxiway.features.scaffolder.model import Bound, Template
from taxiway.model.entity import parse_ref, ref_of
from taxiway.model.errors import InputError, NotFoundError, TaxiwayError

OPERATE = "scaffolder.operate"
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Offer:
    """A day-2 golden path for an entity. `reason` says why the caller may not run it, where that is so."""

    template_ref: str
    title: str
    description: str
    parameter: str
    allowed: bool
    reason: str


def bind(ctx: OpContext, template: Template, values: Values) -> Bound | None:
    """The entity that a day-2 template is to work on; None for other templates. InputError when it is none of those
    that the template is for, NotFoundError when the caller sees no such entity, NotAllowedError when it is another's.
    """
    said = template.document["spec"].get("taxiway:for")
    if said is None:
        return None
    given = values.get(said["parameter"])
    if not isinstance(given, str) or not given:
        raise InputError(f"name the entity as '{said['parameter']}'", code="scaffolder.no_subject")
    ref = str(parse_ref(given, default_kind=said.get("kind") or "component"))
    document = _seen(ctx, ref)
    if not _fits(said, document):
        raise InputError(f"{template.ref} is not for {ref}: {_told(said)}", code="scaffolder.wrong_subject")
    owner = catalog.owner_of(document)
    ctx.authorize(OPERATE, owner)
    return Bound(ref, owner, str(document["metadata"].get("etag") or ""))


def offers(ctx: OpContext, ref: str) -> list[Offer]:
    """The day-2 golden paths for an entity, by title. NotFoundError when the caller sees no such entity."""
    full = str(parse_ref(ref, default_kind="component"))
    document = _seen(ctx, full)
    owner = catalog.owner_of(document)
    verdict = decide(ctx.platform.permissions, ctx.principal, OPERATE, owner)
    found = []
    for template in catalog.list_entities(ctx.platform, kind="template"):
        said = template["spec"].get("taxiway:for")
        if not _is_usable(said) or not _fits(said, document):
            continue
        metadata = template["metadata"]
        found.append(
            Offer(
                template_ref=str(ref_of(template)),
                title=metadata.get("title") or metadata["name"],
                description=metadata.get("description") or "",
                parameter=said["parameter"],
                allowed=verdict.allowed,
                reason="" if verdict.allowed else verdict.reason,
            )
        )
    return sorted(found, key=lambda offer: (offer.title, offer.template_ref))


def _seen(ctx: OpContext, ref: str) -> dict[str, Any]:
    text = text_of_entity(ctx, ref)
    if text is None:
        raise NotFoundError(f"there is no entity {ref}: look it up in the catalog", code="scaffolder.no_entity")
    found: dict[str, Any] = orjson.loads(text)
    return found


def _is_usable(said: Any) -> bool:
    return isinstance(said, Mapping) and isinstance(said.get("parameter"), str)


def _fits(said: Values, document: Values) -> bool:
    kind, filters = said.get("kind"), said.get("filter") or []
    if kind is not None and str(document["kind"]).lower() != str(kind).lower():
        return False
    wanted: Sequence[str] = [filters] if isinstance(filters, str) else list(filters)
    edges = [(relation["type"], relation["targetRef"]) for relation in document.get("relations") or []]
    try:
        return not wanted or read_filters(Tests(), wanted)(rows_of(document, edges))
    except TaxiwayError:  # a filter that is none fits nothing; the lint says so
        return False


def _told(said: Values) -> str:
    parts = [f"kind {said['kind']}"] if said.get("kind") else []
    filters = said.get("filter") or []
    parts += [filters] if isinstance(filters, str) else list(filters)
    return "it is for " + " or ".join(parts)
