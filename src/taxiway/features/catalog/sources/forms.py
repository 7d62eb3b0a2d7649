"""The forms of what sources hold, each with what parses it: a fault in a document is told in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from taxiway.kit.json_lines import lines_and_faults
from taxiway.kit.yaml12 import YamlDocument, YamlError
from taxiway.kit.yaml_documents import documents_and_faults

YAML, LINES = b"y", b"l"
FORMS: Mapping[bytes, Callable[[bytes], Iterator[YamlDocument | YamlError]]] = {
    YAML: documents_and_faults,
    LINES: lines_and_faults,
}
