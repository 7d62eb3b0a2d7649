"""Copies the artifacts of a run to a folder of Taxiway's. Called by the engine when no process of the run is left.

The folder was writable for repository code: nothing in it is trusted. Links and special files are refused, sizes are
bounded, and what is opened is what was looked at, for other runs of the same user may still be at work.
"""

import os
import shutil
import stat
from pathlib import Path

from taxiway.plugin.confined import User

from .sandbox import Layout, RunnerError

MAX_FILES = 20_000


def collect(layout: Layout, target: Path, user: User | None, max_bytes: int = 1024**3) -> dict[str, Path]:
    """The artifacts of a run by name, copied to `target`/<name>. Raises RunnerError with the reason."""
    if user is not None:
        os.chown(layout.artifacts, 0, 0)  # mode 0700: from here on the run's user does not get in
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(mode=0o700, parents=True)
    total = count = 0
    for folder, folders, files, handle in os.fwalk(layout.artifacts):
        here = Path(folder).relative_to(layout.artifacts)
        if here == Path():
            folders[:] = [name for name in folders if not name.startswith(".")]  # an upload that did not end
            files.clear()
        for name in (*folders, *files):
            count += 1
            facts = os.stat(name, dir_fd=handle, follow_symlinks=False)
            if stat.S_ISDIR(facts.st_mode):
                (target / here / name).mkdir(mode=0o755)
            else:
                total += _copy(name, handle, target / here / name, user, max_bytes - total)
            if count > MAX_FILES:
                raise RunnerError(f"The run's artifacts have more than {MAX_FILES} files. Upload less.")
    return {path.name: path for path in sorted(target.iterdir())}


def _copy(name: str, handle: int, target: Path, user: User | None, most: int) -> int:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=handle)
    except OSError:
        raise _not_plain(target) from None
    with os.fdopen(descriptor, "rb") as source:
        facts = os.fstat(descriptor)
        # A hard link to a file of somebody else is no file that the run made
        if not stat.S_ISREG(facts.st_mode) or (user is not None and facts.st_uid != user.uid):
            raise _not_plain(target)
        if facts.st_size > most:
            raise RunnerError("The run's artifacts are larger than the limit, plugins.act.artifact_bytes. Upload less.")
        size = 0
        with target.open("xb") as copy:
            while size < facts.st_size and (chunk := source.read(min(1024 * 1024, facts.st_size - size))):
                size += copy.write(chunk)
        target.chmod(0o755 if facts.st_mode & stat.S_IXUSR else 0o644)
    return size


def _not_plain(path: Path) -> RunnerError:
    return RunnerError(f"An artifact holds '{path.name}', which is not a plain file of the run. Upload files.")
