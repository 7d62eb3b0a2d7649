"""The folders of one data folder, the key of generations, and the stable ports of services."""

from __future__ import annotations

import hmac
import os
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from taxiway.model.errors import TaxiwayError
from taxiway.plugin import Identity, PluginContext, canonical_json, daemons
from taxiway.plugins.process import desired, files, owner, routes
from taxiway.plugins.process.bundle import Bundle, bundles
from taxiway.plugins.process.supervisor import PortInUseError, ProcessError, is_port_free, locked
from taxiway.plugins.process.switch import Site
from taxiway.plugins.process.workshop import Workshop

KEY_BYTES = 32


@dataclass(frozen=True)
class Places:
    """`private` is Taxiway's alone (manifests, instances, logs); below `shared` the workloads' user finds its files."""

    ctx: PluginContext
    private: Path
    shared: Path

    @classmethod
    def of(cls, ctx: PluginContext) -> Places:
        return cls(ctx, ctx.data_dir.resolve(), ctx.run_dir.resolve())

    @property
    def desired(self) -> Path:
        return self.private / "desired"

    @property
    def router(self) -> Path:
        return self.private / "router"

    @property
    def volumes(self) -> Path:
        return self.shared / "volumes"

    @property
    def halted(self) -> Path:
        """While this file is there nothing is started: written by `halt`, removed by the next start."""
        return self.private / "halted"

    @property
    def bell(self) -> Path:
        """A pipe that wakes who starts scheduled jobs: something changed, or a job ended."""
        return self.private / "jobs" / "bell"

    def jobs(self, slot: str) -> Path:
        """What is known of a CronJob and its runs."""
        return self.private / "jobs" / slot

    def job_files(self, slot: str) -> Path:
        """Where the runs of a CronJob find their working folders and files."""
        return self.shared / "jobs" / slot

    @property
    def identity(self) -> Identity:
        return self.ctx.identity("workloads")

    @property
    def workshop(self) -> Workshop:
        cache = self.ctx.cache_dir.resolve() / "uv"
        return Workshop(self.shared / "releases", cache, self.identity, self.ctx.settings.install_seconds)

    def site(self, secret: Callable[[str], str] | None = None) -> Site:
        """What the switch works on. `secret` replaces the reading of secrets one by one."""
        settings = self.ctx.settings
        return Site(
            self.private / "workloads",
            self.router,
            (settings.first_port, settings.last_port),
            settings.ready_seconds,
            settings.drain_seconds,
            secret or self.secret,
        )

    def secret(self, reference: str) -> str:
        """The value; ProcessError says what is wrong with the reference."""
        try:
            return self.ctx.secrets.get(reference)
        except TaxiwayError as error:
            raise ProcessError(error.detail) from error

    def status(self, slot: str) -> Path:
        return self.private / "status" / f"{slot}.json"

    def written(self, slot: str) -> Path:
        """Files of ConfigMaps."""
        return self.shared / "files" / slot

    def home(self, slot: str) -> Path:
        return self.shared / "homes" / slot

    def make_home(self, slot: str) -> Path:
        """The working folder of a workload, which is the only one that it can write to beside its volumes."""
        return self.make_folder(self.home(slot))

    def make_folder(self, home: Path) -> Path:
        """A folder of the workloads' user at `home`; whole or not at all."""
        home.parent.mkdir(parents=True, exist_ok=True)
        for one in (home.parent, *home.parent.parents):
            if one == self.shared:
                break
            one.chmod(0o711)
        if not home.exists():
            fresh = home.with_name(f".new-{home.name}")
            shutil.rmtree(fresh, ignore_errors=True)
            (fresh / "tmp").mkdir(parents=True)
            for one in (fresh, fresh / "tmp"):
                one.chmod(0o700)
                daemons.give(one, self.identity)
            fresh.rename(home)
        return home

    def bundles(self, environment: str | None = None, kind: str = "Deployment") -> dict[str, Bundle]:
        """What should run, by slot."""
        found: dict[str, Bundle] = {}
        for name in desired.environments(self.desired) if environment is None else (environment,):
            found |= bundles(name, desired.objects(self.desired, name), kind)
        return found

    def bundle(self, slot: str, kind: str = "Deployment") -> Bundle | None:
        """What should run in the slot; None: nothing."""
        return self.bundles(slot.rpartition(".")[2], kind).get(slot)

    @cached_property
    def key(self) -> bytes:
        """The key that names of generations are made with: without it no secret can be guessed from a name."""
        path = self.private / "generation.key"
        with locked(self.private / "generation.lock"):
            if not path.exists():
                temporary = path.with_suffix(".new")
                with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                    out.write(secrets.token_bytes(KEY_BYTES))
                    out.flush()
                    os.fsync(out.fileno())
                temporary.rename(path)
            return path.read_bytes()

    def generation(self, bundle: Bundle, values: Mapping[str, str]) -> str:
        """Names what runs: the pod template, its files and the values of its secrets. Routes do not matter."""
        text = canonical_json([bundle.template, [one.get("data") for one in bundle.config_maps], dict(values)])
        binary = canonical_json([one.get("binaryData") for one in bundle.config_maps])
        return hmac.new(self.key, (text + binary).encode(), "sha256").hexdigest()[:20]

    def service_ports(self, environment: str, names: Sequence[str]) -> dict[str, int]:
        """A port for each Service that stays its own until it is dropped."""
        path = str(self.private / "service-ports.json")
        with locked(self.private / "service-ports.lock"):
            known: dict[str, int] = files.read_json(path) or {}
            before = dict(known)
            for name in names:
                entry = f"{environment}/{name}"
                if entry not in known:
                    known[entry] = self._free_port(set(known.values()))
            if known != before:
                files.write_json(path, known)
        return {name: known[f"{environment}/{name}"] for name in names}

    def drop_service_port(self, environment: str, name: str) -> None:
        path = str(self.private / "service-ports.json")
        with locked(self.private / "service-ports.lock"):
            known: dict[str, int] = files.read_json(path) or {}
            if known.pop(f"{environment}/{name}", None) is not None:
                files.write_json(path, known)

    def _free_port(self, taken: set[int]) -> int:
        first, last = int(self.ctx.settings.first_service_port), int(self.ctx.settings.last_service_port)
        start = secrets.randbelow(last - first + 1)
        for step in range(last - first + 1):
            port = first + (start + step) % (last - first + 1)
            if port not in taken and is_port_free(port):
                return port
        raise PortInUseError(f"no free port between {first} and {last}; widen the range of service ports")

    def has_stranger(self, port: int) -> bool:
        """Whether another program than the router has the port of a service: it would get what is meant for it."""
        sockets, router = owner.listeners(port), routes.router_state(self.router)
        return bool(sockets) and (router is None or not owner.holds(int(router["pid"]), sockets))

    def url(self, host: str, path: str = "/") -> str | None:
        """Where the router answers for a host; None while it does not run."""
        state = routes.router_state(self.router)
        return None if state is None else f"http://{host}:{state['port']}{'' if path == '/' else path}"

    def fixed(self, values: Mapping[str, str]) -> Site:
        """A site whose secrets are these values first: what a generation was named after is what it gets."""
        return replace(self.site(), secret=lambda one: values[one] if one in values else self.secret(one))


def read_status(places: Places, slot: str) -> dict[str, Any]:
    """How the last attempt ended: {digest, generation, state, message, log}; empty when there was none."""
    value = files.read_json(str(places.status(slot)))
    return value if isinstance(value, dict) else {}
