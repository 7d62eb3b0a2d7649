"""The metadata of a cluster's objects as documents. No I/O.

A workload is a Resource that the component of its `backstage.io/kubernetes-id` depends on; so a component that has a
file of its own stays that file's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from taxiway.plugin.people import API_VERSION, Names, name_for
from taxiway.plugins.kubernetes_catalog.settings import KubernetesOptions

ID = "backstage.io/kubernetes-id"
OWNER_KEYS = ("taxiway.dev/owner", "backstage.io/owner")
KINDS = {
    "deployments": "deployment",
    "statefulsets": "statefulset",
    "daemonsets": "daemonset",
    "cronjobs": "cronjob",
}


@dataclass(frozen=True)
class Found:
    """The metadata of one object; `path` is its address below the API server."""

    kind: str
    namespace: str
    name: str
    path: str
    marks: Mapping[str, str] = field(default_factory=dict)
    """Labels and annotations; an annotation counts where both have a key."""

    @property
    def component(self) -> str:
        """What `backstage.io/kubernetes-id` says, or nothing."""
        return self.marks.get(ID, "")


def found(kind: str, path: str, item: Mapping[str, Any]) -> Found | None:
    """An item of a list, or None when it has no name. `path` is that of its list in all namespaces."""
    metadata = item.get("metadata")
    if not isinstance(metadata, Mapping) or not isinstance(metadata.get("name"), str):
        return None
    name, namespace = str(metadata["name"]), str(metadata.get("namespace") or "")
    base, _, plural = path.rpartition("/")
    where = f"{base}/namespaces/{namespace}/{plural}/{name}" if namespace else f"{path}/{name}"
    return Found(
        kind, namespace, name, where, {**_texts(metadata.get("labels")), **_texts(metadata.get("annotations"))}
    )


def documents(
    namespaces: Sequence[Found], workloads: Sequence[Found], server: str, options: KubernetesOptions
) -> Iterator[tuple[dict[str, Any], str]]:
    """The cluster, its namespaces, its workloads and perhaps components, each with its path on the API server."""
    wanted = {one.name: one for one in sorted(namespaces, key=lambda one: one.name) if _is_wanted(one.name, options)}
    ran = sorted(
        (one for one in workloads if one.namespace in wanted and (one.component or options.all_workloads)),
        key=lambda one: (one.namespace, one.kind, one.name),
    )
    names = Names()
    cluster = names.claim(options.cluster, "")
    yield _cluster(cluster, server, options), ""
    name_of: dict[str, str] = {}
    for one in wanted.values():
        name_of[one.name] = names.claim(f"{options.cluster}-{one.name}", one.name)
        yield _resource(one, name_of[one.name], "kubernetes-namespace", cluster, options), one.path
    for one in ran:
        name = names.claim(f"{options.cluster}-{one.namespace}-{one.name}", one.path)
        yield _workload(one, name, name_of[one.namespace], options), one.path
    if options.components:
        first = {one.component: one for one in reversed(ran) if one.component}
        for identifier in sorted(first):
            yield _component(first[identifier], options), first[identifier].path


def _is_wanted(name: str, options: KubernetesOptions) -> bool:
    def fits(patterns: Sequence[str]) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in patterns)

    return fits(options.namespaces) and not fits(options.exclude_namespaces)


def _cluster(name: str, server: str, options: KubernetesOptions) -> dict[str, Any]:
    metadata = _metadata(name, {"kubernetes.io/api-server": server}, options)
    return _document("Resource", metadata, {"type": "kubernetes-cluster", "owner": options.owner}, options)


def _resource(one: Found, name: str, type: str, needs: str, options: KubernetesOptions) -> dict[str, Any]:
    annotations = {
        "backstage.io/kubernetes-cluster": options.cluster,
        "backstage.io/kubernetes-namespace": one.namespace or one.name,
    }
    metadata = {**_metadata(name, annotations, options), "title": one.name}
    spec = {"type": type, "owner": _owner(one, options), "dependsOn": [_ref("resource", needs, options)]}
    return _document("Resource", metadata, spec, options)


def _workload(one: Found, name: str, namespace: str, options: KubernetesOptions) -> dict[str, Any]:
    document = _resource(one, name, f"kubernetes-{one.kind}", namespace, options)
    if one.component:
        document["metadata"]["annotations"][ID] = one.component
        document["spec"]["dependencyOf"] = [_ref("component", name_for(one.component), options)]
    return document


def _component(one: Found, options: KubernetesOptions) -> dict[str, Any]:
    annotations = {
        ID: one.component,
        "backstage.io/kubernetes-cluster": options.cluster,
        "backstage.io/kubernetes-namespace": one.namespace,
    }
    metadata = _metadata(name_for(one.component), annotations, options)
    spec = {"type": "service", "lifecycle": options.lifecycle, "owner": _owner(one, options)}
    return _document("Component", metadata, spec, options)


def _metadata(name: str, annotations: Mapping[str, str], options: KubernetesOptions) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "annotations": dict(annotations)}
    if options.namespace != "default":
        metadata["namespace"] = options.namespace
    return metadata


def _document(
    kind: str, metadata: Mapping[str, Any], spec: Mapping[str, Any], options: KubernetesOptions
) -> dict[str, Any]:
    whole = {**spec, **({"system": options.system} if options.system else {})}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": dict(metadata), "spec": whole}


def _ref(kind: str, name: str, options: KubernetesOptions) -> str:
    return f"{kind}:{options.namespace}/{name}"


def _owner(one: Found, options: KubernetesOptions) -> str:
    return next((one.marks[key] for key in OWNER_KEYS if one.marks.get(key)), options.owner)


def _texts(value: Any) -> dict[str, str]:
    return {str(key): one for key, one in value.items() if isinstance(one, str)} if isinstance(value, Mapping) else {}
