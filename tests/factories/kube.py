"""A real API server of Kubernetes on a real etcd, with accounts by token. No controllers, no nodes."""

from __future__ import annotations

import os
import shutil
import ssl
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from factories.certificates import self_signed
from factories.engines import USER, program
from taxiway.plugin import daemons

START_SECONDS = 90.0
ACCOUNTS = {"admin": "system:masters", "reader": "", "nobody": ""}
"""Accounts, each with its name as its token, and the group that it is in."""
RBAC = "rbac.authorization.k8s.io"
KINDS = {
    "namespaces": ("v1", "Namespace", "/api/v1/namespaces"),
    "deployments": ("apps/v1", "Deployment", "/apis/apps/v1/namespaces/{}/deployments"),
    "statefulsets": ("apps/v1", "StatefulSet", "/apis/apps/v1/namespaces/{}/statefulsets"),
    "cronjobs": ("batch/v1", "CronJob", "/apis/batch/v1/namespaces/{}/cronjobs"),
    "clusterroles": (f"{RBAC}/v1", "ClusterRole", f"/apis/{RBAC}/v1/clusterroles"),
    "clusterrolebindings": (f"{RBAC}/v1", "ClusterRoleBinding", f"/apis/{RBAC}/v1/clusterrolebindings"),
}
SECRET = "s3cret-of-a-pod"
POD = {"containers": [{"name": "x", "image": "x", "env": [{"name": "PASSWORD", "value": SECRET}]}]}
RUNS = {"selector": {"matchLabels": {"app": "x"}}, "template": {"metadata": {"labels": {"app": "x"}}, "spec": POD}}
JOB = {"template": {"spec": {**POD, "restartPolicy": "Never"}}}
SPECS: Mapping[str, Any] = {
    "deployments": {"spec": RUNS},
    "statefulsets": {"spec": {**RUNS, "serviceName": "x"}},
    "cronjobs": {"spec": {"schedule": "0 * * * *", "jobTemplate": {"spec": JOB}}},
}


@dataclass
class KubeCluster:
    """It runs; `stop()` and `start()` are those of the API server."""

    home: Path
    etcd: str
    port: int
    running: list[daemons.Daemon] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def authority(self) -> Path:
        return self.home / "server.crt"

    def client(self, token: str = "admin") -> httpx.Client:
        tls = ssl.create_default_context(cafile=str(self.authority))
        headers = {"authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.url, headers=headers, verify=tls, timeout=20)

    def put(
        self, kind: str, name: str, namespace: str = "", *, more: Any = None, **metadata: Mapping[str, str]
    ) -> None:
        """Make something, or change its metadata."""
        version, title, path = KINDS[kind]
        body = {"apiVersion": version, "kind": title, "metadata": {"name": name, **metadata}, **SPECS.get(kind, {})}
        content = {"content-type": "application/apply-patch+yaml"}
        query = {"fieldManager": "tests", "force": "true"}
        with self.client() as client:
            answer = client.patch(
                f"{path.format(namespace)}/{name}", json={**body, **(more or {})}, headers=content, params=query
            )
        assert answer.is_success, answer.text

    def remove(self, kind: str, name: str, namespace: str = "") -> None:
        with self.client() as client:
            client.delete(f"{KINDS[kind][2].format(namespace)}/{name}").raise_for_status()

    def grant(self, account: str, name: str, *rules: Mapping[str, Any]) -> None:
        """Give an account a role in the whole cluster."""
        self.put("clusterroles", name, more={"rules": list(rules)})
        role, who = ({"apiGroup": RBAC, "kind": k, "name": n} for k, n in (("ClusterRole", name), ("User", account)))
        self.put("clusterrolebindings", name, more={"roleRef": role, "subjects": [who]})

    def start(self) -> None:
        """Start the API server and wait until it answers."""
        home = self.home
        command = [
            str(program("kube-apiserver")),
            f"--etcd-servers={self.etcd}",
            f"--secure-port={self.port}",
            "--bind-address=127.0.0.1",
            f"--tls-cert-file={self.authority}",
            f"--tls-private-key-file={home / 'server.key'}",
            f"--cert-dir={home}",
            f"--token-auth-file={home / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={home / 'account.pub'}",
            f"--service-account-signing-key-file={home / 'account.key'}",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--disable-admission-plugins=ServiceAccount",
            "--enable-priority-and-fairness=false",
        ]
        self.running.append(_start(command, home, "api.log"))
        client = self.client()
        _await(self.running[-1], lambda: client.get("/readyz").status_code == 200, home / "api.log")
        client.close()

    def restart_forgetting(self) -> None:
        """Start the API server anew on an etcd that has forgotten every version of before."""
        now = {"range_end": "AA==", "key": "AA==", "limit": 1}
        version = httpx.post(f"{self.etcd}/v3/kv/range", json=now).raise_for_status().json()["header"]["revision"]
        self.stop()
        httpx.post(f"{self.etcd}/v3/kv/compaction", json={"revision": version}).raise_for_status()
        self.start()

    def stop(self) -> None:
        """End the API server."""
        self.running.pop().end((9, 5.0))


@contextmanager
def kube_cluster() -> Iterator[KubeCluster]:
    """A fresh one on free ports of loopback; gone with all that it kept when the block ends."""
    etcd, _ = program("etcd"), program("kube-apiserver")
    home = Path(tempfile.mkdtemp(prefix="taxiway-kube-"))
    client, peer = (f"http://127.0.0.1:{daemons.free_port()}" for _ in range(2))
    cluster = KubeCluster(home, client, daemons.free_port())
    try:
        _keys(home)
        command = [str(etcd), f"--data-dir={home / 'etcd'}", "--unsafe-no-fsync", "--log-level=error"]
        command += [f"--listen-client-urls={client}", f"--advertise-client-urls={client}"]
        command += [f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}"]
        cluster.running.append(_start([*command, f"--initial-cluster=default={peer}"], home, "etcd.log"))
        cluster.start()
        yield cluster
    finally:
        for one in reversed(cluster.running):
            one.end((9, 5.0))
        shutil.rmtree(home, ignore_errors=True)


def _keys(home: Path) -> None:
    self_signed(home, "127.0.0.1")
    tokens = (f'{name},{name},uid-{name},"{group}"' for name, group in ACCOUNTS.items())
    (home / "tokens.csv").write_text("\n".join(tokens) + "\n")
    key = rsa.generate_private_key(65537, 2048)
    (home / "account.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (home / "account.pub").write_bytes(public)
    for path in (home, *home.iterdir()):
        daemons.give(path, USER)


def _start(command: list[str], home: Path, log: str) -> daemons.Daemon:
    environ = {"PATH": os.environ["PATH"], "HOME": str(home)}
    return daemons.start(command, identity=USER, cwd=home, log=home / log, environment=environ)


def _await(server: daemons.Daemon, ready: Any, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert server.alive(), daemons.tail(log)
        with suppress(httpx.HTTPError):
            if ready():
                return
        time.sleep(0.1)
    raise AssertionError(f"it does not answer:\n{daemons.tail(log)}")
