"""A fake of a forge that holds both sides to the forge's published API description (a reduced copy in tests/data/apis).

Requests to operations, parameters or body fields that the description does not have are refused and noted, and so are
answers of the fake that do not fit it: a test that uses one fails when `problems` is not empty at its end.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import jsonschema_rs

from factories.openapi import filled
from factories.other_system import Asked, OtherSystem, Reply, Respond, other_system

FOLDER = Path(__file__).parents[1] / "data" / "apis"
TEXT_TYPES = {"integer": int, "number": float}


@dataclass(frozen=True)
class Call:
    """A request to an operation: its path parameters, its query, and its body as JSON."""

    at: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]


Answer = tuple[int, Any]
Git = Callable[[Asked], Reply | None]
Handlers = Mapping[str, Callable[[Call], Answer]]
"""`GET /path/{template}` → what answers it."""


@dataclass(frozen=True)
class Operation:
    """One of a description, ready to judge with."""

    name: str
    pattern: re.Pattern[str]
    spec: Mapping[str, Any]


@dataclass
class Described:
    """A description by the name of its file; `base` is where the API is below the host."""

    name: str
    base: str
    problems: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    dies_behind: int | None = None
    """The number of the changing request that is done and never answered."""
    _validators: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.document = json.loads((FOLDER / f"{self.name}.json").read_text())
        self.operations = [
            Operation(f"{method.upper()} {path}", _pattern(path), spec)
            for path, methods in self.document["paths"].items()
            for method, spec in methods.items()
        ]

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """The operation of a path, the one with the fewest parameters where several match."""
        found = []
        for one in self.operations:
            match = one.pattern.fullmatch(path)
            if match and one.name.startswith(f"{method} "):
                values = (unquote(value) for value in match.groups())
                found.append((one, dict(zip(_names(one.name), values, strict=True))))
        return min(found, key=lambda item: len(item[1]), default=None)

    def judge(self, operation: Operation, query: Mapping[str, str], body: bytes) -> Any:
        """The body as JSON. ValueError for what the description does not allow."""
        known = {one["name"]: one for one in operation.spec.get("parameters", [])}
        for name, value in query.items():
            if name.removesuffix("[]") not in known and name not in known:
                raise ValueError(f"has no parameter {name}")
            schema = known.get(name, {}).get("schema", {})
            typed: Any = value in ("true", "1") if schema.get("type") == "boolean" else value
            self._valid(
                f"{operation.name} ?{name}", schema, TEXT_TYPES.get(str(schema.get("type")), lambda text: text)(typed)
            )
        for name, one in known.items():
            if one.get("required") and name not in query:
                raise ValueError(f"lacks the parameter {name}")
        content = operation.spec.get("requestBody")
        if content is None:
            if body:
                raise ValueError("takes no body")
            return None
        if not body and not content.get("required"):
            return None
        form = content["content"].get("multipart/form-data")
        if form is not None:
            self._valid(f"{operation.name} form", form["schema"], _fields(body), closed=True)
            return None
        said = json.loads(body)
        self._valid(f"{operation.name} body", content["content"]["application/json"]["schema"], said, closed=True)
        return said

    def judge_answer(self, operation: Operation, answer: Answer, *, closed: bool = False) -> None:
        """ValueError for a success that the description does not tell of; `closed`: for a field too."""
        status, body = answer
        if status >= 300:
            return
        responses = operation.spec["responses"]
        if str(status) not in responses:
            raise ValueError(f"does not answer {status}")
        content = responses[str(status)].get("content")
        if content is not None:
            self._valid(f"{operation.name} {status}", content["application/json"]["schema"], body, closed=closed)

    def whole(self, operation: Operation, status: int, body: Any) -> Any:
        """An answer with all that the description requires of it beside what a fake says in it."""
        content = operation.spec["responses"].get(str(status), {}).get("content")
        return body if content is None else filled(self.document, content["application/json"]["schema"], body)

    def _valid(self, name: str, schema: Any, value: Any, *, closed: bool = False) -> None:
        if name not in self._validators:
            judged = _closed(schema) if closed else schema
            whole = {**judged, "components": self.document.get("components", {})}
            self._validators[name] = jsonschema_rs.Draft202012Validator(whole)
        try:
            self._validators[name].validate(value)
        except jsonschema_rs.ValidationError as error:
            raise ValueError(f"{error.message} at {'/'.join(map(str, error.instance_path))}") from error


def judged(api: Described, respond: Respond, beside: tuple[str, ...] = ()) -> Respond:
    """What a fake answers, with both sides held to the description: requests, and its answers made whole. Paths that
    end with one of `beside` are no part of it."""

    def answer(asked: Asked) -> Reply:
        parts = urlsplit(asked.path)
        if parts.path.endswith(beside):
            return respond(asked)
        found = api.find(asked.method, parts.path.removeprefix(api.base)) if parts.path.startswith(api.base) else None
        place = f"{asked.method} {asked.path}"
        if found is None:
            api.problems.append(f"{place} is not in the description")
            return respond(asked)
        operation, _ = found
        try:
            api.judge(operation, dict(parse_qsl(parts.query, keep_blank_values=True)), asked.body)
            reply = respond(asked)
            if reply.status < 300 and not isinstance(reply.body, bytes):
                reply = replace(reply, body=api.whole(operation, reply.status, reply.body))
                api.judge_answer(operation, (reply.status, reply.body), closed=True)
        except ValueError as error:
            api.problems.append(f"{place}: {error}")
            return Reply({"message": api.problems[-1]}, 501)
        return reply

    return answer


@contextmanager
def described_system(api: Described, handlers: Handlers, git: Git = lambda asked: None) -> Iterator[OtherSystem]:
    """The fake, with `git` behind the paths of git. What has no handler is answered with 501 and noted."""

    def died(what: str) -> Reply | None:
        api.changes.append(what)
        return Reply(status=500) if len(api.changes) == api.dies_behind else None

    def respond(asked: Asked) -> Reply:
        by_git = git(asked)
        if by_git is not None:
            return (died("push") if asked.path.endswith("git-receive-pack") else None) or by_git
        parts = urlsplit(asked.path)
        found = api.find(asked.method, parts.path.removeprefix(api.base))
        place = f"{asked.method} {parts.path}"
        if found is None or not parts.path.startswith(api.base):
            api.problems.append(f"{place} is not in the description")
            return Reply({"message": api.problems[-1]}, 501)
        operation, at = found
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        try:
            body = api.judge(operation, query, asked.body)
            if operation.name not in handlers:
                raise ValueError("has no handler")
            answer = handlers[operation.name](Call(at, query, body, asked.headers))
            api.judge_answer(operation, answer)
        except Exception as error:  # of the fake too: it would pass for a server that ended
            api.problems.append(f"{place}: {error!r}")
            return Reply({"message": api.problems[-1]}, 501)
        status, content = answer
        dead = died(operation.name) if asked.method != "GET" and status < 300 else None
        return dead or Reply(b"" if content is None else content, status)

    with other_system(respond) as system:
        yield system


def _names(operation: str) -> list[str]:
    return re.findall(r"\{([^}]+)\}", operation)


def _fields(body: bytes) -> dict[str, str]:
    """The fields of a form in parts."""
    boundary = body.partition(b"\r\n")[0]
    parts = (part.partition(b"\r\n\r\n") for part in body.split(boundary)[1:-1])
    named = ((re.search(rb'name="([^"]*)"', head), value) for head, _, value in parts)
    return {match[1].decode(): value.decode().removesuffix("\r\n") for match, value in named if match}


SEVERAL = ("{ref}", "{path}")
"""What may have slashes in it, as the last part of a path."""


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^}]+\})", path)
    whole = "".join("([^/]+)" if part.startswith("{") else re.escape(part) for part in parts)
    return re.compile(whole.removesuffix("([^/]+)") + "(.*)" if path.endswith(SEVERAL) else whole)


def _closed(schema: Any) -> Any:
    """The schema with no room for what it does not name."""
    closed = copy.deepcopy(schema)

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "properties" in node and "additionalProperties" not in node:
                node["additionalProperties"] = False
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(closed)
    return closed
