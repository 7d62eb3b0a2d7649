"""Argo CD's order of applying: phase, wave, kind, name; a namespace before what is in it, a CRD before its kinds.

Pure. `groups` gives what may be applied together: the next group waits until the one before is healthy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PHASES = ("PreSync", "Sync", "PostSync", "SyncFail")
HOOK = "argocd.argoproj.io/hook"
WAVE = "argocd.argoproj.io/sync-wave"
KINDS = (
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
)
# Kinds that Argo CD does not list come last there. A workload reads its secrets at start, so these go with secrets.
RANKS = {kind: rank for rank, kind in enumerate(KINDS)} | {"ExternalSecret": KINDS.index("Secret")}
Json = Mapping[str, Any]
Key = tuple[int, int, int, str]


def phase(manifest: Json) -> int:
    """Index into PHASES; -1 for objects that are never applied (Skip and hooks of deletion)."""
    hooks = [hook.strip() for hook in str(_annotations(manifest).get(HOOK, "Sync")).split(",")]
    known = [PHASES.index(hook) for hook in hooks if hook in PHASES]
    return min(known, default=-1)


def wave(manifest: Json) -> int:
    """The sync wave; 0 where there is none or it is no number."""
    try:
        return int(str(_annotations(manifest).get(WAVE, "0")))
    except ValueError:
        return 0


def order_key(manifest: Json) -> Key:
    """What objects are sorted by."""
    rank = RANKS.get(manifest.get("kind", ""), len(KINDS))
    return (phase(manifest), wave(manifest), rank, str((manifest.get("metadata") or {}).get("name", "")))


def ordered(manifests: Sequence[Json]) -> list[Json]:
    """In the order of applying. Namespaces and CRDs move before the first object that needs them."""
    keys = {id(manifest): order_key(manifest) for manifest in manifests}
    for manifest in manifests:
        needed = [keys[id(other)] for other in manifests if _needs(other, manifest)]
        if needed and (first := min(needed)) < keys[id(manifest)]:
            keys[id(manifest)] = (first[0], first[1], -1, "")
    return sorted(manifests, key=lambda m: keys[id(m)])


def groups(manifests: Sequence[Json]) -> list[list[Json]]:
    """Ordered objects cut where phase or wave changes; what is never applied and SyncFail hooks are left out."""
    result: list[list[Json]] = []
    last: tuple[int, int] | None = None
    for manifest in ordered(manifests):
        at = (phase(manifest), wave(manifest))
        if at[0] not in (0, 1, 2):
            continue
        if at != last:
            result.append([])
            last = at
        result[-1].append(manifest)
    return result


def _annotations(manifest: Json) -> Mapping[str, Any]:
    annotations = (manifest.get("metadata") or {}).get("annotations")
    return annotations if isinstance(annotations, Mapping) else {}


def _needs(other: Json, first: Json) -> bool:
    """Whether `other` can only be applied after `first`."""
    if first.get("kind") == "Namespace":
        name = (first.get("metadata") or {}).get("name")
        return other is not first and name is not None and (other.get("metadata") or {}).get("namespace") == name
    if first.get("kind") == "CustomResourceDefinition":
        spec = first.get("spec") or {}
        group = str(other.get("apiVersion", "")).rpartition("/")[0]
        return group == spec.get("group") and other.get("kind") == (spec.get("names") or {}).get("kind")
    return False
