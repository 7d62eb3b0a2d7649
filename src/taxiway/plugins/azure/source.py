"""The entity source `azure`: the descriptors in an organisation's repositories.

A repository costs one question for its head; when that moved, one for its tree and one for each descriptor.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from taxiway.model.errors import NotAllowedError, TaxiwayError
from taxiway.plugin import (
    HookRequest,
    Secrets,
    SourcedTree,
    SourceEnd,
    SourceGone,
    SourceItem,
    SourcePart,
    SourceProblem,
    SourceRequest,
    resolve_credential,
)
from taxiway.plugins.azure.settings import AzureOptions

if TYPE_CHECKING:
    from taxiway.plugins.azure.client import Client, Repository


@dataclass
class Tree:
    """A repository at a commit, as the host reads it."""

    client: Client
    repository: Repository
    branch: str
    state: str
    files: Sequence[str]

    def read(self, path: str) -> bytes:
        return self.client.file(self.repository, self.state, path)

    def match(self, pattern: str) -> Sequence[str]:
        return [path for path in self.files if fits(path, pattern)]

    def location(self, path: str) -> str:
        return f"url:{self.repository.web}?path=/{path}&version=GB{self.branch}"


class AzureSource:
    """Reads repositories of Azure DevOps."""

    key = "azure"
    options = AzureOptions

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def read(self, request: SourceRequest) -> Iterator[SourceItem]:
        """Every repository is a part; with hints, only those that were pushed to."""
        from taxiway.plugins.azure.client import Client

        options: AzureOptions = request.options
        touched = {str(hint.get("repository")) for hint in request.hints}
        client = Client(options, resolve_credential(options.token, self._secrets))
        try:
            for repository in client.repositories():
                if request.cancelled.is_set():
                    return
                if _is_wanted(repository, options) and (not touched or repository.id in touched):
                    touched.discard(repository.id)
                    yield from _read(client, repository, request)
        finally:
            client.close()
        if request.hints:
            yield from (SourceGone(part=part) for part in sorted(touched & set(request.parts())))
        yield SourceEnd(complete=not request.hints)

    def receive(self, request: HookRequest) -> Sequence[Mapping[str, Any]]:
        """The repository of the service hook `Code pushed` (`git.push`)."""
        options: AzureOptions = request.options
        if options.webhook_secret is None:
            raise NotAllowedError("the source has no webhook_secret", code="azure.hook")
        secret = resolve_credential(options.webhook_secret, self._secrets)
        if not hmac.compare_digest(_password(request.headers.get("authorization", "")), secret.encode()):
            raise NotAllowedError("the password of the webhook is wrong", code="azure.hook")
        return _pushed(request.body)


def _read(client: Client, repository: Repository, request: SourceRequest) -> Iterator[SourceItem]:
    options: AzureOptions = request.options
    branch = options.branch or repository.branch
    asked = sha256(repr((options.paths, branch)).encode()).hexdigest()[:16]
    try:
        commit = client.head(repository, branch) if branch else None
        if commit is None:
            yield SourcePart(repository.id, {"head": "", "asked": asked})
            return
        if request.part(repository.id) == {"head": commit, "asked": asked}:
            yield SourcePart(repository.id, same=True)
            return
        files = client.files(repository, commit)
    except TaxiwayError as error:
        yield SourceProblem(f"url:{repository.web}", error.detail)
        yield SourcePart(repository.id)
        return
    tree = Tree(client, repository, branch, commit, files)
    paths = sorted({path for pattern in options.paths for path in tree.match(pattern)})
    if paths:
        yield SourcedTree(tree, paths)
    yield SourcePart(repository.id, {"head": commit, "asked": asked})


def _is_wanted(repository: Repository, options: AzureOptions) -> bool:
    def named(name: str, patterns: Sequence[str]) -> bool:
        return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)

    return (
        named(repository.project, options.projects)
        and named(repository.name, options.repositories)
        and not named(repository.name, options.exclude)
    )


def fits(path: str, pattern: str) -> bool:
    """Whether a path is meant by a glob; `**/` also stands for nothing, `*` for no slash."""
    pattern = pattern.lstrip("/")
    if "**" not in pattern:
        return path.count("/") == pattern.count("/") and fnmatchcase(path, pattern)
    return fnmatchcase(path, pattern) or fnmatchcase(path, pattern.replace("**/", ""))


def _password(header: str) -> bytes:
    kind, _, value = header.partition(" ")
    try:
        found = base64.b64decode(value, validate=True) if kind.lower() == "basic" else b""
    except (binascii.Error, ValueError):
        return b""
    return found.partition(b":")[2]


def _pushed(body: bytes) -> Sequence[Mapping[str, Any]]:
    import json

    try:
        told = json.loads(body)
        if told["eventType"] != "git.push":
            return []
        return [{"repository": str(told["resource"]["repository"]["id"])}]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
