"""Renders a Score workload into Kubernetes-shaped objects: Deployment or CronJob, Service, ConfigMaps, secrets, routes.

Pure; called by the step `deploy:render`. No secret value comes here: secret outputs are references, which become
ExternalSecret objects and `secretKeyRef`s. Text that mixes secrets with other text becomes hidden variables and
`$(NAME)` interpolation, as score-k8s does it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from taxiway.features.environments.scheduling import SCHEDULE_PREFIX, cron_job_spec
from taxiway.features.environments.score import Workload
from taxiway.features.environments.substitution import Resolve, SecretRef, expand, expand_text, resolver
from taxiway.features.infrastructure.model import Provisioned
from taxiway.kit.canonical import canonical_json
from taxiway.model.errors import InputError
from taxiway.model.workload import object_key

ARTIFACT_PREFIX = "taxiway-artifact:"
SECRET_STORE = {"name": "taxiway", "kind": "ClusterSecretStore"}
SERVICE_LABEL = "taxiway.dev/service"
RELEASE_LABEL = "taxiway.dev/release"
DEPLOYMENT_LABEL = "taxiway.dev/deployment"
SERVICE_REF = "taxiway.dev/service-ref"
K8S_PREFIX = "k8s.score.dev/"
ONCE = {"restartPolicy": "Never"}
"""Each attempt of a job is a pod of its own: `backoffLimit` counts them."""
Json = dict[str, Any]


@dataclass(frozen=True)
class Rendering:
    """What rendering needs beside the workload. `read_source(path)` gives a file of the commit, None when missing."""

    service_key: str
    service_ref: str
    namespace: str
    release_id: str
    deployment_id: str
    artifact: str
    resources: Mapping[str, Provisioned]
    read_source: Callable[[str], bytes | None] = lambda path: None
    extra_labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def labels(self) -> dict[str, str]:
        return {
            "app.kubernetes.io/name": self.service_key,
            "app.kubernetes.io/managed-by": "taxiway",
            SERVICE_LABEL: self.service_key,
            RELEASE_LABEL: self.release_id,
            DEPLOYMENT_LABEL: self.deployment_id,
            **self.extra_labels,
        }


def render(workload: Workload, rendering: Rendering) -> list[Json]:
    """Every object of the workload, sorted by kind, name. InputError says what the Score file must change."""
    outputs = {name: outputs_of(resource) for name, resource in rendering.resources.items()}
    resolve = resolver(workload.document["metadata"], outputs)
    whole = resolver(workload.document["metadata"], outputs, {name: name for name in outputs})
    pod = _Pod(workload, rendering, resolve, whole)
    containers = [pod.container(name, spec) for name, spec in workload.document["containers"].items()]
    template = _template(workload, rendering, containers, pod.volumes)
    objects = [_controller(workload, rendering, template), *pod.objects]
    if workload.ports:
        objects.append(_service(workload, rendering))
    for resource in rendering.resources.values():
        objects += [dict(manifest) for manifest in resource.manifests]
        if resource.secrets:
            objects.append(_external_secret(rendering, resource))
    return _finished(objects, rendering)


def outputs_of(resource: Provisioned) -> dict[str, Any]:
    """Outputs for placeholders: values, and references for secrets."""
    secrets = {key: SecretRef(resource.name, key, reference) for key, reference in resource.secrets.items()}
    return {**resource.outputs, **secrets}


class _Pod:
    """Collects volumes and extra objects while containers are rendered."""

    def __init__(self, workload: Workload, rendering: Rendering, resolve: Resolve, whole: Resolve) -> None:
        self._workload, self._rendering, self._resolve, self._whole = workload, rendering, resolve, whole
        self.volumes: list[Json] = []
        self.objects: list[Json] = []

    def container(self, name: str, spec: Mapping[str, Any]) -> Json:
        image = spec["image"]
        result: Json = {"name": name, "image": ARTIFACT_PREFIX + self._rendering.artifact if image == "." else image}
        for field_ in ("command", "args"):
            if spec.get(field_):
                result[field_] = list(spec[field_])
        env = self._env(spec.get("variables") or {})
        if env:
            result["env"] = env
        ports = (self._workload.document.get("service") or {}).get("ports") or {}
        if ports and name == next(iter(self._workload.document["containers"])):
            result["ports"] = [
                {"name": n, "containerPort": int(p.get("targetPort", p["port"])), "protocol": p.get("protocol", "TCP")}
                for n, p in sorted(ports.items())
            ]
        if spec.get("resources"):
            result["resources"] = {key: dict(value) for key, value in spec["resources"].items()}
        for probe in ("livenessProbe", "readinessProbe"):
            if spec.get(probe):
                result[probe] = _probe(spec[probe])
        mounts = [self._file(name, target, file) for target, file in sorted((spec.get("files") or {}).items())]
        mounts += [self._volume(target, volume) for target, volume in sorted((spec.get("volumes") or {}).items())]
        if mounts:
            result["volumeMounts"] = mounts
        return result

    def _env(self, variables: Mapping[str, str]) -> list[Json]:
        hidden: dict[str, Json] = {}
        shown: list[Json] = []
        for name, text in variables.items():
            parts = expand(text, self._resolve)
            if len(parts) == 1 and isinstance(parts[0], SecretRef):
                shown.append(self._from_secret(name, parts[0]))
                continue
            value = ""
            is_mixed = any(isinstance(part, SecretRef) for part in parts)
            for part in parts:
                if isinstance(part, SecretRef):
                    reference = "__ref_" + hashlib.sha256(f"{part.resource}/{part.key}".encode()).hexdigest()[:10]
                    hidden[reference] = self._from_secret(reference, part)
                    value += f"$({reference})"
                else:
                    value += part.replace("$(", "$$(") if is_mixed else part
            shown.append({"name": name, "value": value})
        # Kubernetes only interpolates variables that stand before their use.
        return [*(hidden[name] for name in sorted(hidden)), *shown]

    def _from_secret(self, name: str, secret: SecretRef) -> Json:
        key = {"name": _secret_name(self._rendering, secret.resource), "key": secret.key}
        return {"name": name, "valueFrom": {"secretKeyRef": key}}

    def _file(self, container: str, target: str, file: Mapping[str, Any]) -> Json:
        volume = "vol-" + hashlib.sha256(f"{container}:{target}".encode()).hexdigest()[:10]
        mode = {"defaultMode": int(str(file["mode"]), 8)} if file.get("mode") else {}
        secret = self._secret_of_file(file)
        if secret is not None:
            name = _secret_name(self._rendering, secret.resource)
            source: Json = {"secret": {"secretName": name, "items": [{"key": secret.key, "path": "file"}], **mode}}
        else:
            name = f"{self._rendering.service_key}-{volume}"
            self.objects.append(
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **self._data(target, file)}
            )
            source = {"configMap": {"name": name, "items": [{"key": "file", "path": "file"}], **mode}}
        self.volumes.append({"name": volume, **source})
        return {"name": volume, "mountPath": target, "subPath": "file", "readOnly": True}

    def _secret_of_file(self, file: Mapping[str, Any]) -> SecretRef | None:
        if file.get("noExpand") or "content" not in file:
            return None
        parts = expand(file["content"], self._resolve)
        return parts[0] if len(parts) == 1 and isinstance(parts[0], SecretRef) else None

    def _data(self, target: str, file: Mapping[str, Any]) -> Json:
        if "binaryContent" in file:
            return {"binaryData": {"file": file["binaryContent"]}}
        if "content" in file:
            text = str(file["content"])
        else:
            raw = self._rendering.read_source(str(file["source"]))
            if raw is None:
                raise InputError(f"the file {file['source']} for {target} is not in the commit", code="score.source")
            try:
                text = raw.decode()
            except UnicodeDecodeError:
                return {"binaryData": {"file": base64.b64encode(raw).decode()}}
        return {"data": {"file": text if file.get("noExpand") else expand_text(text, self._resolve)}}

    def _volume(self, target: str, volume: Mapping[str, Any]) -> Json:
        name = expand_text(volume["source"], self._whole)
        resource = self._rendering.resources.get(name)
        source = resource.outputs.get("source") if resource else None
        if not isinstance(source, Mapping):
            raise InputError(
                f"the volume at {target} needs a resource whose output 'source' says what to mount, like type volume",
                code="score.volume",
            )
        volume_name = "vol-" + hashlib.sha256(f"resource:{name}".encode()).hexdigest()[:10]
        if all(there["name"] != volume_name for there in self.volumes):
            self.volumes.append({"name": volume_name, **source})
        mount: Json = {"name": volume_name, "mountPath": target}
        if volume.get("path"):
            mount["subPath"] = volume["path"]
        if volume.get("readOnly"):
            mount["readOnly"] = True
        return mount


def _template(workload: Workload, rendering: Rendering, containers: list[Json], volumes: list[Json]) -> Json:
    annotations = workload.document["metadata"].get("annotations") or {}
    own = (K8S_PREFIX, SCHEDULE_PREFIX)
    pod_annotations = {key: value for key, value in annotations.items() if not key.startswith(own)}
    pod: Json = {"automountServiceAccountToken": False, "enableServiceLinks": False, "containers": containers}
    if volumes:
        pod["volumes"] = volumes
    template: Json = {"metadata": {"labels": rendering.labels}, "spec": pod}
    if pod_annotations:
        template["metadata"]["annotations"] = pod_annotations
    return template


def _controller(workload: Workload, rendering: Rendering, template: Json) -> Json:
    """A CronJob when the workload has a schedule, else a Deployment."""
    scheduled = cron_job_spec(workload.document)
    if scheduled is not None:
        job = {**scheduled["jobTemplate"]["spec"], "template": {**template, "spec": {**template["spec"], **ONCE}}}
        spec = {**scheduled, "jobTemplate": {"metadata": {"labels": rendering.labels}, "spec": job}}
        return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": rendering.service_key}, "spec": spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": rendering.service_key},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {SERVICE_LABEL: rendering.service_key}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": template,
        },
    }


def _service(workload: Workload, rendering: Rendering) -> Json:
    ports = workload.document["service"]["ports"]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": rendering.service_key},
        "spec": {
            "selector": {SERVICE_LABEL: rendering.service_key},
            "ports": [
                {
                    "name": name,
                    "port": int(port["port"]),
                    "targetPort": int(port.get("targetPort", port["port"])),
                    "protocol": port.get("protocol", "TCP"),
                }
                for name, port in sorted(ports.items())
            ],
        },
    }


def _external_secret(rendering: Rendering, resource: Provisioned) -> Json:
    name = _secret_name(rendering, resource.name)
    data = [{"secretKey": key, "remoteRef": {"key": ref}} for key, ref in sorted(resource.secrets.items())]
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": name},
        "spec": {"secretStoreRef": dict(SECRET_STORE), "target": {"name": name}, "data": data},
    }


def _secret_name(rendering: Rendering, resource: str) -> str:
    return f"{rendering.service_key}-{resource}"


def _probe(probe: Mapping[str, Any]) -> Json:
    """Score's probe as Kubernetes has it; the command is preferred where both are given."""
    if "exec" in probe:
        return {"exec": {"command": list(probe["exec"]["command"])}}
    return {"httpGet": dict(probe["httpGet"])}


def _finished(objects: Sequence[Json], rendering: Rendering) -> list[Json]:
    """Labels, namespace and order; equal objects once, two different ones of one key are refused."""
    found: dict[Any, Json] = {}
    for item in objects:
        metadata = item["metadata"]
        metadata = {
            **metadata,
            "namespace": metadata.get("namespace") or rendering.namespace,
            "labels": {**(metadata.get("labels") or {}), **rendering.labels},
            "annotations": {**(metadata.get("annotations") or {}), SERVICE_REF: rendering.service_ref},
        }
        item = {**item, "metadata": metadata}
        key = object_key(item)
        if key in found and canonical_json(found[key]) != canonical_json(item):
            raise InputError(f"two resources make different objects {key.kind} {key.name}: give them different names")
        found[key] = item
    return [found[key] for key in sorted(found, key=lambda k: (k.kind, k.name, k.namespace))]
