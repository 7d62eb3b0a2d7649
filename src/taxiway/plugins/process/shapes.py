"""Whether a manifest has the shape that this destination reads. Pure.

Manifests can be pushed by hand, and one that is stored is read again and again: what is malformed must not
get there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXTS: dict[str, Any] = {"*": str}
NAMED = {"name": str}
PATH_PROBE = {"httpGet": {"path": str, "port": (int, str)}, "exec": {"command": [str]}}
CONTAINER = {
    "name": str,
    "image": str,
    "command": [str],
    "args": [str],
    "env": [{"name": str, "value": str, "valueFrom": {"secretKeyRef": TEXTS, "configMapKeyRef": TEXTS}}],
    "ports": [{"name": str, "containerPort": int}],
    "resources": {"limits": {"memory": (str, int)}},
    "livenessProbe": PATH_PROBE,
    "readinessProbe": PATH_PROBE,
    "volumeMounts": [{"name": str, "mountPath": str, "subPath": str}],
}
VOLUME = {
    "name": str,
    "hostPath": {"path": str},
    "persistentVolumeClaim": {"claimName": str},
    "configMap": {"name": str, "defaultMode": int, "items": [{"key": str, "path": str}]},
}
POD = {"containers": [CONTAINER], "initContainers": [{}], "volumes": [VOLUME], "terminationGracePeriodSeconds": int}
TEMPLATE = {"metadata": {"labels": TEXTS}, "spec": POD}
SHAPES: dict[str, Any] = {
    "Deployment": {"spec": {"replicas": int, "template": TEMPLATE}},
    "CronJob": {
        "spec": {
            "schedule": str,
            "timeZone": str,
            "concurrencyPolicy": str,
            "startingDeadlineSeconds": int,
            "successfulJobsHistoryLimit": int,
            "failedJobsHistoryLimit": int,
            "jobTemplate": {"spec": {"backoffLimit": int, "activeDeadlineSeconds": int, "template": TEMPLATE}},
        }
    },
    "Service": {"spec": {"selector": TEXTS, "ports": [{"port": int, "targetPort": (int, str)}]}},
    "HTTPRoute": {
        "spec": {
            "hostnames": [str],
            "rules": [
                {"matches": [{"path": {"type": str, "value": str}}], "backendRefs": [{"name": str, "port": int}]},
            ],
        }
    },
    "ExternalSecret": {
        "spec": {"target": NAMED, "data": [{"secretKey": str, "remoteRef": {"key": str}}]},
    },
    "ConfigMap": {"data": TEXTS, "binaryData": TEXTS},
}
REQUIRED = {
    "containers": ("name",),
    "env": ("name",),
    "ports": (),
    "volumeMounts": ("name", "mountPath"),
    "volumes": ("name",),
    "secretKeyRef": ("name", "key"),
    "configMapKeyRef": ("name", "key"),
    "configMap": ("name",),
    "items": ("key", "path"),
}


def misfit(manifest: Mapping[str, Any]) -> str:
    """'' or the first place whose value is of another type than Kubernetes has there, or that lacks a name."""
    metadata = {"metadata": {"name": str, "namespace": str, "labels": TEXTS}}
    shape = {**metadata, **SHAPES.get(str(manifest.get("kind")), {})}
    found = _misfit(manifest, shape, "")
    if not found and manifest.get("kind") in ("Deployment", "CronJob", "Service", "HTTPRoute", "ExternalSecret"):
        found = "" if isinstance(manifest.get("spec"), Mapping) else "spec is missing"
    return found


def _misfit(value: Any, shape: Any, at: str) -> str:
    if value is None:
        return ""
    if isinstance(shape, Mapping):
        return _object(value, shape, at)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{at} must be a list"
        problems = (_item(one, shape[0], f"{at}[{number}]") for number, one in enumerate(value))
        return next((problem for problem in problems if problem), "")
    kinds = shape if isinstance(shape, tuple) else (shape,)
    if not isinstance(value, kinds) or isinstance(value, bool):
        return f"{at} must be {' or '.join('text' if kind is str else 'a number' for kind in kinds)}"
    return ""


def _item(value: Any, shape: Any, at: str) -> str:
    if isinstance(shape, Mapping) and not isinstance(value, Mapping):
        return f"{at} must be an object"
    return _misfit(value, shape, at) if value is not None else f"{at} is empty"


def _object(value: Any, shape: Mapping[str, Any], at: str) -> str:
    if not isinstance(value, Mapping):
        return f"{at or 'the manifest'} must be an object"
    place = at.rpartition(".")[2].partition("[")[0]
    for name in REQUIRED.get(place, ()):
        if value.get(name) is None:
            return f"{at}.{name} is missing"
    for name, inner in shape.items():
        for key in value if name == "*" else (name,):
            problem = _misfit(value.get(key), inner, f"{at}.{key}".lstrip("."))
            if problem:
                return problem
    if place == "ports" and "containerPort" in shape and value.get("containerPort") is None:
        return f"{at}.containerPort is missing"
    if place == "ports" and "port" in shape and value.get("port") is None:
        return f"{at}.port is missing"
    return ""
