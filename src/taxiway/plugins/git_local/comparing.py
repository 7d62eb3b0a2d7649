"""What lies between two commits of a bare repository: commits, changed files, patches, and whether they merge.

Called by `pulls`. Reads only: a trial merge writes its objects into a folder of its own, which goes with it. Output of
git is read up to a limit, and a path is never interpreted as a pattern or an option.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from taxiway.model.errors import TooLargeError
from taxiway.model.pulls import ChangedFile, ChangedFiles, CommitInfo, Comparison, FileStatus, MergeTrial
from taxiway.plugin import MICROSECONDS
from taxiway.plugins.git_local.command import ask_git

LIST_BYTES = 8 * 1024 * 1024
PATCH_BYTES = 64 * 1024
PAGE_BYTES = 4 * 1024 * 1024
RENAMES = ("-M", "-l400", "--no-color", "--no-ext-diff", "--no-textconv")
QUIET = ("--literal-pathspecs", "-c", "core.bigFileThreshold=2m", "-c", "core.quotePath=false")
STATUS: dict[str, FileStatus] = {
    "A": "added",
    "M": "modified",
    "D": "removed",
    "R": "renamed",
    "C": "copied",
    "T": "type_changed",
}


def merge_base(path: Path, base: str, head: str) -> str | None:
    """The best common ancestor; None when the two have no common history."""
    found = ask_git(["merge-base", base, head], path, ok=(0, 1))
    return found.output.decode().strip() or None


def is_ancestor(path: Path, ancestor: str, commit: str) -> bool:
    """Whether `commit` contains `ancestor`. Both must be there."""
    return ask_git(["merge-base", "--is-ancestor", ancestor, commit], path, ok=(0, 1)).code == 0


def compare(path: Path, base: str, head: str, limit: int) -> Comparison:
    """Both commits side by side, with up to `limit` commits that only `head` has."""
    counts = ask_git(["rev-list", "--left-right", "--count", f"{base}...{head}"], path).output.split()
    commits = list(commits_between(path, base, head, limit)) if limit else []
    return Comparison(base, head, merge_base(path, base, head), int(counts[1]), int(counts[0]), commits)


def commits_between(path: Path, base: str, head: str, limit: int) -> Iterator[CommitInfo]:
    """Commits that `head` has and `base` has not, newest first."""
    form = "--format=%H%x00%P%x00%an%x00%ct%x00%B%x01"
    options = ["log", f"--max-count={limit}", "--topo-order", form, "--no-show-signature", f"{base}..{head}", "--"]
    for entry in ask_git(options, path, limit=LIST_BYTES).output.decode(errors="replace").split("\x01\n"):
        parts = entry.split("\x00", 4)
        if len(parts) == 5:
            sha, parents, author, at, message = parts
            message = message.removesuffix("\x01").strip()
            yield CommitInfo(sha, message, author, int(at) * MICROSECONDS, tuple(parents.split()))


@dataclass(frozen=True)
class Raw:
    """One record of `git diff --raw`."""

    status: FileStatus
    path: str
    previous: str | None = None

    @property
    def paths(self) -> list[str]:
        return [self.path] if self.previous is None else [self.previous, self.path]


def changed_files(path: Path, old: str, new: str, after: int, limit: int, with_patch: bool) -> ChangedFiles:
    """Files that differ between two commits, from number `after` on. TooLargeError when even their list is."""
    listing = ask_git([*QUIET, "diff", *RENAMES, "--raw", "--numstat", "-z", old, new], path, limit=LIST_BYTES)
    if listing.is_cut:
        raise TooLargeError(
            f"it touches so many files that their list is longer than {LIST_BYTES} bytes: look at it in a clone",
            code="pulls.too_many_files",
        )
    records, counts = _listing(listing.output)
    files = [_file(record, *counts[record.path]) for record in records]
    page = files[after : after + limit]
    if with_patch and page:
        page = _with_patches(path, old, new, records[after : after + limit], page)
    return ChangedFiles(
        tuple(page), len(files), sum(f.additions or 0 for f in files), sum(f.deletions or 0 for f in files)
    )


def diff_text(path: Path, old: str, new: str, limit: int) -> tuple[str, bool]:
    """The whole diff as `git diff` prints it, up to `limit` bytes, and whether it was cut there."""
    found = ask_git([*QUIET, "diff", *RENAMES, "--patch", "--stat", old, new], path, limit=limit)
    text = found.output.decode(errors="replace")
    return (text[: text.rfind("\n") + 1] if found.is_cut else text), found.is_cut


def try_merge(path: Path, base: str, head: str) -> MergeTrial:
    """Merge `head` into `base` where nobody sees it."""
    with tempfile.TemporaryDirectory(prefix="merge-", dir=path) as objects:
        extra = {"GIT_OBJECT_DIRECTORY": objects, "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(path / "objects")}
        tree, conflicts = merge_trees(path, base, head, extra)
    return MergeTrial(tree is not None, conflicts)


def merge_trees(
    path: Path, ours: str, theirs: str, extra: dict[str, str] | None = None
) -> tuple[str | None, tuple[str, ...]]:
    """The tree that merging `theirs` into `ours` makes, or None and the paths that conflict."""
    options = ["merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours, theirs]
    answer = ask_git(options, path, ok=(0, 1), extra=extra)
    tree, *names = answer.output.decode(errors="replace").rstrip("\x00").split("\x00")
    if answer.code == 0:
        return tree.strip(), ()
    return None, tuple(sorted({name for name in names if name}))[:1000]


def _listing(output: bytes) -> tuple[list[Raw], dict[str, tuple[int | None, int | None]]]:
    words = iter(output.decode(errors="surrogateescape").split("\x00"))
    records: list[Raw] = []
    counts: dict[str, tuple[int | None, int | None]] = {}
    for word in words:
        if word.startswith(":"):
            letter = word.rsplit(" ", 1)[-1][:1]
            first = next(words)
            record = Raw(STATUS.get(letter, "modified"), first)
            if letter in "RC":
                record = Raw(STATUS[letter], next(words), first)
            records.append(record)
        elif word:
            added, removed, name = word.split("\t", 2)
            if not name:  # a rename: both names follow
                next(words)
                name = next(words)
            counts[name] = (int(added), int(removed)) if added != "-" else (None, None)
    return records, counts


def _file(record: Raw, added: int | None, removed: int | None) -> ChangedFile:
    return ChangedFile(
        _shown(record.path),
        record.status,
        None if record.previous is None else _shown(record.previous),
        added,
        removed,
        is_binary=added is None,
    )


def _shown(path: str) -> str:
    """A path as text that every encoder takes."""
    return path.encode(errors="surrogateescape").decode(errors="replace")


def _with_patches(path: Path, old: str, new: str, records: Sequence[Raw], page: list[ChangedFile]) -> list[ChangedFile]:
    """`page` with patches. Git sees only the files of the page, so it says again which ones it shows, in order."""
    names = [name for record in records for name in record.paths]
    options = [*QUIET, "diff", *RENAMES, "--raw", "--patch", "-z", old, new, "--", *names]
    answer = ask_git(options, path, limit=PAGE_BYTES)
    head, _, body = answer.output.partition(b"\x00\x00")
    shown, _ = _listing(head + b"\x00")
    parts = _parts(body)
    if answer.is_cut and parts:
        parts.pop()
    found = {record.path: part for record, part in zip(shown, parts, strict=False)}
    return [_patched(file, found.get(record.path)) for record, file in zip(records, page, strict=True)]


def _parts(body: bytes) -> list[bytes]:
    """A diff in its files. Inside a file every line begins with one of ` +-@\\` or a word of the header."""
    starts = [0] if body.startswith(b"diff --git ") else []
    at = body.find(b"\ndiff --git ")
    while at >= 0:
        starts.append(at + 1)
        at = body.find(b"\ndiff --git ", at + 1)
    return [body[start:end] for start, end in zip(starts, [*starts[1:], len(body)], strict=True)]


def _patched(file: ChangedFile, part: bytes | None) -> ChangedFile:
    if file.is_binary:
        return file
    if part is None:
        return replace(file, is_cut=True)
    at = part.find(b"\n@@ ")
    hunks = b"" if at < 0 else part[at + 1 :]
    if len(hunks) > PATCH_BYTES:
        cut = hunks[:PATCH_BYTES]
        return replace(file, patch=cut[: cut.rfind(b"\n") + 1].decode(errors="replace"), is_cut=True)
    return replace(file, patch=hunks.decode(errors="replace"))
