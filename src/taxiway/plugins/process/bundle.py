"""Sorts the objects of an environment into bundles: a Deployment or CronJob with all that belongs to it. Pure.

A slot is one of them in one environment, named `<name>.<environment>`; those of a kind are kept apart from the others'.
`problem` says what this destination cannot do, before anything is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taxiway.model.workload import ObjectKey, object_key
from taxiway.plugin import digest

ARTIFACT_PREFIX = "taxiway-artifact:"
SERVICE_LABEL = "taxiway.dev/service"
KINDS = {
    ("apps/v1", "Deployment"),
    ("batch/v1", "CronJob"),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("v1", "PersistentVolumeClaim"),
    ("gateway.networking.k8s.io/v1", "HTTPRoute"),
    ("external-secrets.io/v1", "ExternalSecret"),
}
OWN_HOST = "router.localhost"
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Bundle:
    """A Deployment or CronJob, the Services that select it, the routes to those, and what its pod names."""

    environment: str
    controller: Json
    services: Sequence[Json] = ()
    routes: Sequence[Json] = ()
    secrets: Sequence[Json] = ()
    config_maps: Sequence[Json] = ()

    @property
    def name(self) -> str:
        return str(self.controller["metadata"]["name"])

    @property
    def slot(self) -> str:
        return f"{self.name}.{self.environment}"

    @property
    def service(self) -> str:
        return str(labels(self.controller).get(SERVICE_LABEL) or self.name)

    @property
    def template(self) -> Json:
        return _template(self.controller)

    @property
    def pod(self) -> Json:
        return self.template.get("spec") or {}

    @property
    def container(self) -> Json:
        first: Json = self.pod["containers"][0]
        return first

    @property
    def artifact(self) -> str:
        return str(self.container["image"]).removeprefix(ARTIFACT_PREFIX)

    @property
    def replicas(self) -> int:
        return int((self.controller.get("spec") or {}).get("replicas", 1))

    @property
    def digest(self) -> str:
        """Names exactly this state of all objects of the bundle."""
        return digest(
            [self.controller, *self.services, *self.routes, *self.secrets, *self.config_maps]  # order is stable
        )

    def secret_reference(self, name: str, key: str) -> str | None:
        """What the key of a Kubernetes secret stands for in Taxiway's stores."""
        for one in self.secrets:
            if _target_name(one) == name:
                for entry in one["spec"].get("data") or ():
                    if entry.get("secretKey") == key:
                        return str((entry.get("remoteRef") or {}).get("key") or "") or None
        return None


def labels(manifest: Json) -> Json:
    """The labels of an object."""
    return (manifest.get("metadata") or {}).get("labels") or {}


def bundles(environment: str, objects: Sequence[Json], kind: str = "Deployment") -> dict[str, Bundle]:
    """The bundles around the objects of this kind in an environment, by slot."""
    by_kind: dict[str, list[Json]] = {}
    for one in sorted(objects, key=lambda item: object_key(item)):
        by_kind.setdefault(one["kind"], []).append(one)
    found = {}
    for controller in by_kind.get(kind, ()):
        pod_labels = labels(_template(controller))
        services = [one for one in by_kind.get("Service", ()) if _selects(one, pod_labels)]
        names = {one["metadata"]["name"] for one in services}
        routes = [one for one in by_kind.get("HTTPRoute", ()) if names & set(backends(one))]
        bundle = Bundle(environment, controller, services, routes)
        text = str(bundle.pod)
        bundle = Bundle(
            environment,
            controller,
            services,
            routes,
            # A name that merely looks used costs nothing; one that was missed would.
            [one for one in by_kind.get("ExternalSecret", ()) if repr(_target_name(one)) in text],
            [one for one in by_kind.get("ConfigMap", ()) if repr(one["metadata"]["name"]) in text],
        )
        found[bundle.slot] = bundle
    return found


def _template(controller: Json) -> Json:
    """The pod template, which a CronJob has inside its job template."""
    spec = controller.get("spec") or {}
    if controller["kind"] == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    return spec.get("template") or {}


def _target_name(secret: Json) -> str:
    return str(((secret.get("spec") or {}).get("target") or {}).get("name") or secret["metadata"]["name"])


def _selects(service: Json, pod_labels: Json) -> bool:
    selector = (service.get("spec") or {}).get("selector") or {}
    return bool(selector) and all(pod_labels.get(key) == value for key, value in selector.items())


def backends(route: Json) -> Iterator[str]:
    """Names of the Services that a route points to."""
    for rule in (route.get("spec") or {}).get("rules") or ():
        for one in rule.get("backendRefs") or ():
            yield str(one.get("name", ""))


def bundle_of(key: ObjectKey, found: Mapping[str, Bundle]) -> Bundle | None:
    """The bundle that an object belongs to; the first one where several use it."""
    for bundle in found.values():
        members = [bundle.controller, *bundle.services, *bundle.routes, *bundle.secrets, *bundle.config_maps]
        if any(object_key(one) == key for one in members):
            return bundle
    return None


def unsupported(manifest: Json) -> str:
    """'' or why this destination cannot take the object, with what to do."""
    if (manifest["apiVersion"], manifest["kind"]) in KINDS:
        return ""
    known = ", ".join(sorted(kind for _, kind in KINDS))
    return (
        f"local processes cannot be made from {manifest['apiVersion']} {manifest['kind']}: remove it, or deploy to an "
        f"environment on Kubernetes. Supported here: {known}"
    )


def problem(bundle: Bundle) -> str:
    """'' or why it cannot run as a local process, with what to do."""
    containers = bundle.pod.get("containers") or []
    if len(containers) != 1 or bundle.pod.get("initContainers"):
        return "a local process is one container without initContainers: split the workload into services"
    image = str(containers[0].get("image", ""))
    if not image.startswith(ARTIFACT_PREFIX):
        return f"the image {image or '(none)'} needs a container engine: set image to '.' in score.yaml"
    if bundle.controller["kind"] == "CronJob" and containers[0].get("ports"):
        return "a job listens on no port: remove 'service' from score.yaml, or make a service of it"
    return ""
