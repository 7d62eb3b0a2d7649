"""`taxiway env`: environments and what is in them."""

from __future__ import annotations

from cyclopts import App

from taxiway.cli.client import Client, entity_path, find_session, full_ref
from taxiway.cli.output import Output, note, show
from taxiway.cli.runs import follow

app = App(name="env", help="Environments, deployments, workloads and resources.")
BASE = "/api/environments/v1"


def _list(noun: str, columns: list[str], output: Output, service: str | None, environment: str | None) -> None:
    query = {"service": full_ref(service) if service else None, "environment": environment}
    show(list(Client(find_session()).pages(f"{BASE}/{noun}", query)), output, columns)


@app.command(name="list")
def list_environments(*, output: Output = "table") -> None:
    """List environments."""
    columns = ["name", "title", "type", "destination", "production"]
    show(Client(find_session()).call("GET", f"{BASE}/environments")["items"], output, columns)


@app.command
def deployments(*, service: str | None = None, environment: str | None = None, output: Output = "table") -> None:
    """List deployments, newest first."""
    columns = ["service_ref", "environment", "version", "state", "health", "created_at", "url"]
    _list("deployments", columns, output, service, environment)


@app.command
def releases(service: str, *, output: Output = "table") -> None:
    """List the releases of a service, newest first."""
    _list("releases", ["id", "version", "commit", "created_at"], output, service, None)


@app.command
def workloads(*, service: str | None = None, environment: str | None = None, output: Output = "table") -> None:
    """List running workloads with what they use."""
    columns = ["id", "environment", "state", "ready", "pid", "port", "restarts", "cpu_percent", "memory_bytes", "url"]
    _list("workloads", columns, output, service, environment)


@app.command
def resources(*, service: str | None = None, environment: str | None = None, output: Output = "table") -> None:
    """List provisioned resources."""
    _list("resources", ["id", "type", "driver", "state", "environment", "service_ref"], output, service, environment)


@app.command
def logs(workload_id: str, *, follow: bool = False) -> None:
    """Print the log of a workload."""
    client, after = Client(find_session()), 0
    path = f"{BASE}/workloads/{workload_id}/logs"
    for line in client.call("GET", path, query={"after": after, "limit": 500})["items"]:
        print(line["text"])
        after = line["seq"]
    if follow:
        for event, line in client.stream(f"{path}/stream", {"after": after}):
            if event == "log":
                print(line["text"], flush=True)


@app.command
def destroy(service: str, *, environment: str | None = None, wait: bool = True) -> int:
    """Remove SERVICE from one environment, or everything of it: processes, database, repository, entities."""
    client = Client(find_session())
    if environment is None:
        started = client.call("POST", "/api/delivery/v1/decommissions", body={"service_ref": full_ref(service)})
    else:
        path = f"{BASE}/services/{entity_path(service)}"
        started = client.call("DELETE", path, query={"environment": environment})
    note(f"run {started['run_id']}")
    return follow(client, started["run_id"]) if wait else 0
