"""What reading a source yields beside what plugins do: documents that still have the text they were parsed from, and
those that were judged where they were parsed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from taxiway.features.catalog.kinds import Kinds
from taxiway.features.catalog.model import Record
from taxiway.kit.yaml12 import YamlDocument
from taxiway.kit.yaml_documents import documents_and_faults
from taxiway.plugin import SourcedEntity, SourceProblem


@dataclass(frozen=True)
class ReadEntity(SourcedEntity):
    """A sourced entity that still has the text it was parsed from, for line numbers of problems."""

    text: str | None = field(default=None, repr=False, compare=False)


class ReadRecord(SourcedEntity):
    """A valid document that was judged by `kinds` where it was parsed. `content` is the file that it stands in."""

    def __init__(self, record: Record, kinds: Kinds, content: bytes) -> None:
        for name, value in (("location", record.location), ("line", record.line), ("vouched", False)):
            object.__setattr__(self, name, value)
        self.__dict__.update(record=record, kinds=kinds, content=content)

    record: Record
    kinds: Kinds
    content: bytes

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

    def unjudged(self) -> ReadEntity:
        """The document as it was read."""
        text = self.content.decode("utf-8-sig", "replace")
        return ReadEntity(_documents(self.content)[self.line], self.location, self.line, text=text)


Item = SourcedEntity | SourceProblem


@lru_cache(maxsize=1)
def _documents(content: bytes) -> Mapping[int, Any]:
    # One file after another is asked for its documents.
    return {one.line: one.value for one in documents_and_faults(content) if isinstance(one, YamlDocument)}
