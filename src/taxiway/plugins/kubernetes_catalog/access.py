"""How to reach a cluster: a kubeconfig, an address with a token, or the pod's own service account. No network."""

from __future__ import annotations

import base64
import binascii
import os
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from taxiway.model.errors import InputError, NotFoundError
from taxiway.plugins.kubernetes_catalog.settings import KubernetesOptions

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
MOST_BYTES = 5_000_000


@dataclass(frozen=True)
class Access:
    """The API server's address, what goes with each request, and how its certificate is judged."""

    server: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    tls: ssl.SSLContext | None = None


def access_of(options: KubernetesOptions, token: str | None, environ: Mapping[str, str] = os.environ) -> Access:
    """How to reach the cluster that `options` name. InputError and NotFoundError say what is missing."""
    if options.kubeconfig is not None:
        return _by_kubeconfig(Path(options.kubeconfig), options.context)
    if options.server is not None:
        tls = _trusting(options.ca_file) if options.ca_file else None
        return Access(options.server.rstrip("/"), _bearer(token) if token else {}, tls)
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host or not (ACCOUNT / "token").is_file():
        raise InputError("name a kubeconfig or a server: Taxiway does not run in a cluster", code="kubernetes.access")
    address = f"[{host}]" if ":" in host else host
    tls = _trusting(str(ACCOUNT / "ca.crt"))
    return Access(f"https://{address}:{port}", _bearer((ACCOUNT / "token").read_text().strip()), tls)


def _trusting(authorities: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authorities)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise InputError(
            f"the certificates in {authorities} cannot be read ({error}): name a file in PEM form in ca_file",
            code="kubernetes.ca_file",
        ) from error


def _by_kubeconfig(path: Path, context: str | None) -> Access:
    config = _read(path)
    name = context or config.get("current-context")
    chosen = _named(config, "contexts", "context", name, path)
    cluster = _named(config, "clusters", "cluster", chosen.get("cluster"), path)
    user = _named(config, "users", "user", chosen.get("user"), path) if chosen.get("user") else {}
    server = cluster.get("server")
    if not isinstance(server, str):
        raise _wrong(path, f"the cluster of the context {name} has no server")
    return Access(server.rstrip("/"), _credentials(user, path), _tls(cluster, user, path))


def _read(path: Path) -> Mapping[str, Any]:
    if not path.is_absolute():
        raise InputError(f"'{path}' is no absolute path", code="kubernetes.kubeconfig")
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES)
    except OSError as error:
        raise NotFoundError(f"{path} cannot be read: {error.strerror}", code="kubernetes.kubeconfig") from error
    try:
        found = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise _wrong(path, "it is no YAML") from error
    if not isinstance(found, Mapping):
        raise _wrong(path, "it is no kubeconfig")
    return found


def _named(config: Mapping[str, Any], group: str, key: str, name: Any, path: Path) -> Mapping[str, Any]:
    for item in config.get(group) or ():
        if isinstance(item, Mapping) and item.get("name") == name and isinstance(item.get(key), Mapping):
            return dict(item[key])
    raise _wrong(path, f"there is no {key} '{name}' in it")


def _credentials(user: Mapping[str, Any], path: Path) -> dict[str, str]:
    if user.get("exec") or user.get("auth-provider"):
        raise _wrong(path, "its user signs in by a program, which is not run here: make a service account's token")
    if user.get("tokenFile"):
        try:
            return _bearer((path.parent / str(user["tokenFile"])).read_text().strip())
        except OSError as error:
            raise _wrong(path, f"its tokenFile cannot be read: {error.strerror}") from error
    if user.get("token"):
        return _bearer(str(user["token"]))
    if user.get("username"):
        pair = f"{user['username']}:{user.get('password', '')}"
        return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return {}


def _tls(cluster: Mapping[str, Any], user: Mapping[str, Any], path: Path) -> ssl.SSLContext | None:
    if not str(cluster["server"]).startswith("https:"):
        return None
    if cluster.get("insecure-skip-tls-verify"):
        raise _wrong(path, "it says insecure-skip-tls-verify, which is not done here: name certificate-authority-data")
    authority = _content(cluster, "certificate-authority", path)
    certificate, key = (_content(user, name, path) for name in ("client-certificate", "client-key"))
    try:
        tls = ssl.create_default_context(cadata=authority.decode("ascii") if authority else None)
        if certificate and key:
            # The library reads a certificate with its key from files only.
            with tempfile.NamedTemporaryFile() as file:
                file.write(certificate + b"\n" + key)
                file.flush()
                tls.load_cert_chain(file.name)
    except (ssl.SSLError, ValueError) as error:
        raise _wrong(path, "its certificates cannot be read") from error
    return tls


def _content(values: Mapping[str, Any], name: str, path: Path) -> bytes:
    try:
        if values.get(f"{name}-data"):
            return base64.b64decode(str(values[f"{name}-data"]), validate=True)
        return (path.parent / str(values[name])).read_bytes() if values.get(name) else b""
    except (OSError, binascii.Error) as error:
        raise _wrong(path, f"its {name} cannot be read") from error


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def _wrong(path: Path, detail: str) -> InputError:
    return InputError(f"{path}: {detail}", code="kubernetes.kubeconfig")
