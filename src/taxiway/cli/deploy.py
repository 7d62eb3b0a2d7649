"""`taxiway deploy` and `taxiway rollback`: move releases into environments."""

from __future__ import annotations

from taxiway.cli.client import Client, find_session, full_ref
from taxiway.cli.errors import CliError
from taxiway.cli.output import note
from taxiway.cli.runs import follow

BASE = "/api/environments/v1"


def deploy(service: str, environment: str, *, release: str | None = None, wait: bool = True) -> int:
    """Deploy a release of SERVICE to ENVIRONMENT: the newest one, or the one given by --release."""
    client, ref = Client(find_session()), full_ref(service)
    if release is None:
        newest = next(client.pages(f"{BASE}/releases", {"service": ref, "limit": 1}, most=1), None)
        if newest is None:
            raise CliError(f"{ref} has no release: push a commit whose pipeline becomes green", 5)
        release = newest["id"]
    body = {"service_ref": ref, "environment": environment, "release_id": release}
    return _finish(client, client.call("POST", f"{BASE}/deployments", body=body), wait)


def rollback(service: str, environment: str, *, release: str | None = None, wait: bool = True) -> int:
    """Deploy the release that was live before in ENVIRONMENT, or an older one given by --release."""
    client = Client(find_session())
    body = {"service_ref": full_ref(service), "environment": environment, "release_id": release}
    return _finish(client, client.call("POST", f"{BASE}/rollbacks", body=body), wait)


def _finish(client: Client, started: dict[str, str], wait: bool) -> int:
    note(f"run {started['run_id']}")
    return follow(client, started["run_id"]) if wait else 0
