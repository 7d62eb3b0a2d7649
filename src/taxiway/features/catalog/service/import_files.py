"""Where the documents and the reports of imports are kept: as artefacts, with a first line that says what they are.

The first line makes sure that nobody has another's document, or another kind of artefact, imported.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from taxiway.core.context import OpContext, Platform
from taxiway.kit.clock import MICROSECONDS
from taxiway.model.errors import InputError, NotFoundError, TaxiwayError

KIND = b"taxiway import "
DOCUMENT = KIND + b"document of "
REPORT = KIND + b"report\n"
SCHEDULE, EVERY_SECONDS = "catalog.imports", 24 * 3600


def put_document(ctx: OpContext, text: str) -> str:
    """Keep a document until it is imported; its digest."""
    content = text.encode("utf-8", "surrogatepass")
    return _put(ctx.platform, [DOCUMENT, ctx.principal.subject.encode(), b"\n", content])


def document_text(platform: Platform, subject: str, digest: str) -> str:
    """A document that `subject` put. InputError when it is not there or is somebody else's."""
    first = DOCUMENT + subject.encode() + b"\n"
    try:
        path = platform.artifacts.path(digest)
        with path.open("rb") as file:
            if file.read(len(first)) == first:
                return file.read().decode("utf-8", "surrogatepass")
    except (TaxiwayError, OSError):
        pass
    raise InputError(f"the document {digest[:80]} is not there: send it again", code="catalog.import_document")


def remove_old(platform: Platform) -> int:
    """Remove documents and reports that are older than the setting says; returns how many."""
    before = platform.clock.now() / MICROSECONDS - platform.settings.catalog.import_days * 24 * 3600
    removed = 0
    for path in platform.artifacts.beginning_with(KIND, before):
        path.unlink(missing_ok=True)
        removed += 1
    return removed


def put_report(platform: Platform, lines: Iterable[Mapping[str, Any]]) -> str:
    """Keep a report, a line for each item; its digest."""
    return _put(platform, [REPORT, *(orjson.dumps(line) + b"\n" for line in lines)])


def report_lines(platform: Platform, digest: str, offset: int, limit: int) -> Iterator[tuple[bytes, int]]:
    """(line, offset behind it) of a report from a byte offset; 0 is its beginning. NotFoundError when it is gone."""
    try:
        path = platform.artifacts.path(digest)
    except NotFoundError as error:
        days = platform.settings.catalog.import_days
        raise NotFoundError(
            f"the report was removed {days} days after the import (setting catalog.import_days): import again",
            code="catalog.import_report",
        ) from error
    with path.open("rb") as file:
        if file.read(len(REPORT)) != REPORT:
            raise NotFoundError(f"{digest} is no report of an import", code="catalog.import_report")
        if offset:
            file.seek(min(max(offset, len(REPORT)), path.stat().st_size) - 1)
            file.readline()  # the rest of a line, or the end of the one before
        for _ in range(limit):
            line = file.readline()
            if not line:
                return
            yield line, file.tell()


def _put(platform: Platform, parts: Iterable[bytes]) -> str:
    with tempfile.NamedTemporaryFile() as file:
        for part in parts:
            file.write(part)
        file.flush()
        digest = platform.artifacts.put(Path(file.name))
    platform.artifacts.touch(digest)  # the same text may have been kept long ago
    return digest
