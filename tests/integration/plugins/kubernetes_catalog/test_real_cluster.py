"""A real API server of Kubernetes. Skipped where there is none: `make engines NAME=kube-apiserver` and `NAME=etcd`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from factories.following import Following, names, until
from factories.kube import SECRET, KubeCluster, kube_cluster
from taxiway.plugin import SourcedEntity, SourceEnd, SourceGone, SourceProblem, SourceRequest
from taxiway.plugin.testing import MemorySecrets
from taxiway.plugins.kubernetes_catalog import lists, watching
from taxiway.plugins.kubernetes_catalog.source import KubernetesSource

ID = {"backstage.io/kubernetes-id": "orders"}
OWNER = {"taxiway.dev/owner": "group:default/orders"}
ROLE = (
    {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list", "watch"]},
    {"apiGroups": ["apps"], "resources": ["deployments", "daemonsets"], "verbs": ["list", "watch"]},
    {"apiGroups": ["batch"], "resources": ["cronjobs"], "verbs": ["list", "watch"]},
)
"""What the guide says, without the stateful sets."""


@pytest.fixture(scope="module")
def kube() -> Iterator[KubeCluster]:
    with kube_cluster() as running:
        running.grant("reader", "taxiway-catalog", *ROLE)
        for name in ("shop", "team-a"):
            running.put("namespaces", name, annotations=OWNER if name == "shop" else {})
        running.put("deployments", "orders", "shop", labels=ID)
        running.put("deployments", "web", "shop", labels=ID, annotations={"taxiway.dev/owner": "group:default/web"})
        running.put("deployments", "plain", "team-a")
        running.put("statefulsets", "db", "shop", labels=ID)
        running.put("cronjobs", "nightly", "team-a", annotations=ID)
        yield running


@pytest.fixture
def following(kube: KubeCluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Following[KubeCluster]]:
    monkeypatch.setattr(watching, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(watching, "SETTLE_SECONDS", 0.05)
    monkeypatch.setattr(lists, "PAGE", 1)
    found = Following(kube, *_source(kube, "reader"))
    yield found
    found.request.cancelled.set()


def _source(kube: KubeCluster, account: str, **more: Any) -> tuple[KubernetesSource, SourceRequest]:
    secrets = MemorySecrets()
    secrets.put("cluster", account)
    source = KubernetesSource(secrets)
    given = {"cluster": "prod", "owner": "platform", "server": kube.url, "token": "secret://memory/cluster"}
    options = source.options.model_validate({**given, "ca_file": str(kube.authority), **more})
    return source, SourceRequest("prod", options)


def test_a_cluster_is_read_page_by_page_as_far_as_the_account_may(following: Following[KubeCluster]) -> None:
    items = following.read()
    assert names(items) == [
        "prod",
        "prod-default",
        "prod-shop",
        "prod-shop-orders",
        "prod-shop-web",
        "prod-team-a",
        "prod-team-a-nightly",
    ]
    documents = {one.document["metadata"]["name"]: one.document for one in items if isinstance(one, SourcedEntity)}
    owners = {name: documents[name]["spec"]["owner"] for name in ("prod-shop", "prod-shop-orders", "prod-shop-web")}
    assert owners == {
        "prod-shop": "group:default/orders",
        "prod-shop-orders": "platform",
        "prod-shop-web": "group:default/web",
    }
    nightly = documents["prod-team-a-nightly"]
    assert nightly["spec"]["type"] == "kubernetes-cronjob"
    assert nightly["spec"]["dependencyOf"] == ["component:default/orders"]
    assert nightly["metadata"]["annotations"]["backstage.io/kubernetes-namespace"] == "team-a"
    assert SECRET not in str(items), "specifications stay in the cluster"
    (problem,) = [one for one in items if isinstance(one, SourceProblem)]
    assert "may not list statefulsets" in problem.detail
    for account, said in (("nobody", "may not list namespaces"), ("stranger", "401")):
        source, request = _source(following.cluster, account)
        (refused,) = source.read(request)
        assert isinstance(refused, SourceProblem)
        assert said in refused.detail


def test_changes_are_told_also_behind_a_restart_of_an_api_server_that_forgot_what_was(
    following: Following[KubeCluster],
) -> None:
    kube = following.cluster
    following.read()
    following.follow()
    kube.put("deployments", "orders", "shop", labels={**ID, "version": "2"})
    kube.put("deployments", "stock", "shop", labels=ID)
    assert following.told(1) == [[{"namespace": "shop"}]]
    items = following.read(following.hints[0])
    assert "prod-shop-stock" in names(items)
    assert items[-1] == SourceEnd(complete=False)
    kube.remove("cronjobs", "nightly", "team-a")
    assert following.told(2)[1] == [{"namespace": "team-a"}]
    assert [one.part for one in following.read(following.hints[1]) if isinstance(one, SourceGone)] == [
        "team-a/cronjobs"
    ]
    kube.put("cronjobs", "nightly", "team-a", annotations=ID)  # one kind goes on, the version of the others grows old
    following.told(3)
    kube.restart_forgetting()
    until(lambda: () in following.hints or following.error, 30)
    assert following.error is None, "that it refuses everybody while it reads its roles is not the end"
    assert "prod-team-a-nightly" in names(following.read())
    count = len(following.hints)
    kube.put("deployments", "late", "shop", labels=ID)
    until(lambda: len(following.hints) > count or following.error)
    assert "prod-shop-late" in names(following.read(following.hints[-1]))
