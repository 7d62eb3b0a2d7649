"""Everything that must be there before a workload starts: release, folders, mounts, the values of its secrets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from taxiway.plugins.process import pod, release
from taxiway.plugins.process.bundle import Bundle, problem
from taxiway.plugins.process.mounts import mounts_of
from taxiway.plugins.process.place import Places
from taxiway.plugins.process.spec import Workload
from taxiway.plugins.process.supervisor import ProcessError


@dataclass(frozen=True)
class Prepared:
    """A workload that can be started, what names it, and the values of its secrets by reference."""

    workload: Workload
    generation: str
    values: dict[str, str]


def prepare(
    places: Places, bundle: Bundle, home: Path, written: Path, cancelled: Callable[[], bool] = lambda: False
) -> Prepared:
    """Make it ready to run in `home`; files of ConfigMaps go below `written`. Errors say what to do."""
    refused = problem(bundle)
    if refused:
        raise ProcessError(refused)
    ctx, identity = places.ctx, places.identity
    release.reachable(home, identity)
    ready = release.prepare(places.workshop, bundle.artifact, ctx.artifacts.path(bundle.artifact), cancelled)
    mounts = mounts_of(bundle, places.volumes, written, identity)
    place = pod.Place(home, ready.programs, ready.default_command, mounts, identity, int(ctx.settings.log_bytes))
    workload = pod.workload(bundle, place)
    values = {one.secret: places.secret(one.secret) for one in workload.variables if one.secret}
    return Prepared(workload, places.generation(bundle, values), values)
