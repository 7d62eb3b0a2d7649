"""Values that describe a workload and one instance of it, and their form on disk (spec.json).

A `Workload` is what a caller wants; an `Instance` is one start of a generation of it, with ports and a marker of its
own. No secret value is in it: variables that need one are kept as they were written, with references, and
`handed_over` makes their values at each start, which reach the shim through memory only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

REFERENCE = re.compile(r"\$(\$?)\(([A-Za-z_][A-Za-z0-9_]*)\)")


@dataclass(frozen=True)
class Port:
    """A port the workload listens on: its name, the number that the Score file says, and the variables to tell it.

    The workload must listen on 127.0.0.1 and the port that is in those variables.
    """

    name: str
    target: int
    env: tuple[str, ...] = ("PORT",)


@dataclass(frozen=True)
class Variable:
    """An environment variable as Kubernetes has it: text with `$(NAME)` of earlier ones, or a reference to a secret."""

    name: str
    value: str = ""
    secret: str | None = None


@dataclass(frozen=True)
class ProbeTiming:
    """When probes run and how many failures count. `startup_seconds`: how long a first success may take."""

    period_seconds: float = 5.0
    timeout_seconds: float = 1.0
    failures: int = 3
    startup_seconds: float = 60.0


@dataclass(frozen=True)
class Workload:
    """A program to keep running. `argv` may use `$(NAME)` of its environment as Kubernetes does.

    `variables` come on top of `env` and of the ports' variables, in their order.
    `limits` are resource limits by lower-case name (`nofile`, `core`, …). `liveness` and `readiness` are Score's
    probes ({httpGet} or {exec}); `httpGet.port` is a target number or a port's name. `log_bytes` are kept per instance.
    """

    argv: tuple[str, ...]
    cwd: str
    env: Mapping[str, str] = field(default_factory=dict)
    variables: tuple[Variable, ...] = ()
    uid: int | None = None
    gid: int | None = None
    limits: Mapping[str, int] = field(default_factory=lambda: {"core": 0})
    ports: tuple[Port, ...] = ()
    liveness: Mapping[str, Any] | None = None
    readiness: Mapping[str, Any] | None = None
    probe_timing: ProbeTiming = ProbeTiming()
    grace_seconds: float = 10.0
    log_bytes: int = 10_000_000


@dataclass(frozen=True)
class Instance:
    """A folder with the spec of one instance. `spec` is the document that the shim reads; `seq` orders instances."""

    folder: Path
    seq: int
    spec: Mapping[str, Any]

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def generation(self) -> str:
        return str(self.spec["generation"])

    @property
    def marker(self) -> str:
        return str(self.spec["marker"])

    def port(self, name: str | None = None) -> int | None:
        """The real port with this name (or target number as text), the first one without a name; None: no such."""
        for one in self.spec["ports"]:
            if name is None or name in (one["name"], str(one["target"])):
                return int(one["port"])
        return None


def instance_spec(workload: Workload, instance: str, generation: str, marker: str, ports: list[int]) -> dict[str, Any]:
    """The document for the shim. `ports` are the real ones, in the order of `workload.ports`."""
    given = [
        {**asdict(one), "env": list(one.env), "port": port} for one, port in zip(workload.ports, ports, strict=True)
    ]
    env = dict(workload.env)
    for one in given:
        env |= {name: str(one["port"]) for name in one["env"]}
    hidden = workload.variables if any(one.secret for one in workload.variables) else ()
    if not hidden:
        env = variables_of(workload.variables, env, _no_secret)
    return {
        "instance": instance,
        "generation": generation,
        "marker": marker,
        "argv": list(workload.argv) if hidden else [expand(text, env) for text in workload.argv],
        "cwd": workload.cwd,
        "env": env,
        "variables": [asdict(one) for one in hidden],
        "uid": workload.uid,
        "gid": workload.gid,
        "limits": dict(workload.limits),
        "ports": given,
        "liveness": _with_port(workload.liveness, given),
        "readiness": _with_port(workload.readiness, given),
        "probe_timing": asdict(workload.probe_timing),
        "grace_seconds": workload.grace_seconds,
        "log_bytes": workload.log_bytes,
    }


def variables_of(
    variables: Sequence[Variable], base: Mapping[str, str], secret: Callable[[str], str]
) -> dict[str, str]:
    """`base` and the variables, in order: each may use those before it. `secret(reference)` gives a secret's value."""
    env = dict(base)
    for one in variables:
        env[one.name] = secret(one.secret) if one.secret else expand(one.value, env)
    return env


def handed_over(spec: Mapping[str, Any], secret: Callable[[str], str]) -> dict[str, Any] | None:
    """What the shim must get through memory to start the instance: {env, argv}; None when spec.json has it all."""
    hidden = [Variable(**one) for one in spec.get("variables") or ()]
    if not hidden:
        return None
    env = variables_of(hidden, spec["env"], secret)
    return {"env": env, "argv": [expand(text, env) for text in spec["argv"]]}


def _no_secret(reference: str) -> str:
    raise ValueError(f"the secret {reference} cannot be read here")


def expand(text: str, env: Mapping[str, str]) -> str:
    """`$(NAME)` replaced from `env`; an unknown name stays as it is and `$$(NAME)` means a literal `$(NAME)`."""

    def value(match: re.Match[str]) -> str:
        if match[1]:
            return f"$({match[2]})"
        return env.get(match[2], match[0])

    return REFERENCE.sub(value, text)


def _with_port(probe: Mapping[str, Any] | None, ports: list[dict[str, Any]]) -> dict[str, Any] | None:
    if not probe:
        return None
    if "httpGet" not in probe:
        return dict(probe)
    http = dict(probe["httpGet"])
    wanted = str(http.get("port", ""))
    real = [one["port"] for one in ports if wanted in (one["name"], str(one["target"]))]
    if not real:
        known = ", ".join(f"{one['name']} ({one['target']})" for one in ports) or "none"
        raise ValueError(f"the probe asks port {wanted}, but the workload's ports are: {known}; correct the Score file")
    return {"httpGet": {**http, "port": real[0]}}
