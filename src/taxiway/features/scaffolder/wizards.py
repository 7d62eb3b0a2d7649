"""Wizards: forms of golden paths that somebody opened, how far each came, and what came of it.

The portal says which page was reached; who it was is not kept. Figures of golden paths show on which page forms are
given up. A wizard that ends in a task, or is kept as a draft, is not given up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from taxiway.core.context import OpContext
from taxiway.core.store.database import Tx
from taxiway.features.scaffolder import repository
from taxiway.features.scaffolder.drafts import CREATE
from taxiway.features.scaffolder.model import Reached, Template, pages_of
from taxiway.kit.clock import MICROSECONDS
from taxiway.model.errors import InputError

WINDOW_SECONDS = 90 * 24 * 3600
"""How long wizards are kept and counted."""
IDLE_SECONDS = 3600
"""How long nothing may come of a wizard before it counts as given up."""
REVIEW = "Review"
"""The page behind the template's own."""


def reach(ctx: OpContext, template: Template, wizard_id: UUID, page: int) -> None:
    """Remember that a wizard shows `page`, from 0; the one behind the last is the review. The same again changes
    nothing, an earlier one neither. InputError for a page that the form has not."""
    ctx.authorize(CREATE)
    last = len(template.pages)
    if page > last:
        raise InputError(
            f"the form of {template.ref} has pages 0 to {last}, the review is {last}", code="scaffolder.page"
        )

    def work(tx: Tx) -> None:
        repository.delete_wizards_before(tx, tx.now - WINDOW_SECONDS * MICROSECONDS)
        repository.reach_page(tx, str(wizard_id), template.ref, page)

    ctx.platform.store.write(work)


def idle_before(ctx: OpContext) -> int:
    """A wizard that was last used before this time, and did not end, is given up."""
    return ctx.platform.clock.now() - IDLE_SECONDS * MICROSECONDS


def figures(spec: Mapping[str, Any], counts: Sequence[Reached]) -> dict[str, Any]:
    """Of a golden path: {opened, tasks, drafts, abandoned, pages: [{page, title, reached, abandoned}]}.

    `reached` counts wizards that came to a page or further, `abandoned` those that went no further and ended in
    nothing. Wizards that may still go on are only in `opened` and `reached`. `spec` is the template's as it is now;
    pages that it lost keep their number for a title.
    """
    pages = pages_of({"spec": spec})
    titles = [str(one.get("title") or "") if isinstance(one, Mapping) else "" for one in pages] + [REVIEW]
    ended = {what: sum(one.count for one in counts if one.outcome == what) for what in ("task", "draft")}
    gone = [one for one in counts if one.outcome is None and one.is_idle]
    last = max([len(titles) - 1, *(one.page for one in counts)])
    return {
        "opened": sum(one.count for one in counts),
        "tasks": ended["task"],
        "drafts": ended["draft"],
        "abandoned": sum(one.count for one in gone),
        "pages": [
            {
                "page": page,
                "title": (titles[page] if page < len(titles) else "") or f"Page {page + 1}",
                "reached": sum(one.count for one in counts if one.page >= page),
                "abandoned": sum(one.count for one in gone if one.page == page),
            }
            for page in range(last + 1)
        ],
    }
