"""Merges a pull request and dies by SIGKILL: `dying.py DATA NAME before|moved|recorded`. Run by `test_crash`."""

from __future__ import annotations

import os
import signal
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, NoReturn

from taxiway.api.platform import build_platform
from taxiway.core.settings import load_settings
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.pulls import service
from taxiway.features.pulls.contrib import FEATURE as PULLS
from taxiway.features.pulls.service.hosts import pull_host
from taxiway.features.pulls.service.merging import MergeOptions
from taxiway.model.errors import UnavailableError

PLUGINS = [EntryPoint("git_local", "taxiway.plugins.git_local:PLUGIN", "taxiway.plugins")]


def platform_on(data: Path) -> Any:
    """A platform on a data folder, without a server."""
    loaded = load_settings({}, {"data": data, "port": 0})
    return build_platform(loaded, features=[ACCESS, PULLS], plugins=PLUGINS)


def die(*_: Any, **__: Any) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("not reached")


def main(data: str, name: str, where: str) -> None:
    platform = platform_on(Path(data))
    host: Any = pull_host(platform)
    merge = host.merge
    if where == "before":
        host.merge = die
    elif where == "moved":
        host.merge = lambda request: die(merge(request))
    else:
        host.delete_branch = die
    ctx = platform.system("test")
    service.merge_pull(ctx, name, 1, MergeOptions(method="squash", delete_branch=True))
    raise UnavailableError("it was to die")


if __name__ == "__main__":
    main(*sys.argv[1:])
