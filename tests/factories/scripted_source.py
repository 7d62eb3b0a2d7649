"""A source whose repositories are what a test says, and what the tests of configured sources ask a server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict

from factories.served import Served
from taxiway.model.errors import NotAllowedError, NotFoundError
from taxiway.plugin import (
    HookRequest,
    SourcedEntity,
    SourcedTree,
    SourceEnd,
    SourceGone,
    SourceItem,
    SourcePart,
    SourceRequest,
)

API = "/api/catalog"
SOURCES = f"{API}/v1/sources"
Read = Callable[[], dict[str, Any]]
"""Reads the source `forge` and gives how its run ended."""


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    org: str
    token: str = ""


class Script:
    """A source whose repositories are what the test says: files by path, by name."""

    key = "script"
    options = Options

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, str]] = {}
        self.fails: Exception | None = None
        self.requests: list[SourceRequest] = []
        self.read_parts: list[str] = []
        self.people: list[str] = []

    def read(self, request: SourceRequest) -> Iterator[SourceItem]:
        self.requests.append(request)
        self.read_parts = []
        chosen = [str(hint["name"]) for hint in request.hints] or sorted(self.repositories)
        for name in chosen:
            files = self.repositories.get(name)
            if files is None:
                yield SourceGone(part=name)
                continue
            state = {"digest": str(hash(tuple(files.items())))}
            if request.part(name) == state:
                yield SourcePart(name, same=True)
                continue
            self.read_parts.append(name)
            yield SourcedTree(_Tree(name, files), ["catalog-info.yaml"])
            yield SourcePart(name, state)
        if self.fails:
            raise self.fails
        if self.people and not request.hints:
            for name in self.people:
                yield SourcedEntity(_group(name), f"url:https://forge.example/teams/{name}", vouched=True)
            yield SourcePart("teams")
        yield SourceEnd({"at": 1}, complete=not request.hints)

    def receive(self, request: HookRequest) -> Sequence[dict[str, Any]]:
        if request.headers.get("x-signature") != "right":
            raise NotAllowedError("the signature is wrong")
        return [{"name": json.loads(request.body)["name"]}] if request.body else []


class _Tree:
    state = ""

    def __init__(self, name: str, files: dict[str, str]) -> None:
        self.name, self.files = name, files

    def read(self, path: str) -> bytes:
        if path not in self.files:
            raise NotFoundError(f"there is no file {path}")
        return self.files[path].encode()

    def match(self, pattern: str) -> Sequence[str]:
        return [path for path in self.files if path == pattern]

    def location(self, path: str) -> str:
        return f"url:https://forge.example/{self.name}/{path}"


def _group(name: str) -> dict[str, Any]:
    spec = {"type": "team", "children": []}
    return {"apiVersion": "backstage.io/v1alpha1", "kind": "Group", "metadata": {"name": name}, "spec": spec}


def ended(server: Served, run_id: str) -> dict[str, Any]:
    """Wait for a run: its state, its error and what its first step came to."""
    for _ in server.platform.runs.follow(run_id):
        pass
    run = server.platform.runs.get(run_id)
    return {"state": run.state, "error": run.error, **(run.steps[0].output or {})}


def names(client: httpx.Client, kind: str = "component") -> list[str]:
    """Of the entities of a kind."""
    return sorted(item["metadata"]["name"] for item in client.get(f"{API}/entities?filter=kind={kind}").json())


def told_of(client: httpx.Client) -> dict[str, Any]:
    """What the API says of the source `forge`."""
    found: dict[str, Any] = client.get(f"{SOURCES}/source:forge").json()
    return found
