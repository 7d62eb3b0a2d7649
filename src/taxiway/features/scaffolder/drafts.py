"""Drafts: half-filled forms of golden paths, kept until they are run, given up, or too old; handed from one person to
another, who goes on with them under his own rights. Answers that are secrets are never kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from taxiway.core.context import OpContext
from taxiway.core.store.database import Tx
from taxiway.features.catalog import service as catalog
from taxiway.features.scaffolder import repository
from taxiway.features.scaffolder.model import Draft, Template, is_secret, secret_fields
from taxiway.kit.clock import MICROSECONDS
from taxiway.model.entity import parse_ref
from taxiway.model.errors import ConflictError, InputError, NotFoundError, TooLargeError

CREATE = "scaffolder.task.create"
MOST_BYTES = 256 * 1024
MOST_DRAFTS = 100
"""Of one person."""
MOST_NOTE = 1000
DAY_SECONDS = 24 * 3600


def save_draft(
    ctx: OpContext,
    template: Template,
    values: Mapping[str, Any],
    reached: int,
    draft_id: str | None,
    version: int,
    *,
    wizard_id: UUID | None = None,
) -> Draft:
    """Keep the answers of a form; with an id, in place of those of that draft, which must be at `version`. The wizard
    that they come from is not given up."""
    ctx.authorize(CREATE)
    answers = _plain(template, values)
    name = answers.get("name")
    title = f"{template.title}: {name}" if isinstance(name, str) and name else template.title

    def work(tx: Tx) -> Draft:
        repository.delete_drafts_before(tx, _oldest(ctx, tx.now))
        if wizard_id is not None:
            repository.end_wizard(tx, str(wizard_id), template.ref, "draft")
        if draft_id is not None:
            there = _held(ctx, tx.conn, draft_id)
            if there.template_ref != template.ref:
                raise InputError(f"the draft is one of {there.template_ref}: save a new one", code="scaffolder.draft")
            changed = replace(there, title=title, values=answers, reached=reached, updated_at=tx.now)
            return _changed(tx, changed, version)
        if repository.count_drafts(tx.conn, ctx.principal.subject) >= MOST_DRAFTS:
            raise ConflictError(
                f"you have {MOST_DRAFTS} drafts already: run one, or give one up", code="scaffolder.too_many_drafts"
            )
        draft = Draft(
            id=ctx.platform.new_id(),
            template_ref=template.ref,
            title=title,
            values=answers,
            reached=reached,
            holder=ctx.principal.subject,
            created_by=ctx.principal.subject,
            created_at=tx.now,
            updated_at=tx.now,
        )
        repository.insert_draft(tx, draft)
        return draft

    return ctx.platform.store.write(work)


def list_drafts(ctx: OpContext) -> list[Draft]:
    """Drafts that the caller holds, and those that he handed on and that are not done yet; the newest first."""
    ctx.authorize(CREATE)
    with ctx.platform.store.read() as conn:
        return repository.list_drafts(conn, ctx.principal.subject, _oldest(ctx, ctx.platform.clock.now()))


def get_draft(ctx: OpContext, draft_id: str) -> Draft:
    """A draft that the caller holds."""
    ctx.authorize(CREATE)
    with ctx.platform.store.read() as conn:
        return _held(ctx, conn, draft_id)


def hand_over(ctx: OpContext, draft_id: str, to: str, note: str, version: int) -> Draft:
    """Give a draft to another person, who goes on with it."""
    ctx.authorize(CREATE)
    ref = str(parse_ref(to, default_kind="user"))
    if not ref.startswith("user:") or catalog.get_entity(ctx.platform, ref) is None:
        raise InputError(f"there is no person {ref}: hand it to a user of the catalog", code="scaffolder.no_person")
    if len(note) > MOST_NOTE:
        raise TooLargeError(f"a note has {MOST_NOTE} characters at most")

    def work(tx: Tx) -> Draft:
        repository.delete_drafts_before(tx, _oldest(ctx, tx.now))
        there = _held(ctx, tx.conn, draft_id)
        if ref == there.holder:
            raise InputError(f"{ref} has it already: name another person", code="scaffolder.no_person")
        if repository.count_drafts(tx.conn, ref) >= MOST_DRAFTS:
            raise ConflictError(f"{ref} has {MOST_DRAFTS} drafts already", code="scaffolder.too_many_drafts")
        given = replace(there, holder=ref, handed_by=ctx.principal.subject, note=note, updated_at=tx.now)
        return _changed(tx, given, version)

    return ctx.platform.store.write(work)


def drop_draft(ctx: OpContext, draft_id: str) -> None:
    """Give a draft up."""
    ctx.authorize(CREATE)

    def work(tx: Tx) -> None:
        _held(ctx, tx.conn, draft_id)
        repository.delete_draft(tx, draft_id)

    ctx.platform.store.write(work)


def finish_draft(tx: Tx, ctx: OpContext, draft_id: str | None, template_ref: str) -> None:
    """A run was started from a draft of the caller: it is done with. NotFoundError when it is another's by now."""
    if draft_id is None:
        return
    if _held(ctx, tx.conn, draft_id).template_ref != template_ref:
        raise InputError("the draft is one of another golden path", code="scaffolder.draft")
    repository.delete_draft(tx, draft_id)


def _changed(tx: Tx, draft: Draft, version: int) -> Draft:
    if not repository.change_draft(tx, draft, version):
        raise ConflictError(
            "the draft was changed meanwhile, in another window or by another person: open it again",
            code="scaffolder.stale_draft",
        )
    return replace(draft, version=version + 1)


def _held(ctx: OpContext, conn: Any, draft_id: str) -> Draft:
    found = repository.get_draft(conn, draft_id)
    if (
        found is None
        or found.holder != ctx.principal.subject
        or found.updated_at < _oldest(ctx, ctx.platform.clock.now())
    ):
        raise NotFoundError(
            "you hold no such draft: it was run, given up, handed on, or became too old", code="scaffolder.no_draft"
        )
    return found


def _oldest(ctx: OpContext, now: int) -> int:
    return now - ctx.platform.settings.scaffolder.draft_days * DAY_SECONDS * MICROSECONDS


def _plain(template: Template, values: Mapping[str, Any]) -> dict[str, Any]:
    """The answers to what is asked that are no secrets, at any depth. TooLargeError for more than a form has."""
    hidden = secret_fields(template.pages)
    asked: dict[str, Any] = {}
    for page in template.pages:
        asked |= _properties(page)
    try:
        kept = {
            name: _without_secrets(asked.get(name) or {}, one) for name, one in values.items() if name not in hidden
        }
    except RecursionError as error:
        raise TooLargeError("these answers hold each other deeper than any form asks: save plainer ones") from error
    if len(json.dumps(kept)) > MOST_BYTES:
        raise TooLargeError(f"a draft has {MOST_BYTES} bytes at most")
    return {name: value for name, value in kept.items() if value is not None}


def _properties(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Every property that a schema may ask for, conditional ones too."""
    found: dict[str, Any] = dict(schema.get("properties") or {})
    nested = [*(schema.get("allOf") or []), *(schema.get("anyOf") or []), *(schema.get("oneOf") or [])]
    nested += [schema[key] for key in ("then", "else") if isinstance(schema.get(key), Mapping)]
    nested += [one for one in (schema.get("dependencies") or {}).values() if isinstance(one, Mapping)]
    for one in nested:
        if isinstance(one, Mapping):
            found |= {name: item for name, item in _properties(one).items() if name not in found or is_secret(item)}
    return found


def _without_secrets(schema: Any, value: Any) -> Any:
    if is_secret(schema):
        return None
    if isinstance(value, Mapping) and isinstance(schema, Mapping):
        known = _properties(schema)
        kept = {name: _without_secrets(known.get(name) or {}, item) for name, item in value.items()}
        return {name: item for name, item in kept.items() if item is not None}
    if isinstance(value, list) and isinstance(schema, Mapping):
        return [_without_secrets(schema.get("items") or {}, item) for item in value]
    return value
