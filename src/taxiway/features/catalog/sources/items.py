"""What reading a source yields beside what plugins do: documents that still have the text they were parsed from, and
those that were judged where they were parsed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from taxiway.features.catalog.kinds import Kinds
from taxiway.features.catalog.model import Record
from taxiway.features.catalog.sources.forms import FORMS, YAML
from taxiway.kit.yaml12 import YamlDocument
from taxiway.plugin import SourcedEntity, SourceProblem


@dataclass(frozen=True)
class ReadEntity(SourcedEntity):
    """A sourced entity that still has the text it was parsed from, for line numbers of problems."""

    text: str | None = field(default=None, repr=False, compare=False)


class ReadRecord(SourcedEntity):
    """A valid document that was judged by `kinds` where it was parsed; `unjudged` reads it again, as it was."""

    def __init__(self, record: Record, kinds: Kinds, unjudged: Callable[[], SourcedEntity]) -> None:
        for name, value in (("location", record.location), ("line", record.line), ("vouched", False)):
            object.__setattr__(self, name, value)
        self.__dict__.update(record=record, kinds=kinds, unjudged=unjudged)

    record: Record
    kinds: Kinds
    unjudged: Callable[[], SourcedEntity]

    @property
    def document(self) -> Mapping[str, Any]:
        """What is to be stored, which is loaded when it is asked for."""
        return self.record.document

    def record_by(self, kinds: Kinds) -> Record | None:
        """What the document came to, if these kinds judge it alike."""
        if kinds is self.kinds:
            return self.record
        name = self.document["kind"]
        return self.record if kinds.get(name) is self.kinds.get(name) else None


def read_again(content: bytes, form: bytes, location: str, line: int, above: int) -> SourcedEntity:
    """The document at a line of what a source holds, of which `content` has what is below `above` lines."""
    document = _documents(content, form)[line - above]
    if form != YAML:
        return SourcedEntity(document, location, line)
    return ReadEntity(document, location, line, text=content.decode("utf-8-sig", "replace"))


Item = SourcedEntity | SourceProblem


@lru_cache(maxsize=1)
def _documents(content: bytes, form: bytes) -> Mapping[int, Any]:
    # One file after another is asked for its documents.
    return {one.line: one.value for one in FORMS[form](content) if isinstance(one, YamlDocument)}
