"""A source that says what a test has it say, and what the tests of overlays ask a server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import orjson
from pydantic import BaseModel

from taxiway.plugin import SourcedEntity, SourcedTree, SourceEnd, SourceItem, SourcePart, SourceRequest

API = "/api/catalog"
V1 = f"{API}/v1"
Document = dict[str, Any]


class Options(BaseModel):
    pass


class Script:
    """A source that says what the test has it say."""

    key = "script"
    options = Options

    def __init__(self) -> None:
        self.says: dict[str, list[Document]] = {}
        self.file: str | None = None

    def read(self, request: SourceRequest) -> Iterator[SourceItem]:
        if self.file is not None:
            yield SourcedTree(OneFile(self.file), ["overlay.yaml"])
        for number, document in enumerate(self.says.get(request.name, [])):
            yield SourcedEntity(document, f"url:https://cmdb.example/{document['metadata']['name']}", number + 1)
        yield SourcePart("all")
        yield SourceEnd()


class OneFile:
    """A repository with one file of overlays."""

    state = ""

    def __init__(self, text: str) -> None:
        self.text = text

    def read(self, path: str) -> bytes:
        return self.text.encode()

    def match(self, pattern: str) -> list[str]:
        return [pattern]

    def location(self, path: str) -> str:
        return f"url:https://forge.example/overlays/{path}"


def said(name: str, kind: str = "Component", spec: Document | None = None, **metadata: Any) -> Document:
    """What an overlay says of an entity: its document."""
    return {"kind": kind, "metadata": {"name": name, **metadata}, **({"spec": spec} if spec is not None else {})}


def push(admin: httpx.Client, source: str, *documents: Document, complete: bool = False) -> Any:
    """Push documents, and what came of it."""
    body = b"\n".join(map(orjson.dumps, documents)) or b"\n"
    answer = admin.post(f"{V1}/push/{source}", params={"complete": complete}, content=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def get(admin: httpx.Client, name: str) -> Any:
    """A component of the default namespace."""
    answer = admin.get(f"{API}/entities/by-name/component/default/{name}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def titleless(admin: httpx.Client, name: str) -> bool:
    """Whether a component has no title."""
    return "title" not in get(admin, name)["metadata"]


def problems(admin: httpx.Client, ref: str) -> list[Any]:
    """What is wrong with what is said of a reference, newest first."""
    found: list[Any] = admin.get(f"{V1}/problems", params={"ref": ref}).json()["items"]
    return found


def layers(admin: httpx.Client, **params: Any) -> list[tuple[str, str, str]]:
    """(reference, source, state) of what overlays say."""
    items = admin.get(f"{V1}/overlays", params=params).json()["items"]
    return [(item["ref"], item["source_id"], item["state"]) for item in items]
