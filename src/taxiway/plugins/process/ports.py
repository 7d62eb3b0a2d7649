"""Stable ports of 127.0.0.1 by which workloads of an environment reach each other's Services, through the router."""

from __future__ import annotations

from pathlib import Path

from taxiway.plugins.process import files
from taxiway.plugins.process.bundle import Bundle
from taxiway.plugins.process.settings import ProcessSettings
from taxiway.plugins.process.supervisor import PortInUseError, is_port_free, locked

NAME = "service-ports.json"


def service_ports(run: Path, bundle: Bundle, settings: ProcessSettings) -> dict[str, int]:
    """Port by Service name of the bundle; given once and kept until the slot is removed."""
    names = [str(one["metadata"]["name"]) for one in bundle.services]
    with locked(run / "service-ports.lock"):
        table = _read(run)
        for name in names:
            key = f"{bundle.slot}/{name}"
            if key not in table:
                table[key] = _free(set(table.values()), settings)
        if table != _read(run):
            files.write_json(str(run / NAME), table, 0o600)
    return {name: table[f"{bundle.slot}/{name}"] for name in names}


def known_port(run: Path, slot: str, name: str) -> int | None:
    """The port of a Service that has one."""
    return _read(run).get(f"{slot}/{name}")


def release(run: Path, slot: str) -> None:
    """Give back every port of a slot."""
    with locked(run / "service-ports.lock"):
        table = _read(run)
        kept = {key: port for key, port in table.items() if not key.startswith(f"{slot}/")}
        if kept != table:
            files.write_json(str(run / NAME), kept, 0o600)


def _read(run: Path) -> dict[str, int]:
    value = files.read_json(str(run / NAME))
    return dict(value) if isinstance(value, dict) else {}


def _free(taken: set[int], settings: ProcessSettings) -> int:
    for port in range(settings.first_service_port, settings.last_service_port + 1):
        if port not in taken and is_port_free(port):
            return port
    raise PortInUseError("no free port is left for services: widen first_service_port to last_service_port")
