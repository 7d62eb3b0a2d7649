"""What the process behind `parsing` does with a file: parses it, and makes each valid document ready to be stored.

A document that something else may have a say in, another file or a kind that its source declares, is given as it is;
one that is not valid too: what is wrong with it is told where the whole source is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from taxiway.features.catalog.documents import prepare
from taxiway.features.catalog.kinds import META
from taxiway.features.catalog.model import Packed
from taxiway.features.catalog.packing import pack
from taxiway.features.catalog.sources.forms import FORMS, YAML
from taxiway.features.catalog.sources.wire import LENGTH, Answer, taken_kinds
from taxiway.features.catalog.validation import validate
from taxiway.kit.clock import SystemClock
from taxiway.kit.ids import new_ids
from taxiway.kit.yaml12 import YamlDocument
from taxiway.model.errors import InputError

ELSEWHERE = META | {"Location"}
"""Kinds of documents that have a say in others."""
_FIRST = b"""\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: first, tags: [first], labels: {first: "1"}, links: [{url: "https://first.example"}]}
spec: {type: service, lifecycle: production, owner: user:first, dependsOn: ["resource:first"]}
"""


@dataclass(frozen=True)
class _Sourced:
    document: Any
    location: str
    line: int


def warm() -> None:
    """Judge a document: what the first one needs made takes 30 ms, which nobody is to wait for."""
    Judging(orjson.dumps({"origin": "", "kinds": []})).answer(YAML + LENGTH.pack(1) + b"." + _FIRST)


class Judging:
    """Judges by what a frame says: JSON of the kinds and of where the source was registered."""

    def __init__(self, told: bytes) -> None:
        values = orjson.loads(told)
        self._kinds, self._origin = taken_kinds(values["kinds"]), values["origin"]
        self._new_id = new_ids(SystemClock())

    def answer(self, content: bytes) -> bytes:
        """What one file comes to, given behind its form and location; empty when that cannot be told."""
        parse, first = FORMS[content[:1]], 1 + LENGTH.size
        start = first + LENGTH.unpack_from(content, 1)[0]
        location, found = content[first:start].decode("utf-8", "surrogatepass"), Answer()
        try:
            for item in parse(content[start:]):
                if not (location and isinstance(item, YamlDocument) and self._add_record(found, item, location)):
                    found.add(item)
            return found.frame()
        except (orjson.JSONEncodeError, RecursionError):
            return b""

    def _add_record(self, found: Answer, item: YamlDocument, location: str) -> bool:
        document = item.value
        if not isinstance(document, dict) or str(document.get("kind")) in ELSEWHERE:
            return False
        sourced: Any = _Sourced(document, location, item.line)
        try:
            record = prepare(sourced, validate(document, self._kinds), self._origin, self._kinds)
        except InputError:
            return False
        uid = self._new_id()
        found.add_record(record, Packed(uid, pack(record.stored(uid))))
        return True
