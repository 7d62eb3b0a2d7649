"""What an import is told and what it says: values without behaviour, shared by all importers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Fate = Literal["carried", "changed", "not_carried", "added"]
"""`carried`: as it was. `changed`: in another form or place, the note says which. `not_carried`: the note says why.
`added`: the source says nothing, and an entity must."""
FATES: tuple[Fate, ...] = ("carried", "changed", "not_carried", "added")
Outcome = Literal["entity", "location", "definition", "refused"]
"""`entity`: it became one. `location`: it is registered to be read. `definition`: it describes others, or the portal
itself, and is no entity here. `refused`: nothing became of it, `reason` says why."""


@dataclass(frozen=True)
class Input:
    """One document of an import: a name to show, and its text."""

    name: str
    text: str


@dataclass(frozen=True)
class Options:
    """What the person who imports decides. `kinds` maps foreign types to kinds, `base` is where relative files lie."""

    kinds: Mapping[str, str] = field(default_factory=dict)
    base: str | None = None


@dataclass(frozen=True)
class Note:
    """What became of one field, and of all below it. `field` is a JSON pointer into its document, `to` one into the
    entity."""

    field: str
    fate: Fate
    to: str | None = None
    note: str = ""


@dataclass(frozen=True)
class Item:
    """What became of one thing in a document. `at` is the JSON pointer (or line) where it stands."""

    document: str
    at: str
    source: str
    outcome: Outcome
    notes: Sequence[Note] = ()
    reason: str = ""
    ref: str | None = None
    entity: Mapping[str, Any] | None = None
    location: Mapping[str, Any] | None = None
    line: int = 1


def refused(document: str, at: str, source: str, reason: str, line: int = 1) -> Item:
    """Nothing became of it."""
    return Item(document, at, source, "refused", (Note(at, "not_carried", None, reason),), reason, line=line)


def counts_of(items: Sequence[Item]) -> dict[str, int]:
    """Items by outcome, and fields by fate."""
    counts = dict.fromkeys(("entity", "location", "definition", "refused", *(f"fields_{fate}" for fate in FATES)), 0)
    for item in items:
        counts[item.outcome] += 1
        for note in item.notes:
            counts[f"fields_{note.fate}"] += 1
    return counts
