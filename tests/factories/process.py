"""Releases and manifests for tests of the process destination: a wheel made by hand, no network needed."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

APP = """
import json, os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *args): pass
    def do_GET(self):
        status = 503 if self.path == "/readyz" and os.environ.get("MODE") == "never-ready" else 200
        body = json.dumps({"pid": os.getpid(), "uid": os.getuid(), "argv": sys.argv[1:], "env": dict(os.environ)})
        body = body.encode() if self.path == "/all" else os.environ.get("GREETING", "hello").encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

def main():
    if os.environ.get("MODE") == "crash":
        sys.exit("Traceback: the configuration is wrong")
    print("listening", flush=True)
    Server((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""


def wheel(code: str = APP, name: str = "shop") -> bytes:
    """A wheel with one module and one console script of the same name."""
    info = f"{name}-0.1.0.dist-info"
    parts = {
        f"{name}.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
    }
    record = "".join(f"{path},,\n" for path in [*parts, f"{info}/RECORD"])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as pack:
        for path, text in {**parts, f"{info}/RECORD": record}.items():
            pack.writestr(zipfile.ZipInfo(path), text)
    return out.getvalue()


def release(folder: Path, code: str = APP, lock: str = "", name: str = "shop") -> Path:
    """The artefact of a release as the pipeline's upload is packed: a tar."""
    contents = {f"{name}-0.1.0-py3-none-any.whl": wheel(code, name), "requirements.lock.txt": lock.encode()}
    path = folder / f"{hashlib.sha256(repr((code, lock, name)).encode()).hexdigest()[:12]}.tar"
    path.write_bytes(archive(contents))
    return path


def archive(contents: Mapping[str, bytes]) -> bytes:
    """A tar of these files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for member, data in contents.items():
            info = tarfile.TarInfo(member)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def manifests(
    digest: str, env: list[dict[str, Any]] | None = None, environment: str = "dev", name: str = "shop", **container: Any
) -> list[dict[str, Any]]:
    """Deployment, Service and HTTPRoute as delivery renders them."""
    marks = {"taxiway.dev/service": name}

    def meta() -> dict[str, Any]:
        return {"name": name, "namespace": environment, "labels": marks}

    main = {
        "name": "main",
        "image": f"taxiway-artifact:{digest}",
        "command": [name],
        "env": env or [],
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}},
        **container,
    }
    rule = {
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        "backendRefs": [{"name": name, "port": 80}],
    }
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": meta(),
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": marks},
                "template": {
                    "metadata": {"labels": marks},
                    "spec": {"terminationGracePeriodSeconds": 1, "containers": [main]},
                },
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta(),
            "spec": {"selector": marks, "ports": [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]},
        },
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {**meta(), "name": f"{name}-route"},
            "spec": {"hostnames": [f"{name}.{environment}.localhost"], "rules": [rule]},
        },
    ]


def cron_job(digest: str, environment: str = "dev", name: str = "report", **spec: Any) -> dict[str, Any]:
    """A CronJob as delivery renders it. `job` has fields of the job, `container` of the container."""
    marks = {"taxiway.dev/service": name, "taxiway.dev/deployment": spec.pop("deployment", "d1")}
    job, container = spec.pop("job", {}), spec.pop("container", {})
    main = {"name": "main", "image": f"taxiway-artifact:{digest}", **container}
    pod = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [main]}
    template = {"metadata": {"labels": marks}, "spec": pod}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {
            "name": name,
            "namespace": environment,
            "labels": marks,
            "annotations": {"taxiway.dev/service-ref": f"component:default/{name}"},
        },
        "spec": {"schedule": "0 0 1 1 *", **spec, "jobTemplate": {"spec": {**job, "template": template}}},
    }


def external_secret(reference: str, name: str = "shop-db", environment: str = "dev") -> dict[str, Any]:
    """An ExternalSecret with one key, `password`."""
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": environment},
        "spec": {"target": {"name": name}, "data": [{"secretKey": "password", "remoteRef": {"key": reference}}]},
    }
