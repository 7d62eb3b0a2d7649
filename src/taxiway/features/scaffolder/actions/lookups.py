"""`catalog:fetch`, `catalog:query`, `catalog:apply`: the catalog in a golden path, with the rights of who runs it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from taxiway.core.context import OpContext, Platform
from taxiway.features.catalog import service as catalog
from taxiway.features.catalog.repository.query import Query
from taxiway.features.catalog.service.pushing import push_entities
from taxiway.features.catalog.service.query import page_of_entities, text_of_entity
from taxiway.model.entity import parse_ref, ref_of
from taxiway.model.errors import InputError, NotFoundError
from taxiway.model.run import Created
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema

MOST_ENTITIES = 500
ENTITY = {"type": "object", "description": "The entity"}
ENTITIES = {"type": "array", "items": {"type": ["object", "null"]}}
TEXTS = {"type": "array", "items": {"type": "string"}}
Values = Mapping[str, Any]


def lookup_actions(platform: Platform) -> list[FunctionAction]:
    """The actions of this module."""
    return [
        FunctionAction(
            key="catalog:fetch",
            description="Read an entity of the catalog, or some",
            function=lambda ctx, values: _fetch(_op(platform, ctx), values),
            input_schema=schema(
                entityRef="Reference of an entity",
                entityRefs={**TEXTS, "description": "References of some"},
                optional={"type": "boolean", "description": "Go on when one is not there"},
                defaultKind="Kind of a reference that says none",
                defaultNamespace="Namespace of a reference that says none",
            ),
            output_schema=schema(entity=ENTITY, entities=ENTITIES),
        ),
        FunctionAction(
            key="catalog:query",
            description="Find entities by Backstage's filters",
            function=lambda ctx, values: _query(_op(platform, ctx), values),
            input_schema=schema(
                filter={"type": ["string", "array"], "items": {"type": "string"}, "description": "kind=component,…"},
                term="Text to look for",
                limit={"type": "integer", "minimum": 1, "maximum": MOST_ENTITIES},
            ),
            output_schema=schema(entities=ENTITIES, entityRefs=TEXTS, totalItems={"type": "integer"}),
        ),
        FunctionAction(
            key="catalog:apply",
            description="Put entities into the catalog that no file declares; undo removes those that are new",
            function=lambda ctx, values: _apply(_op(platform, ctx), ctx, values),
            input_schema=schema(entity=ENTITY, entities={"type": "array", "items": {"type": "object"}}),
            output_schema=schema(entityRefs=TEXTS),
            take_back=lambda ctx, created: _take_back(platform, ctx, created),
        ),
    ]


def _op(platform: Platform, ctx: StepContext) -> OpContext:
    return OpContext(platform, ctx.principal, f"run-{ctx.run_id}")


def _fetch(op: OpContext, values: Values) -> Values:
    one, many = values.get("entityRef"), values.get("entityRefs")
    if bool(one) == bool(many):
        raise InputError("name one entityRef, or some entityRefs", code="scaffolder.bad_refs")
    found = [_entity(op, ref, values) for ref in many or [one]]
    return {"entities": found} if many else {"entity": found[0]}


def _entity(op: OpContext, ref: str, values: Values) -> Any:
    kind, namespace = values.get("defaultKind"), values.get("defaultNamespace")
    full = parse_ref(ref, default_kind=kind, default_namespace=namespace or "default")
    text = text_of_entity(op, str(full))
    if text is None and not values.get("optional"):
        raise NotFoundError(f"there is no entity {full}: register it, or set `optional`", code="scaffolder.no_entity")
    return None if text is None else orjson.loads(text)


def _query(op: OpContext, values: Values) -> Values:
    given = values.get("filter") or []
    filters = [given] if isinstance(given, str) else list(given)
    query = Query(filters=filters, term=values.get("term") or "")
    listed = page_of_entities(op, query, limit=values.get("limit") or 100)
    entities = [orjson.loads(text) for text in listed.items]
    refs = [str(ref_of(entity)) for entity in entities]
    return {"entities": entities, "entityRefs": refs, "totalItems": listed.total}


def _apply(op: OpContext, ctx: StepContext, values: Values) -> Values:
    entities = [*([values["entity"]] if values.get("entity") else []), *(values.get("entities") or [])]
    if not 0 < len(entities) <= MOST_ENTITIES:
        raise InputError(f"give 1 to {MOST_ENTITIES} entities", code="scaffolder.bad_entities")
    refs = [str(ref_of(entity)) for entity in entities]
    if ctx.is_dry_run:
        return {"entityRefs": refs}
    # Asked once and kept, so that a repeated step still knows what it made itself.
    known = ctx.checkpoint("known", lambda: [ref for ref in refs if catalog.get_entity(op.platform, ref) is not None])
    source = f"run-{ctx.run_id}"
    for ref in refs:
        if ref not in known:
            ctx.created("entity", ref, {"source": source})
    body = b"\n".join(json.dumps(entity).encode() for entity in entities)
    result = push_entities(op, source, body)
    if result.problems:
        detail = "; ".join(problem.detail for problem in result.problems[:5])
        raise InputError(f"the catalog refuses them: {detail}", code="scaffolder.refused_entities")
    return {"entityRefs": refs}


def _take_back(platform: Platform, ctx: StepContext, created: Sequence[Created]) -> None:
    op = platform.system("scaffolder")
    for source in {item.data["source"] for item in created if item.kind == "entity"}:
        push_entities(op, source, b"", complete=True)
        ctx.log(f"Removed {len(created)} entities")
