"""A cluster's API in the shapes of Kubernetes 1.3x (metadata-only lists): pages, refusals, kubeconfigs, TLS."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from factories.certificates import self_signed
from factories.outside import Asked, Said, answering
from taxiway.model.errors import ConflictError, InputError, TaxiwayError
from taxiway.plugin import SourcedEntity, SourceEnd, SourceProblem, SourceRequest
from taxiway.plugin.testing import EntitySourceConformance, MemorySecrets
from taxiway.plugins.kubernetes_catalog.lists import METADATA_ONLY
from taxiway.plugins.kubernetes_catalog.source import KubernetesSource

TOKEN = "t0ken"


def item(name: str, namespace: str | None = None, labels: Any = None, annotations: Any = None) -> dict[str, Any]:
    metadata = {
        "name": name,
        "uid": f"uid-{name}",
        "resourceVersion": "41",
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    more = {"namespace": namespace, "labels": labels, "annotations": annotations}
    return {"metadata": {**metadata, **{key: value for key, value in more.items() if value is not None}}}


@dataclass
class Cluster:
    """Answers lists two items at a time; `refused` kinds with 403, `aged` lists once with 410 in the middle."""

    lists: dict[str, list[dict[str, Any]]]
    refused: set[str] = field(default_factory=set)
    aged: int = 0
    page: int = 2

    def answer(self, asked: Asked) -> Said:
        kind = asked.path.rpartition("/")[2]
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Said(401, {"kind": "Status", "status": "Failure", "reason": "Unauthorized", "code": 401})
        assert asked.headers["accept"].startswith(METADATA_ONLY), "only metadata is asked for"
        if kind in self.refused:
            return Said(403, {"kind": "Status", "message": f"{kind} is forbidden", "reason": "Forbidden", "code": 403})
        start = int(asked.query.get("continue", "0"))
        if start and self.aged:
            self.aged -= 1
            return Said(410, {"kind": "Status", "reason": "Expired", "code": 410})
        items = self.lists.get(kind, [])
        following = start + self.page
        metadata = {"resourceVersion": "99", **({"continue": str(following)} if following < len(items) else {})}
        body = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
        return Said(200, {**body, "items": items[start:following] or None})


@pytest.fixture
def cluster() -> Cluster:
    marked = {"backstage.io/kubernetes-id": "orders"}
    return Cluster(
        {
            "namespaces": [
                item("shop"),
                item("kube-system"),
                item("team-a", annotations={"taxiway.dev/owner": "team-a"}),
            ],
            "deployments": [
                item("orders", "shop", labels=marked, annotations={"taxiway.dev/owner": "group:default/orders"}),
                item("plain", "shop"),
                item("orders", "team-a", annotations=marked),
                item("coredns", "kube-system", labels=marked),
            ],
            "cronjobs": [item("orders", "shop", labels={**marked, "x": 1})],
        }
    )


@pytest.fixture
def server(cluster: Cluster) -> Iterator[str]:
    with answering(cluster.answer) as url:
        yield url


@pytest.fixture
def source() -> KubernetesSource:
    secrets = MemorySecrets()
    secrets.put("cluster", TOKEN)
    secrets.put("wrong", "wrong")
    return KubernetesSource(secrets)


def options(server: str, **more: Any) -> dict[str, Any]:
    return {"cluster": "prod", "owner": "platform", "server": server, "token": "secret://memory/cluster"} | more


def read(source: KubernetesSource, given: dict[str, Any]) -> list[Any]:
    return list(source.read(SourceRequest("prod", source.options.model_validate(given))))


def entities(items: list[Any]) -> dict[str, Any]:
    found = [one.document for one in items if isinstance(one, SourcedEntity)]
    return {f"{one['kind']}:{one['metadata']['name']}": one for one in found}


class TestContract(EntitySourceConformance):
    @pytest.fixture
    def options(self, server: str) -> dict[str, Any]:
        return options(server)

    @pytest.fixture
    def missing(self, server: str) -> dict[str, Any]:
        return options(server, token="secret://memory/wrong")


def test_a_cluster_becomes_resources_that_components_depend_on(
    source: KubernetesSource, server: str, cluster: Cluster
) -> None:
    items = read(source, options(server))
    found = entities(items)
    named = {"Resource:prod", "Resource:prod-shop", "Resource:prod-team-a", "Resource:prod-team-a-orders"}
    assert set(found) == named | {one for one in found if one.startswith("Resource:prod-shop-orders")}
    assert len(found) == 6, "two workloads of one name in one namespace are two"
    assert found["Resource:prod-shop"]["spec"] == {
        "type": "kubernetes-namespace",
        "owner": "platform",
        "dependsOn": ["resource:default/prod"],
    }
    kinds = {one["spec"]["type"]: one for one in found.values() if "dependencyOf" in one["spec"]}
    assert set(kinds) == {"kubernetes-deployment", "kubernetes-cronjob"}
    assert kinds["kubernetes-cronjob"]["spec"]["dependencyOf"] == ["component:default/orders"]
    places = {one.location for one in items if isinstance(one, SourcedEntity)}
    assert f"url:{server}/apis/apps/v1/namespaces/shop/deployments/orders" in places
    assert isinstance(items[-1], SourceEnd)
    assert items[-1].cursor == {
        "versions": dict.fromkeys(["namespaces", *source.options(**options(server)).workloads], "99")
    }


def test_components_and_plain_workloads_come_when_asked_for(source: KubernetesSource, server: str) -> None:
    found = entities(
        read(source, options(server, components=True, all_workloads=True, namespaces=["s*"], system="shop"))
    )
    assert found["Component:orders"]["spec"] == {
        "type": "service",
        "lifecycle": "production",
        "owner": "platform",
        "system": "shop",
    }
    assert "Resource:prod-shop-plain" in found
    assert "Resource:prod-team-a" not in found


def test_a_list_that_grew_old_is_read_again(source: KubernetesSource, server: str, cluster: Cluster) -> None:
    cluster.aged = 1
    assert len(entities(read(source, options(server)))) == 6
    cluster.aged = 9
    with pytest.raises(ConflictError):
        read(source, options(server))


def test_a_kind_that_may_not_be_listed_is_a_problem(source: KubernetesSource, server: str, cluster: Cluster) -> None:
    cluster.refused = {"cronjobs"}
    items = read(source, options(server))
    problems = [one for one in items if isinstance(one, SourceProblem)]
    assert len(problems) == 1
    assert "cronjobs" in problems[0].detail
    assert len(entities(items)) == 5


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"items": 7}', b'{"metadata": null}'])
def test_what_is_no_cluster_is_said(source: KubernetesSource, body: bytes) -> None:
    with answering(lambda asked: Said(200, body)) as url, pytest.raises(TaxiwayError):
        read(source, options(url))


def test_odd_items_do_no_harm(source: KubernetesSource, server: str, cluster: Cluster) -> None:
    cluster.lists["deployments"] += [{}, {"metadata": 1}, {"metadata": {"name": 7}}, item("x", "gone"), 3]
    assert len(entities(read(source, options(server)))) == 6


def kubeconfig(path: Path, server: str, user: dict[str, Any], **cluster: Any) -> str:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": user}],
    }
    path.write_text(yaml.safe_dump(config))
    return str(path)


def test_a_kubeconfig_says_where_and_who(source: KubernetesSource, server: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    for user in ({"token": TOKEN}, {"tokenFile": "token"}):
        given = {"cluster": "prod", "owner": "o", "kubeconfig": kubeconfig(tmp_path / "config", server, user)}
        assert len(entities(read(source, given))) == 6


def test_kubeconfigs_that_cannot_be_used_say_why(source: KubernetesSource, server: str, tmp_path: Path) -> None:
    path = tmp_path / "config"
    (tmp_path / "bad").write_text("{")
    (tmp_path / "list").write_text("[]")
    secure = "https://127.0.0.1:1"
    cases = [
        ({"kubeconfig": str(tmp_path / "none")}, "cannot be read"),
        ({"kubeconfig": "config"}, "absolute"),
        ({"kubeconfig": str(tmp_path / "bad")}, "YAML"),
        ({"kubeconfig": str(tmp_path / "list")}, "no kubeconfig"),
        ({"kubeconfig": kubeconfig(path, server, {}), "context": "there"}, "'there'"),
        ({}, "kubeconfig or a server"),
        ({"server": "https://127.0.0.1:1", "ca_file": str(tmp_path / "none")}, "ca_file"),
        ({"server": "https://127.0.0.1:1", "ca_file": str(tmp_path / "bad")}, "ca_file"),
    ]
    for given, said in cases:
        with pytest.raises(TaxiwayError, match=said):
            read(source, {"cluster": "prod", "owner": "o", **given})
    for user, cluster, said in (
        ({"exec": {"command": "aws"}}, {}, "program"),
        ({}, {"insecure-skip-tls-verify": True}, "insecure"),
        ({}, {"certificate-authority-data": "!"}, "certificate-authority"),
        ({}, {"certificate-authority-data": base64.b64encode(b"x").decode()}, "certificates"),
        ({"tokenFile": "gone"}, {}, "tokenFile"),
    ):
        given = {"cluster": "prod", "owner": "o", "kubeconfig": kubeconfig(path, secure, user, **cluster)}
        with pytest.raises(InputError, match=said):
            read(source, given)


def test_the_clusters_certificate_and_ours_are_used(source: KubernetesSource, cluster: Cluster, tmp_path: Path) -> None:
    public, private = self_signed(tmp_path, "127.0.0.1")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(public, private)
    tls.load_verify_locations(public)
    tls.verify_mode = ssl.CERT_REQUIRED
    data = base64.b64encode(public.read_bytes()).decode()
    user = {"token": TOKEN, "client-certificate-data": data, "client-key": str(private)}
    with answering(cluster.answer, tls) as url:
        known = kubeconfig(tmp_path / "config", url, user, **{"certificate-authority-data": data})
        assert len(entities(read(source, {"cluster": "prod", "owner": "o", "kubeconfig": known}))) == 6
        unknown = kubeconfig(tmp_path / "config", url, user)
        with pytest.raises(TaxiwayError) as caught:
            read(source, {"cluster": "prod", "owner": "o", "kubeconfig": unknown})
        assert TOKEN not in json.dumps([caught.value.detail, str(caught.value.internal)])
