"""The files of a repository as a forge's API lists them; contents are fetched one by one when they are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from posixpath import normpath
from urllib.parse import quote, urlsplit

from taxiway.kit.globs import matches
from taxiway.model.errors import InputError, NotFoundError, TooLargeError
from taxiway.plugin.outgoing.answer import shown
from taxiway.plugin.points.sourcing import MAX_SOURCE_FILE

MAX_MATCHES = 5000


@dataclass(frozen=True)
class Entry:
    """A file in a listing: its id (a hash of its content), and its size in bytes where the listing says it."""

    id: str
    size: int | None = None


@dataclass
class ListedTree:
    """A tree at one commit. `entries` are its files by path; None: they are not known, and each path is asked for.

    `fetch(path, entry, limit)` gets a content; `place(path)` is the URL of a file as people see it. `touched` notes the
    files that were read, with their ids: as long as these stay, what was read stays."""

    state: str
    entries: Mapping[str, Entry] | None
    fetch: Callable[[str, Entry | None, int], bytes]
    place: Callable[[str], str]
    touched: dict[str, str] = field(default_factory=dict)

    def read(self, path: str) -> bytes:
        path = inside(path)
        entry = None
        if self.entries is not None:
            entry = self.entries.get(path)
            self.touched[path] = entry.id if entry else ""
            if entry is None:
                raise NotFoundError(f"there is no file {self.place(path)}", code="catalog.no_file")
            if entry.size is not None and entry.size > MAX_SOURCE_FILE:
                raise _too_large(self.place(path))
        try:
            return self.fetch(path, entry, MAX_SOURCE_FILE)
        except TooLargeError as error:
            raise _too_large(self.place(path)) from error
        except NotFoundError as error:
            raise NotFoundError(f"there is no file {self.place(path)}", code="catalog.no_file") from error

    def match(self, pattern: str) -> Sequence[str]:
        pattern = inside(pattern)
        if self.entries is None:
            return [] if is_pattern(pattern) else [pattern]
        if pattern in self.entries:
            return [pattern]  # a name with brackets in it
        found = [path for path in sorted(self.entries) if matches(path, pattern)]
        if len(found) > MAX_MATCHES:
            # Some of them would not do: what is in the others would be removed.
            raise TooLargeError(
                f"'{pattern}' matches more than {MAX_MATCHES} files: narrow it", code="catalog.too_many_files"
            )
        return found

    def location(self, path: str) -> str:
        return "url:" + self.place(inside(path) if path else "")


def tree_at(
    path: str,
    listing: Callable[[], Mapping[str, Entry] | None],
    fetch: Callable[[str, Entry | None, int], bytes],
    base: str,
) -> tuple[ListedTree, str]:
    """What a `url_reader` opens for a file or pattern; `base` is the URL of the folder that `path` starts from. Files
    are listed only for a pattern. TooLargeError when there are too many for that."""
    entries = listing() if is_pattern(path) else None
    if entries is None and is_pattern(path):
        raise TooLargeError(
            f"{base} has too many files to be listed: name each file, without wildcards", code="forge.too_many_files"
        )
    return ListedTree("", entries, fetch, lambda at: base + quote(at)), path


def inside(path: str) -> str:
    """`path` normalised. InputError when it leads out of its tree."""
    clean = normpath(path.lstrip("/"))
    if clean == ".." or clean.startswith("../") or "\0" in clean:
        raise InputError(f"'{path}' leads out of its repository: name a file in it", code="catalog.outside")
    return clean


def parsed(pattern: re.Pattern[str], url: str, forge: str, form: str) -> re.Match[str]:
    """What a URL on a forge names, by the pattern of paths there. InputError that tells the `form` of one, as
    `<owner>/<repository>/…`, and nothing that may be secret in the URL."""
    parts = urlsplit(url)
    match = pattern.fullmatch(parts.path)
    if match is None:
        raise InputError(
            f"{shown(url)} names nothing on {forge}: write https://{parts.netloc}/{form}", code="forge.url"
        )
    return match


def is_pattern(path: str) -> bool:
    """Whether a path holds wildcards."""
    return any(sign in path for sign in "*?[")


def _too_large(place: str) -> TooLargeError:
    return TooLargeError(f"{place} is larger than {MAX_SOURCE_FILE} bytes: split it", code="catalog.too_large")
