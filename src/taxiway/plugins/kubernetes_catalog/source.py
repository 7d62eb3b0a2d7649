"""The entity source `kubernetes`: a cluster, its namespaces and its workloads, by their metadata alone.

Specifications are never asked for: what environment variables and commands hold does not leave the cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from taxiway.model.errors import ConflictError, UnavailableError
from taxiway.plugin import (
    Secrets,
    SourcedEntity,
    SourceEnd,
    SourceItem,
    SourceProblem,
    SourceRequest,
    resolve_credential,
)
from taxiway.plugins.kubernetes_catalog.entities import KINDS, Found, documents, found
from taxiway.plugins.kubernetes_catalog.settings import KubernetesOptions

if TYPE_CHECKING:
    from taxiway.plugin.outgoing import Answer, Outgoing

PATHS = {
    "namespaces": "/api/v1/namespaces",
    "deployments": "/apis/apps/v1/deployments",
    "statefulsets": "/apis/apps/v1/statefulsets",
    "daemonsets": "/apis/apps/v1/daemonsets",
    "cronjobs": "/apis/batch/v1/cronjobs",
}
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
PAGE, MOST_PAGES, TRIES = 500, 400, 3
GONE = 410


class KubernetesSource:
    """Reads clusters through their API."""

    key = "kubernetes"
    options = KubernetesOptions

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def read(self, request: SourceRequest) -> Iterator[SourceItem]:
        """Everything that the options ask for. A kind that may not be listed is a problem, and what was read of it
        before stays."""
        from taxiway.plugin.outgoing import Hosts, Outgoing
        from taxiway.plugins.kubernetes_catalog.access import access_of

        options: KubernetesOptions = request.options
        token = resolve_credential(options.token, self._secrets) if options.token else None
        access = access_of(options, token)
        headers = {**access.headers, "accept": f"{METADATA_ONLY},application/json"}
        hosts = Hosts([urlsplit(access.server).netloc], only=True)
        outgoing = Outgoing(hosts=hosts, headers=headers, tls=access.tls, stop=request.cancelled)
        cancelled = request.cancelled.is_set
        try:
            namespaces = _listed(outgoing, access.server, "namespaces", cancelled)
            workloads: list[Found] = []
            for kind in dict.fromkeys(options.workloads):
                try:
                    workloads += _listed(outgoing, access.server, kind, cancelled)
                except _Refused as error:
                    yield SourceProblem(f"url:{access.server}{PATHS[kind]}", str(error))
        except _Refused as error:
            yield SourceProblem(f"url:{access.server}{PATHS['namespaces']}", str(error))
            return
        finally:
            outgoing.close()
        if cancelled():
            return
        request.log(f"{len(namespaces)} namespaces and {len(workloads)} workloads on {access.server}")
        for document, path in documents(namespaces, workloads, access.server, options):
            yield SourcedEntity(document, f"url:{access.server}{path}")
        yield SourceEnd()


class _Refused(Exception):
    """The account may not list a kind, or the cluster does not have it."""


def _listed(outgoing: Outgoing, server: str, kind: str, cancelled: Callable[[], bool]) -> list[Found]:
    for _ in range(TRIES):
        items: list[Found] = []
        after = ""
        for _ in range(MOST_PAGES):
            if cancelled():
                return items
            query = {"limit": str(PAGE), **({"continue": after} if after else {})}
            answer = outgoing.get(f"{server}{PATHS[kind]}?{urlencode(query)}")
            if answer.status == GONE:
                break  # the list grew old between two pages: from its beginning
            items += _items(answer, kind)
            after = str((answer.json().get("metadata") or {}).get("continue") or "")
            if not after:
                return items
        else:
            raise UnavailableError(
                f"there are more than {PAGE * MOST_PAGES} {kind}: read fewer kinds", code="kubernetes.endless"
            )
    raise ConflictError(
        f"the list of {kind} grew old {TRIES} times while it was read: try again later", code="kubernetes.busy"
    )


def _items(answer: Answer, kind: str) -> list[Found]:
    if answer.status in (401, 403, 404):
        raise _Refused(
            f"the account may not list {kind} (the API server answered {answer.status}): give it a role with `list` on "
            f"{kind}, or leave them out of `workloads`"
        )
    body = answer.checked(f"the list of {kind}").json()
    items = body.get("items") if isinstance(body, dict) else None
    if not isinstance(items, list):
        raise UnavailableError(
            f"the API server did not answer with a list of {kind}: check its address", code="kubernetes.answer"
        )
    path, name = PATHS[kind], KINDS.get(kind, kind)
    return [one for item in items if isinstance(item, dict) and (one := found(name, path, item))]
