"""How much a commit comes to, before it is listed or written out. Called by `forge`.

A few folders that hold one another, or one large file under many names, stand for any number of files and bytes.
"""

from __future__ import annotations

from pathlib import Path

from taxiway.model.errors import TooLargeError
from taxiway.plugins.git_local.command import ask_git

MOST_FILES, MOST_ENTRIES, MOST_BYTES = 100_000, 200_000, 4_000_000_000
"""Entries are files and folders: those without a file come to nothing, and take for ever to walk."""
LISTED_BYTES = 32 * 1024 * 1024


def is_within(repository: Path, sha: str) -> bool:
    """Whether the files of a commit are no more than may be written out. Git is ended where its list is too long."""
    listed = ask_git(["ls-tree", "-r", "-t", "-l", "-z", sha], repository, limit=LISTED_BYTES)
    if listed.is_cut:
        return False
    # mode, type, id and size in front of the path; a folder and a submodule have no size
    entries = [line.partition(b"\t")[0].split() for line in listed.output.split(b"\0")[:-1]]
    files = [size for _, kind, _, size in entries if kind != b"tree"]
    size = sum(int(size) for size in files if size != b"-")
    return len(entries) <= MOST_ENTRIES and len(files) <= MOST_FILES and size <= MOST_BYTES


def too_much(name: str) -> TooLargeError:
    """What to say of a commit that is not."""
    return TooLargeError(
        f"{name} has more than {MOST_FILES} files, {MOST_ENTRIES} with its folders, or {MOST_BYTES} bytes, in one "
        "commit: split the repository",
        code="repositories.too_large",
    )
