"""Resource driver `volume_local`: a folder of this host per volume, owned by the workloads' user."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from taxiway.model.errors import InputError
from taxiway.model.workload import ResourceRequest, ResourceResult
from taxiway.plugin import PluginContext, StepContext


class VolumeDriver:
    """Outputs `source`, a Kubernetes volume source."""

    key = "volume_local"

    def __init__(self, ctx: PluginContext) -> None:
        self._ctx = ctx

    def provision(self, ctx: StepContext, request: ResourceRequest) -> ResourceResult:
        folder = self._folder(request.uid)
        ctx.created("volume", request.uid, {})
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        identity = self._ctx.identity("workloads")
        if identity.uid is not None:
            os.chown(folder, identity.uid, identity.gid if identity.gid is not None else identity.uid)
        inventory = [{"kind": "volume", "name": request.uid}]
        return ResourceResult(outputs={"source": {"hostPath": {"path": str(folder)}}}, inventory=inventory)

    def destroy(self, ctx: StepContext, inventory: Sequence[Mapping[str, Any]]) -> None:
        for item in inventory:
            if item.get("kind") == "volume":
                shutil.rmtree(self._folder(str(item["name"])), ignore_errors=True)

    def _folder(self, uid: str) -> Path:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}", uid):
            raise InputError(f"'{uid}' cannot name a volume")
        return self._ctx.run_dir / "volumes" / uid
