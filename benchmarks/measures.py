"""What is measured over HTTP, alike for Taxiway and for the peer: both speak Backstage's catalog and scaffolder API."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.client import Api, load
from benchmarks.peer import FOLDER

CATALOG, TASKS = "/api/catalog", "/api/scaffolder/v2/tasks"
INGEST_SECONDS = 600.0
BY_NAME = "by-name (500 random refs)"
PAGE = "by-query kind=component,spec.type=service limit=20"
FACETS = "entity-facets type+lifecycle+tags of components"
NOOP = """apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: bench}
spec: {type: team, children: []}
---
apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: {name: bench-noop}
spec:
  owner: group:default/bench
  type: service
  steps:
    - {id: one, action: "debug:log", input: {message: one}}
    - {id: two, action: "debug:log", input: {message: two}}
    - {id: three, action: "debug:log", input: {message: three}}
"""


def generate(script: str, out: Path, *arguments: str) -> None:
    """Run one of the peer's generators."""
    command = [sys.executable, str(FOLDER / script), "--out", str(out), *arguments]
    subprocess.run(command, check=True, capture_output=True, timeout=300)


def template(api: Api, file: Path, name: str) -> None:
    """Register a template and return when it can be used."""
    api.call("POST", f"{CATALOG}/locations", {"type": "file", "target": str(file)}, fine=(409,))
    end = time.perf_counter() + 60
    while api.send("GET", f"{CATALOG}/entities/by-name/template/default/{name}")[0] != 200:
        if time.perf_counter() > end:
            raise RuntimeError(f"the template {name} did not appear within 60 s")
        time.sleep(0.1)


def tasks(api: Api, name: str, count: int, poll_seconds: float) -> list[float]:
    """Seconds from POST to `completed` of tasks run one after another; one before them warms up."""
    times = []
    for number in range(count + 1):
        values = {"name": f"svc-{number}", "owner": "group:default/bench", "tested": True}
        begin = time.perf_counter()
        task = api.call("POST", TASKS, {"templateRef": f"template:default/{name}", "values": values})["id"]
        while (status := api.call("GET", f"{TASKS}/{task}")["status"]) not in ("completed", "failed", "cancelled"):
            time.sleep(poll_seconds)
        times.append(time.perf_counter() - begin)
        if status != "completed":
            raise RuntimeError(f"task {task} of {name} ended as {status}")
    return times[1:]


def ingest(api: Api, folder: Path, count: int) -> float:
    """Register `folder`'s entities and wait until every one is listed; returns the seconds."""

    def total() -> int:
        return int(api.call("GET", f"{CATALOG}/entities/by-query?limit=1&fields=kind")["totalItems"])

    before, begin = total(), time.perf_counter()
    api.call("POST", f"{CATALOG}/locations", {"type": "file", "target": str(folder / "all.yaml")}, fine=(409,))
    while total() < before + count:
        if time.perf_counter() - begin > INGEST_SECONDS:
            raise RuntimeError(f"{count} entities were not taken in within {INGEST_SECONDS:.0f} s")
        time.sleep(0.25)
    return time.perf_counter() - begin


def queries(api: Api, folder: Path, seconds: float) -> Iterator[tuple[str, int, str]]:
    """(row, connections, figures) of the three catalog rows with 1 and 16 connections."""
    refs = sorted(json.loads((folder / "expected.json").read_text())["entities"])
    names = [ref.replace(":", "/", 1) for ref in random.Random(1).sample(refs, min(500, len(refs)))]
    facets = "&".join(f"facet={name}" for name in ("spec.type", "spec.lifecycle", "metadata.tags"))
    rows = {
        BY_NAME: [f"{CATALOG}/entities/by-name/{name}" for name in names],
        PAGE: [f"{CATALOG}/entities/by-query?filter=kind=component,spec.type=service&limit=20"],
        FACETS: [f"{CATALOG}/entity-facets?filter=kind=component&{facets}"],
    }
    for row, paths in rows.items():
        for connections in (1, 16):
            yield row, connections, load(api, paths, connections, seconds)
