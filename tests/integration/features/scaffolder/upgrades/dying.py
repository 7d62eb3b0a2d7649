"""A worker that dies by SIGKILL around opening a pull request: `dying.py DATA FILE_ROOT MOMENT`, started by a test."""

from __future__ import annotations

import os
import signal
import sys
import threading
from importlib.metadata import EntryPoint
from typing import Any

from taxiway.api.platform import build_platform
from taxiway.core.settings import load_settings
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.pulls.contrib import FEATURE as PULLS
from taxiway.features.scaffolder import upgrade_run
from taxiway.features.scaffolder.contrib import FEATURE as SCAFFOLDER
from taxiway.worker.main import Worker


def main(data: str, root: str, moment: str) -> None:
    opened = upgrade_run.pulls.open_pull

    def dying(ctx: Any, new: Any) -> Any:
        if moment == "pull":
            opened(ctx, new)
        os.kill(os.getpid(), signal.SIGKILL)

    upgrade_run.pulls.open_pull = dying
    names = ("git_local", "secrets_local")
    plugins = [EntryPoint(name, f"taxiway.plugins.{name}:PLUGIN", "taxiway.plugins") for name in names]
    settings = load_settings({}, {"data": data, "port": 0, "catalog": {"file_roots": [root]}})
    platform = build_platform(settings, features=[ACCESS, PULLS, CATALOG, SCAFFOLDER], plugins=plugins)
    Worker(platform, []).start()
    threading.Event().wait(60)


if __name__ == "__main__":
    main(*sys.argv[1:])
