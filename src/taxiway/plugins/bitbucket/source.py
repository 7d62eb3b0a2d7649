"""The entity source `bitbucket`: the descriptors in repositories of a workspace, or of a Data Center.

A repository costs one or two questions for its head; when that moved, one for its tree and one for each descriptor.
"""

from __future__ import annotations

import hmac
import json
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
from taxiway.plugins.bitbucket.settings import BitbucketOptions

if TYPE_CHECKING:
    from taxiway.plugins.bitbucket.client import Client, Repository


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
        return f"url:{self.client.place(self.repository, self.branch, path)}"


class BitbucketSource:
    """Reads repositories of Bitbucket Cloud and Bitbucket Data Center."""

    key = "bitbucket"
    options = BitbucketOptions

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def read(self, request: SourceRequest) -> Iterator[SourceItem]:
        """Every repository is a part; with hints, only those that were pushed to."""
        from taxiway.plugins.bitbucket.client import client_of

        options: BitbucketOptions = request.options
        touched = {str(hint.get("repository")).lower() for hint in request.hints}
        client = client_of(options, resolve_credential(options.token, self._secrets))
        try:
            for repository in client.repositories():
                if request.cancelled.is_set():
                    return
                if _is_wanted(repository, options) and (not touched or repository.key.lower() in touched):
                    touched.discard(repository.key.lower())
                    yield from _read(client, repository, request)
        finally:
            client.close()
        if request.hints:
            yield from (SourceGone(part=part) for part in request.parts() if part.lower() in touched)
        yield SourceEnd(complete=not request.hints)

    def receive(self, request: HookRequest) -> Sequence[Mapping[str, Any]]:
        """The repository that was pushed to, by the webhooks of either kind of Bitbucket."""
        options: BitbucketOptions = request.options
        if options.webhook_secret is None:
            raise NotAllowedError("the source has no webhook_secret", code="bitbucket.hook")
        secret = resolve_credential(options.webhook_secret, self._secrets)
        wanted = "sha256=" + hmac.digest(secret.encode(), request.body, "sha256").hex()
        if not hmac.compare_digest(request.headers.get("x-hub-signature", "").encode(), wanted.encode()):
            raise NotAllowedError("the signature of the webhook is wrong", code="bitbucket.hook")
        if request.headers.get("x-event-key") not in ("repo:push", "repo:refs_changed"):
            return []
        return _pushed(request.body)


def _read(client: Client, repository: Repository, request: SourceRequest) -> Iterator[SourceItem]:
    options: BitbucketOptions = request.options
    asked = sha256(repr((options.paths, options.branch)).encode()).hexdigest()[:16]
    try:
        head = client.head(repository, options.branch)
        if head is None:
            yield SourcePart(repository.key, {"head": "", "asked": asked})
            return
        branch, commit = head
        state = {"head": f"{branch}@{commit}", "asked": asked}
        if request.part(repository.key) == state:
            yield SourcePart(repository.key, same=True)
            return
        files = client.files(repository, commit)
    except TaxiwayError as error:
        yield SourceProblem(f"url:{repository.web}", error.detail)
        yield SourcePart(repository.key)
        return
    tree = Tree(client, repository, branch, commit, files)
    paths = sorted({path for pattern in options.paths for path in tree.match(pattern)})
    if paths:
        yield SourcedTree(tree, paths)
    yield SourcePart(repository.key, state)


def _is_wanted(repository: Repository, options: BitbucketOptions) -> bool:
    def named(name: str, patterns: Sequence[str]) -> bool:
        return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)

    return (
        named(repository.project, options.projects)
        and named(repository.slug, options.repositories)
        and not named(repository.slug, options.exclude)
    )


def fits(path: str, pattern: str) -> bool:
    """Whether a path is meant by a glob; `**/` also stands for nothing, `*` for no slash."""
    pattern = pattern.lstrip("/")
    if "**" not in pattern:
        return path.count("/") == pattern.count("/") and fnmatchcase(path, pattern)
    return fnmatchcase(path, pattern) or fnmatchcase(path, pattern.replace("**/", ""))


def _pushed(body: bytes) -> Sequence[Mapping[str, Any]]:
    try:
        repository = json.loads(body)["repository"]
        name = repository.get("full_name") or f"{repository['project']['key']}/{repository['slug']}"
        return [{"repository": str(name)}]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []
