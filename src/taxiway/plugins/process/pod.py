"""Makes a `Workload` and its addresses out of a bundle: variables, ports, probes, mounts, limits of Kubernetes. Pure.

A process has no network and no file system of its own. So the allocated port stands in PORT, and where a variable or an
argument names a mount path it gets the real path instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taxiway.model.errors import InputError
from taxiway.plugin import Identity
from taxiway.plugins.process.bundle import OWN_HOST, Bundle
from taxiway.plugins.process.spec import Port, ProbeTiming, Variable, Workload
from taxiway.plugins.process.switch import Address

UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(k|M|G|Ki|Mi|Gi)?")
DATA_BYTES = 4 * 2**30
DATA_FACTOR = 4
"""Address space of threads and allocators counts as data, used or not: the bound is generous, against runaways only."""
PROCESSES = 4096
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - recognised, not bound to
GRACE_SECONDS = 10.0
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """Where the process lives: its folder, the release's programs, and the real paths of its mounts."""

    home: Path
    programs: Path
    default_command: tuple[str, ...]
    mounts: Mapping[str, str]
    identity: Identity
    log_bytes: int


def workload(bundle: Bundle, place: Place) -> Workload:
    """The process to run. InputError says what the manifests must change."""
    container = bundle.container
    ports = _ports(container)
    variables = _variables(bundle, ports, place)
    own = {one.name for one in variables}
    command = [*(container.get("command") or place.default_command), *(container.get("args") or ())]
    if not command:
        raise InputError("the release has not exactly one program: say which one in 'command' in score.yaml")
    grace = bundle.pod.get("terminationGracePeriodSeconds")
    return Workload(
        argv=tuple(_moved(str(text), place.mounts) for text in command),
        cwd=str(place.home),
        env=_base(place),
        variables=tuple(variables),
        uid=place.identity.uid,
        gid=place.identity.gid,
        limits=_limits(container, place.identity),
        ports=tuple(Port(one.name, one.target, tuple(n for n in one.env if n not in own)) for one in ports),
        liveness=_probe(container.get("livenessProbe")),
        readiness=_probe(container.get("readinessProbe")),
        probe_timing=_timing(container.get("livenessProbe") or container.get("readinessProbe") or {}),
        grace_seconds=float(grace) if grace is not None else GRACE_SECONDS,
        log_bytes=place.log_bytes,
    )


def addresses(bundle: Bundle, service_ports: Mapping[str, int]) -> tuple[Address, ...]:
    """The hosts of its routes, and the stable port of each Service. InputError for what the router cannot do."""
    found = []
    services = {one["metadata"]["name"]: one for one in bundle.services}
    for route in bundle.routes:
        spec = route["spec"]
        for rule in spec.get("rules") or ():
            target = _backend(rule, services)
            if target is None:
                continue
            for path in _paths(rule):
                found += [Address(host, path, target) for host in _hosts(spec)]
    for name, port in sorted(service_ports.items()):
        entries = (services[name].get("spec") or {}).get("ports") or () if name in services else ()
        if entries:
            found.append(Address(f"port:{port}", "/", str(entries[0].get("targetPort", entries[0]["port"]))))
    return tuple(dict.fromkeys(found))


def _hosts(spec: Json) -> list[str]:
    hosts = [str(host).lower() for host in spec.get("hostnames") or ()]
    if not hosts or any(host == OWN_HOST or not re.fullmatch(r"[a-z0-9][-a-z0-9.]*", host) for host in hosts):
        raise InputError(f"an HTTPRoute needs hostnames without wildcards and other than {OWN_HOST}: correct its host")
    return hosts


def _paths(rule: Json) -> list[str]:
    paths = []
    for match in rule.get("matches") or [{}]:
        path = match.get("path") or {"type": "PathPrefix", "value": "/"}
        if path.get("type", "PathPrefix") != "PathPrefix" or set(match) - {"path"}:
            raise InputError("the local router matches path prefixes only: use PathPrefix, or deploy to Kubernetes")
        paths.append(str(path.get("value", "/")))
    return paths


def _backend(rule: Json, services: Mapping[str, Json]) -> str | None:
    """The container port that the rule leads to, as text; None when its Service is another workload's."""
    for reference in rule.get("backendRefs") or ():
        service = services.get(str(reference.get("name", "")))
        if service is None:
            continue
        for port in service["spec"].get("ports") or ():
            if port["port"] == reference.get("port"):
                return str(port.get("targetPort", port["port"]))
        raise InputError(f"Service {reference['name']} has no port {reference.get('port')}: correct the route's port")
    return None


def _ports(container: Json) -> list[Port]:
    ports = []
    for number, one in enumerate(container.get("ports") or ()):
        name = str(one.get("name") or one["containerPort"])
        env = ("PORT",) if number == 0 else ("PORT_" + re.sub(r"[^A-Z0-9]", "_", name.upper()),)
        ports.append(Port(name, int(one["containerPort"]), env))
    return ports


def _base(place: Place) -> dict[str, str]:
    return {
        "PATH": f"{place.programs}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(place.home),
        "TMPDIR": str(place.home / "tmp"),
        "LANG": "C.UTF-8",
        "HOST": "127.0.0.1",
        "VIRTUAL_ENV": str(place.programs.parent),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _variables(bundle: Bundle, ports: Sequence[Port], place: Place) -> list[Variable]:
    found = []
    if bundle.container.get("envFrom"):
        raise InputError("envFrom is not read by local processes: name each variable in 'env'")
    for entry in bundle.container.get("env") or ():
        name, source = str(entry["name"]), entry.get("valueFrom")
        if source is None:
            value = str(entry.get("value", ""))
            if name == "PORT" and ports and value == str(ports[0].target):
                # It means the container port, whose place the allocated port takes here.
                continue
            if name == "HOST" and value in EVERYWHERE:
                # In a container that is the pod's own network; here it would be the network of the machine.
                continue
            found.append(Variable(name, _moved(value, place.mounts)))
            continue
        found.append(_from(bundle, name, source))
    return found


def _from(bundle: Bundle, name: str, source: Json) -> Variable:
    if "secretKeyRef" in source:
        wanted = source["secretKeyRef"]
        reference = bundle.secret_reference(str(wanted["name"]), str(wanted["key"]))
        if reference is None:
            raise InputError(
                f"{name} needs key {wanted['key']} of secret {wanted['name']}, which no ExternalSecret has"
            )
        return Variable(name, secret=reference)
    if "configMapKeyRef" in source:
        wanted = source["configMapKeyRef"]
        for one in bundle.config_maps:
            if one["metadata"]["name"] == wanted["name"] and wanted["key"] in (one.get("data") or {}):
                # Kubernetes does not expand these: the value is data.
                return Variable(name, str(one["data"][wanted["key"]]).replace("$(", "$$("))
        raise InputError(f"{name} needs key {wanted['key']} of ConfigMap {wanted['name']}, which is not there")
    raise InputError(f"{name} takes its value from {', '.join(source)}: local processes know secretKeyRef and values")


def _moved(text: str, mounts: Mapping[str, str]) -> str:
    """The text with mount paths replaced by real ones, wherever one stands as a whole."""
    for path in sorted(mounts, key=len, reverse=True):
        text = mounts[path].join(re.split(rf"(?<![\w./-]){re.escape(path)}(?![\w.-])", text))
    return text


def _limits(container: Json, identity: Identity) -> dict[str, int]:
    memory = ((container.get("resources") or {}).get("limits") or {}).get("memory")
    limits = {"core": 0, "data": _bytes(str(memory)) * DATA_FACTOR if memory is not None else DATA_BYTES}
    if identity.uid is not None:
        limits["nproc"] = PROCESSES
    return limits


def _bytes(text: str) -> int:
    found = QUANTITY.fullmatch(text)
    if found is None:
        raise InputError(f"'{text}' is no amount of memory: write it like 256Mi")
    return int(float(found[1]) * UNITS[found[2] or ""])


def _probe(probe: Json | None) -> Json | None:
    if not probe:
        return None
    if "httpGet" not in probe and "exec" not in probe:
        raise InputError(f"local processes have httpGet and exec probes, not {', '.join(probe)}: use one of these")
    return {key: value for key, value in probe.items() if key in ("httpGet", "exec")}


def _timing(probe: Json) -> ProbeTiming:
    usual = ProbeTiming()
    return ProbeTiming(
        period_seconds=float(probe.get("periodSeconds", usual.period_seconds)),
        timeout_seconds=float(probe.get("timeoutSeconds", usual.timeout_seconds)),
        failures=int(probe.get("failureThreshold", usual.failures)),
        startup_seconds=usual.startup_seconds,
    )
