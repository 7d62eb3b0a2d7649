"""What `taxiway import` sends: the files that were named, and the entities of a running Backstage, page by page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from taxiway.cli.errors import CliError

SUFFIXES = (".json", ".yaml", ".yml", ".ndjson", ".jsonl")
MAX_FILE = 10_000_000
MAX_ANSWER = 50_000_000
PAGE = 500
MAX_PAGES = 1000
TIMEOUT_SECONDS = 60.0
Document = tuple[str, str]


def files_at(paths: list[Path], wanted: Callable[[Path], bool] = lambda path: True) -> Iterator[Document]:
    """(name, text) of files, and of those below folders that look like documents, in order of their names."""
    for path in paths:
        if path.is_dir():
            found = sorted(one for one in path.rglob("*") if one.suffix in SUFFIXES and one.is_file() and wanted(one))
            if not found:
                raise CliError(f"there is no document below {path}: documents end in {', '.join(SUFFIXES)}", 2)
            for one in found:
                yield one.relative_to(path).as_posix(), _text(one)
        else:
            yield path.name, _text(path)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE:
            raise CliError(f"{path} has more than {MAX_FILE} bytes: split it", 2)
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CliError(f"{path} is not UTF-8: {error.reason} at byte {error.start}", 2) from error
    except OSError as error:
        raise CliError(f"{path} cannot be read: {error.strerror}", 2) from error


def pages_of(url: str, token: str | None, filters: list[str]) -> Iterator[Document]:
    """(name, text) of the entities of a running Backstage that any of `filters` finds, 500 a page."""
    cursor: str | None = None
    for number in range(1, MAX_PAGES + 1):
        first = {"orderField": "metadata.uid,asc", **({"filter": filters} if filters else {})}
        query = {"cursor": cursor} if cursor else first
        page = _get(url, {"limit": PAGE, **query}, token)
        items, info = page.get("items"), page.get("pageInfo")
        if not isinstance(items, list) or not isinstance(info, dict):
            raise CliError(f"{url} does not answer as Backstage's catalog does: name its backend's address", 2)
        if items:
            yield f"page-{number}.json", json.dumps(page)
        cursor = info.get("nextCursor")
        if not cursor:
            return
    raise CliError(f"{url} has more than {MAX_PAGES * PAGE} entities: import parts of it as files", 2)


def _get(url: str, query: dict[str, Any], token: str | None) -> dict[str, Any]:
    parts = urlsplit(url)
    base = parts.path.rstrip("/")
    base = base if base.endswith("/api/catalog") else base + "/api/catalog"
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    headers = {"Accept": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        connection.request("GET", f"{base}/entities/by-query?{urlencode(query, doseq=True)}", headers=headers)
        answer = connection.getresponse()
        text = answer.read(MAX_ANSWER + 1)
    except (OSError, HTTPException, ValueError) as error:
        raise CliError(f"{url} does not answer: {error}", 11) from error
    if answer.status in (401, 403):
        raise CliError(f"{url} refuses ({answer.status}): give a token with --token or BACKSTAGE_TOKEN", 3)
    if answer.status != 200:
        raise CliError(f"{url} answered {answer.status}: {text[:200].decode(errors='replace')}", 11)
    if len(text) > MAX_ANSWER:
        raise CliError(f"{url} answered with more than {MAX_ANSWER} bytes for {PAGE} entities", 2)
    try:
        found = json.loads(text)
    except ValueError as error:
        raise CliError(f"{url} answered with something that is no JSON: name its backend's address", 2) from error
    return found if isinstance(found, dict) else {}
