"""The entity source `kubernetes`: a cluster, its namespaces and its workloads, by their metadata alone.

Specifications are never asked for: what environment variables and commands hold does not leave the cluster. A whole
reading lists every kind; each kind of a namespace is a part of it. A reading with hints lists the namespaces that they
name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from taxiway.plugin import (
    Secrets,
    SourcedEntity,
    SourceEnd,
    SourceGone,
    SourceItem,
    SourcePart,
    SourceProblem,
    SourceRequest,
    resolve_credential,
)
from taxiway.plugins.kubernetes_catalog.entities import (
    Found,
    Layout,
    layout,
    marks_of,
    of_cluster,
    of_namespace,
    part_of,
)
from taxiway.plugins.kubernetes_catalog.lists import PATHS, RefusedError, listed
from taxiway.plugins.kubernetes_catalog.settings import KubernetesOptions

if TYPE_CHECKING:
    from taxiway.plugin.outgoing import Outgoing

MOST_MARKS = 2000
"""Workloads of one kind in a namespace whose marks are remembered: of more, each event counts as a change."""


class KubernetesSource:
    """Reads clusters through their API, and follows them."""

    key = "kubernetes"
    options = KubernetesOptions

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def read(self, request: SourceRequest) -> Iterator[SourceItem]:
        """Everything that the options ask for, or the namespaces of `hints`. A kind that may not be listed is a
        problem, and what was read of it before stays."""
        with self.reach(request) as (outgoing, server):
            try:
                namespaces, version = listed(outgoing, server, "namespaces", request.cancelled.is_set)
            except RefusedError as error:
                yield SourceProblem(f"url:{server}{PATHS['namespaces']}", str(error))
                return
            plan = layout(namespaces, server, request.options)
            chosen = {str(hint["namespace"]) for hint in request.hints if hint.get("namespace")}
            versions, workloads = {"namespaces": version}, []
            refused: dict[str, str] = {}
            for kind in dict.fromkeys(plan.options.workloads):
                for where in sorted(chosen & plan.wanted.keys()) if chosen else [""]:
                    try:
                        found, versions[kind] = listed(outgoing, server, kind, request.cancelled.is_set, where)
                        workloads += found
                    except RefusedError as error:
                        refused[kind] = str(error)
        if request.cancelled.is_set():
            return
        request.log(f"{len(plan.wanted)} namespaces and {len(workloads)} workloads on {server}")
        if not chosen:
            for document, path in of_cluster(plan, workloads):
                yield SourcedEntity(document, f"url:{server}{path}")
            yield SourcePart("cluster")
        yield from _parts(request, plan, workloads, refused, chosen)
        if chosen:
            yield SourceEnd(complete=False)
            return
        yield from (SourceProblem(f"url:{server}{PATHS[kind]}", detail) for kind, detail in refused.items())
        yield SourceEnd({"versions": versions})

    def watch(self, request: SourceRequest) -> Iterator[Sequence[Mapping[str, Any]]]:
        """Hints for each namespace whose workloads changed; none when a namespace did."""
        from taxiway.plugins.kubernetes_catalog.watching import follow

        options: KubernetesOptions = request.options
        versions = (request.cursor or {}).get("versions")
        if not options.watch or not isinstance(versions, dict):
            return
        with self.reach(request) as (outgoing, server):
            yield from follow(request, outgoing, server, versions)

    @contextmanager
    def reach(self, request: SourceRequest) -> Iterator[tuple[Outgoing, str]]:
        """The client of a cluster, and the address of its API server."""
        from taxiway.plugin.outgoing import Hosts, Outgoing
        from taxiway.plugins.kubernetes_catalog.access import access_of

        options: KubernetesOptions = request.options
        token = resolve_credential(options.token, self._secrets) if options.token else None
        access = access_of(options, token)
        hosts = Hosts([urlsplit(access.server).netloc], only=True)
        outgoing = Outgoing(hosts=hosts, headers=access.headers, tls=access.tls, stop=request.cancelled)
        try:
            yield outgoing, access.server
        finally:
            outgoing.close()


def _parts(
    request: SourceRequest, plan: Layout, workloads: Sequence[Found], refused: Mapping[str, str], chosen: set[str]
) -> Iterator[SourceItem]:
    """The parts of every namespace, or of those that were chosen. Of a kind that may not be listed, what was read
    before stays."""
    known = set(request.parts())
    by_namespace: dict[str, list[Found]] = {}
    for one in workloads:
        by_namespace.setdefault(one.namespace, []).append(one)
    done: set[str] = set()
    for name in sorted(chosen & plan.wanted.keys() if chosen else plan.wanted):
        mine = by_namespace.get(name, [])
        by_part: dict[str, list[tuple[dict[str, Any], str]]] = {}
        for document, path in of_namespace(plan, name, mine):
            by_part.setdefault(part_of(path), []).append((document, path))
        marks: dict[str, dict[str, str]] = {}
        for one in mine:
            marks.setdefault(part_of(one.path), {})[one.path] = marks_of(one)
        for part in sorted({*by_part, *marks}):
            for document, path in by_part.get(part, ()):
                yield SourcedEntity(document, f"url:{plan.server}{path}")
            kept = marks.get(part, {})
            yield SourcePart(part, {"marks": kept} if len(kept) <= MOST_MARKS else {})
            done.add(part)
    for part in sorted(known - done):
        namespace, _, kind = part.partition("/")
        if kind in refused and namespace in plan.wanted:
            yield SourcePart(part, same=True)
        elif chosen and namespace in chosen:
            yield SourceGone(part=part)
