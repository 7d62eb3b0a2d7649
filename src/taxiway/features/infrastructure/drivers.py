"""Resource drivers that need no engine: variables of the environment, the address of another workload, a route."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from taxiway.kit.pointer import dig
from taxiway.model.errors import InputError, NotFoundError
from taxiway.model.workload import ResourceRequest, ResourceResult
from taxiway.plugin import StepContext


class Named:
    """What these drivers have in common: they name what is there anyway, so nothing is lost with their resources."""

    def destroy(self, ctx: StepContext, inventory: Sequence[Mapping[str, Any]]) -> None:
        return None

    def contents(self, inventory: Sequence[Mapping[str, Any]]) -> str | None:
        return None


class EnvironmentDriver(Named):
    """`environment`: the variables in the environment's `spec.variables`. One that is not set there reads as empty."""

    key = "environment_variables"

    def provision(self, ctx: StepContext, request: ResourceRequest) -> ResourceResult:
        variables = dig(request.workload, "environment", "variables", default={}) or {}
        defaults = {k: v for k, v in request.params.items() if not isinstance(v, (dict, list))}
        return ResourceResult(outputs={name: str(value) for name, value in {**defaults, **variables}.items()})


class ServicePortDriver(Named):
    """`service-port`: hostname and port of the workload that `params.workload` names, at its port `params.port`."""

    key = "service_port"

    def provision(self, ctx: StepContext, request: ResourceRequest) -> ResourceResult:
        wanted, port = request.params.get("workload"), request.params.get("port")
        if not wanted or port in (None, ""):
            raise InputError(f"the resource {request.id} of type service-port needs params.workload and params.port")
        services: Mapping[str, Any] = request.workload.get("services") or {}
        service = services.get(str(wanted))
        if service is None:
            there = ", ".join(sorted(services)) or "none"
            raise NotFoundError(
                f"no workload '{wanted}' runs in {request.environment} (there are: {there}): deploy it there first",
                code="infrastructure.no_workload",
            )
        return ResourceResult(outputs={"hostname": service["hostname"], "port": _port(service["ports"], port, wanted)})


class RouteDriver(Named):
    """`route`: an HTTPRoute from `params.host` (or `<service>.<environment>.localhost`), `path` and `port`."""

    key = "router"

    def provision(self, ctx: StepContext, request: ResourceRequest) -> ResourceResult:
        params, name = request.params, str(request.workload["name"])
        ports: Mapping[str, int] = request.workload.get("ports") or {}
        port = params.get("port", next(iter(ports.values()), None))
        host = str(params.get("host") or f"{request.service}.{request.environment}.localhost")
        path_type = str(params.get("pathType") or "PathPrefix")
        route = {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {
                "name": f"{name}-{request.id.rsplit('.', 1)[-1]}",
                "namespace": request.workload.get("namespace", ""),
            },
            "spec": {
                "parentRefs": [{"name": str(params.get("gateway") or "taxiway")}],
                "hostnames": [host],
                "rules": [
                    {
                        "matches": [{"path": {"type": path_type, "value": str(params.get("path") or "/")}}],
                        "backendRefs": [{"name": name, "port": _service_port(ports, port, name)}],
                    }
                ],
            },
        }
        return ResourceResult(outputs={"host": host}, manifests=[route])


def _service_port(ports: Mapping[str, int], wanted: Any, workload: str) -> int:
    if wanted is None:
        raise InputError(f"'{workload}' has a route but no service port: add service.ports to its Score file")
    return _port(ports, wanted, workload)


def _port(ports: Mapping[str, int], wanted: Any, workload: Any) -> int:
    """A port by name or number. InputError lists what there is."""
    if str(wanted) in ports:
        return int(ports[str(wanted)])
    if str(wanted).isdigit() and int(wanted) in ports.values():
        return int(wanted)
    there = ", ".join(f"{name} ({port})" for name, port in ports.items()) or "none"
    raise InputError(f"'{workload}' has no port '{wanted}' (there are: {there}): correct the Score file")
