"""Lists of a cluster's objects, by their metadata alone, page by page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from taxiway.model.errors import ConflictError, UnavailableError
from taxiway.plugins.kubernetes_catalog.entities import KINDS, Found, found

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


class RefusedError(Exception):
    """The account may not list a kind, or the cluster does not have it."""


def listed(
    outgoing: Outgoing, server: str, kind: str, cancelled: Callable[[], bool], namespace: str = ""
) -> tuple[list[Found], str]:
    """All objects of a kind, or those in a namespace, and the version that the list is of."""
    base, _, plural = PATHS[kind].rpartition("/")
    where = f"{base}/namespaces/{quote(namespace, safe='')}/{plural}" if namespace else PATHS[kind]
    for _ in range(TRIES):
        items: list[Found] = []
        after = ""
        for _ in range(MOST_PAGES):
            if cancelled():
                return items, ""
            query = {"limit": str(PAGE), **({"continue": after} if after else {})}
            headers = {"accept": f"{METADATA_ONLY},application/json"}
            answer = outgoing.get(f"{server}{where}?{urlencode(query)}", headers=headers)
            if answer.status == GONE:
                break  # the list grew old between two pages: from its beginning
            items += _items(answer, kind)
            metadata = answer.json().get("metadata") or {}
            after = str(metadata.get("continue") or "")
            if not after:
                return items, str(metadata.get("resourceVersion") or "")
        else:
            raise UnavailableError(
                f"there are more than {PAGE * MOST_PAGES} {kind}: read fewer kinds", code="kubernetes.endless"
            )
    raise ConflictError(
        f"the list of {kind} grew old {TRIES} times while it was read: try again later", code="kubernetes.busy"
    )


def refused(kind: str, verb: str, status: int) -> RefusedError:
    """What to say of a kind that the account may not read."""
    if status == 401:
        return RefusedError(
            f"the API server does not know the credential that would {verb} {kind} (it answered 401): tokens run out, "
            "make another one"
        )
    otherwise = "" if kind == "namespaces" else ", or leave them out of `workloads`"
    return RefusedError(
        f"the account may not {verb} {kind} (the API server answered {status}): give it a role with `{verb}` on "
        f"{kind}{otherwise}"
    )


def _items(answer: Answer, kind: str) -> list[Found]:
    if answer.status in (401, 403, 404):
        raise refused(kind, "list", answer.status)
    body = answer.checked(f"the list of {kind}").json()
    is_list = isinstance(body, dict) and str(body.get("kind")).endswith("List") and "items" in body
    items = (body["items"] or []) if is_list else None  # an empty list of metadata has null for its items
    if not isinstance(items, list):
        raise UnavailableError(
            f"the API server did not answer with a list of {kind}: check its address", code="kubernetes.answer"
        )
    path, name = PATHS[kind], KINDS.get(kind, kind)
    return [one for item in items if isinstance(item, dict) and (one := found(name, path, item))]
