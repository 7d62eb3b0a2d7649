"""The metadata of a cluster's objects as documents. No I/O.

A workload is a Resource that the component of its `backstage.io/kubernetes-id` depends on; so a component that has a
file of its own stays that file's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from taxiway.plugin.people import API_VERSION, Names, name_for, short_digest
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


@dataclass(frozen=True)
class Layout:
    """The namespaces that are wanted, and what they and the cluster are called. Names follow from these alone, so that
    the workloads of one namespace can be read without those of the others."""

    server: str
    options: KubernetesOptions
    wanted: Mapping[str, Found]
    cluster: str
    names: Mapping[str, str]


def layout(namespaces: Sequence[Found], server: str, options: KubernetesOptions) -> Layout:
    """What a cluster's namespaces come to."""
    wanted = {one.name: one for one in sorted(namespaces, key=lambda one: one.name) if _is_wanted(one.name, options)}
    names = Names()
    cluster = names.claim(options.cluster, "")
    return Layout(
        server, options, wanted, cluster, {name: names.claim(f"{options.cluster}-{name}", name) for name in wanted}
    )


def of_cluster(plan: Layout, workloads: Sequence[Found]) -> Iterator[tuple[dict[str, Any], str]]:
    """The cluster, and components where they are asked for, each with its path on the API server."""
    yield _cluster(plan.cluster, plan.server, plan.options), ""
    if plan.options.components:
        first = {one.component: one for one in reversed(_ran(plan, workloads)) if one.component}
        for identifier in sorted(first):
            yield _component(first[identifier], plan.options), first[identifier].path


def of_namespace(plan: Layout, name: str, workloads: Sequence[Found]) -> Iterator[tuple[dict[str, Any], str]]:
    """A namespace and its workloads, each with its path on the API server."""
    one, options = plan.wanted[name], plan.options
    yield _resource(one, plan.names[name], "kubernetes-namespace", plan.cluster, options), one.path
    names = Names()
    for taken in (plan.cluster, *plan.names.values()):
        names.claim(taken, "")
    for workload in _ran(plan, [found for found in workloads if found.namespace == name]):
        wanted = f"{options.cluster}-{name}-{workload.name}"
        # `a` with `b-c` and `a-b` with `c` would be called alike: the longer namespace has the plain name.
        longer = (f"{other}-" for other in plan.wanted if other.startswith(f"{name}-"))
        if f"{name}-{workload.name}".startswith(tuple(longer)):
            names.claim(wanted, "")
        yield _workload(workload, names.claim(wanted, workload.path), plan.names[name], options), workload.path


def part_of(path: str) -> str:
    """The part of a reading that an object belongs to: its namespace and the plural of its kind."""
    namespace, _, rest = path.partition("/namespaces/")[2].partition("/")
    return f"{namespace}/{rest.partition('/')[0] or 'namespaces'}"


def marks_of(one: Found) -> str:
    """A digest of what of an object matters here."""
    kept = {key: one.marks.get(key, "") for key in (ID, *OWNER_KEYS)}
    return short_digest(repr(sorted(kept.items())))


def _ran(plan: Layout, workloads: Sequence[Found]) -> list[Found]:
    whole = plan.options.all_workloads
    ran = (one for one in workloads if one.namespace in plan.wanted and (one.component or whole))
    return sorted(ran, key=lambda one: (one.namespace, one.kind, one.name))


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
