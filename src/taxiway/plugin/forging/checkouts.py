"""The files of a repository at a commit, read over git: what a golden path fetches by a URL, or is kept in.

The readers of forges (`url_reader`) make one for a URL. Only the files that are asked for are transferred, where the
forge can do that; symbolic links are refused, submodules left out as an archive leaves them out.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit

from taxiway.model.errors import InputError, NotFoundError, TooLargeError
from taxiway.plugin.forging.packs import too_large
from taxiway.plugin.forging.smart_http import GitRemote
from taxiway.plugin.forging.trees import inside

MOST_FILES, MOST_BYTES, MOST_ENTRIES = 5_000, 64 * 1024 * 1024, 20_000
LONGEST_NAME, LONGEST_PATH = 255, 1_000
NO_NAMES = frozenset({b"", b".", b"..", b".git"})
SUBMODULE = 0o160000
COMMIT = re.compile(r"[0-9a-f]{40}")
HEADS, TAGS = "refs/heads/", "refs/tags/"
WANTING = frozenset({"allow-reachable-sha1-in-want", "allow-any-sha1-in-want"})


@dataclass(frozen=True)
class GitCheckout:
    """Implements `Checkout`: `path` of a repository at `commit`; `able` is what its server is able to."""

    remote: GitRemote
    commit: str
    path: str
    able: frozenset[str]

    def is_file(self) -> bool:
        if self.path == ".":
            return False
        mode, _ = self._entry(self.path)
        return stat.S_ISREG(mode)

    def files(self, folder: str) -> Iterator[tuple[str, bytes, bool]]:
        found = list(self._below(folder))
        blobs = self._blobs([sha for _, _, sha in found])
        size = 0
        for path, mode, sha in found:
            content: bytes = self._object(blobs, sha, b"blob").data
            size += len(content)
            if size > MOST_BYTES:
                raise too_large(self.remote.shown, MOST_BYTES)
            yield path, content, bool(mode & 0o111)

    def _below(self, folder: str) -> Iterator[tuple[str, int, bytes]]:
        """(path below `folder`, mode, id) of every file there, in order; of the file itself, by its name, where it is
        one."""
        folder = inside(folder)
        if folder == ".":
            pending = [("", self._root)]
        else:
            mode, sha = self._entry(folder)
            if not stat.S_ISDIR(mode):
                yield self._plain(folder.rpartition("/")[2], mode), mode, sha
                return
            pending = [("", sha)]
        files = entries = 0
        while pending:
            prefix, sha = pending.pop()
            below = []
            for entry in self._tree(sha).iteritems():
                path, mode = self._below_name(prefix, entry.path), entry.mode
                is_folder, is_file = stat.S_ISDIR(mode), stat.S_IFMT(mode) not in (stat.S_IFDIR, SUBMODULE)
                files, entries = files + is_file, entries + 1
                # A few folders that hold one another several times stand for any number.
                if files > MOST_FILES or entries > MOST_ENTRIES:
                    raise TooLargeError(
                        f"'{folder}' of {self.remote.shown} has more than {MOST_FILES} files, or {MOST_ENTRIES} with "
                        "its folders: name a smaller folder",
                        code="forge.too_large",
                    )
                if is_folder:
                    below.append((f"{path}/", entry.sha))
                elif is_file:
                    yield self._plain(path, mode), mode, entry.sha
            pending += reversed(below)

    def _below_name(self, prefix: str, name: bytes) -> str:
        """The path of an entry. Who writes trees by hand may call one anything, as git itself never would."""
        path = prefix + name.decode(errors="surrogateescape")
        if b"/" in name or name.lower() in NO_NAMES or len(name) > LONGEST_NAME or len(path) > LONGEST_PATH:
            told = path[:200].encode(errors="replace").decode()
            raise InputError(
                f"'{told}' of {self.remote.shown} cannot be the path of a file here: rename it", code="forge.bad_path"
            )
        return path

    def _plain(self, path: str, mode: int) -> str:
        if not stat.S_ISREG(mode):
            raise InputError(
                f"'{path}' of {self.remote.shown} is a link: golden paths read plain files only", code="forge.link"
            )
        return path

    def _entry(self, path: str) -> tuple[int, bytes]:
        """(mode, id) of what is at a path. NotFoundError."""
        mode, sha = stat.S_IFDIR, self._root
        for part in inside(path).split("/"):
            try:
                mode, sha = self._tree(sha)[part.encode(errors="surrogateescape")] if stat.S_ISDIR(mode) else (0, b"")
            except KeyError:
                mode = 0
            if not mode:
                raise NotFoundError(
                    f"{self.remote.shown} has no '{path}' at {self.commit[:12]}: correct the URL", code="forge.no_path"
                )
        return mode, sha

    def _blobs(self, ids: list[bytes]) -> Mapping[bytes, Any]:
        missing = sorted({sha for sha in ids if sha not in self._trees})
        if not missing:
            store: Mapping[bytes, Any] = self._trees
        elif self.able & WANTING:
            found = self.remote.objects([sha.decode() for sha in missing])
            store = {sha: place[sha] for sha in ids for place in (found, self._trees) if sha in place}
        else:
            store = self.remote.fetch(self.commit, whole=True)
        return store

    @cached_property
    def _trees(self) -> Any:
        return self.remote.fetch(self.commit)

    @property
    def _root(self) -> bytes:
        tree: bytes = self._object(self._trees, self.commit.encode(), b"commit").tree
        return tree

    def _tree(self, sha: bytes) -> Any:
        return self._object(self._trees, sha, b"tree")

    def _object(self, store: Mapping[bytes, Any], sha: bytes, kind: bytes) -> Any:
        """An object of the forge. NotFoundError when it sent none of that kind: tags may name single files, too."""
        try:
            found = store[sha]  # a copy, each time
        except KeyError:
            found = None
        if found is None or found.type_name != kind:
            raise NotFoundError(
                f"{self.remote.shown} has no {kind.decode()} {sha.decode(errors='replace')[:12]}: correct the URL",
                code="forge.no_object",
            )
        return found


def checkout(remote: GitRemote, named: str, path: str | None = None) -> GitCheckout:
    """The checkout of what a URL names: a branch, tag or commit `named`, empty for the default branch. Without a `path`
    that is the rest of `named`, whose branch may hold slashes itself. NotFoundError."""
    if not {".", ".."}.isdisjoint(unquote(urlsplit(remote.url).path).split("/")):
        raise InputError("a name with '.' or '..' alone is no part of an address here", code="forge.dots")
    refs, able, remote = remote.refs()
    words = named.strip("/").split("/") if named.strip("/") else ["HEAD"]
    for count in range(len(words), 0, -1) if path is None else [len(words)]:
        commit = _commit_of(refs, "/".join(words[:count]))
        if commit is not None:
            rest = "/".join(words[count:]) if path is None else path
            return GitCheckout(remote, commit, inside(rest) if rest.strip("/") else ".", able)
    raise NotFoundError(
        f"{remote.shown} has no branch, tag or commit '{words[0] if path is None else named}': correct the URL",
        code="forge.no_ref",
    )


def _commit_of(refs: Mapping[str, str], name: str) -> str | None:
    if name == "HEAD":
        return refs.get(name)
    known = (f"{HEADS}{name}", f"{TAGS}{name}^{{}}", f"{TAGS}{name}")
    return next((refs[one] for one in known if one in refs), name if COMMIT.fullmatch(name) else None)
