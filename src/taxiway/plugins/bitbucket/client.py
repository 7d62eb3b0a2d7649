"""Calls of Bitbucket's two REST APIs: Cloud's (2.0) and Data Center's (1.0). Loaded when a source is read."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

from taxiway.model.errors import NotFoundError, UnavailableError
from taxiway.plugin import MAX_SOURCE_FILE
from taxiway.plugin.outgoing import Answer, Hosts, Limits, Outgoing, pages
from taxiway.plugins.bitbucket.settings import BitbucketOptions

DEEPEST = 10
"""Folders below each other that Cloud's tree is read into."""


@dataclass(frozen=True)
class Repository:
    """A repository; `key` names it for good (`<project or workspace>/<slug>`), `web` is where people see it. `branch`
    is empty where that has to be asked for, or nothing was pushed."""

    key: str
    slug: str
    project: str
    web: str
    branch: str = ""


class Client(Protocol):
    """What both kinds of Bitbucket can do here."""

    def repositories(self) -> Iterator[Repository]:
        """Every repository that the token sees."""
        ...

    def head(self, repository: Repository, branch: str | None) -> tuple[str, str] | None:
        """(branch, commit) of a branch, or of the main one; None when there is none."""
        ...

    def files(self, repository: Repository, commit: str) -> Sequence[str]:
        """The paths of all files at a commit."""
        ...

    def file(self, repository: Repository, commit: str, path: str) -> bytes:
        """A file at a commit."""
        ...

    def place(self, repository: Repository, branch: str, path: str) -> str:
        """The address of a file for people."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


def client_of(options: BitbucketOptions, token: str) -> Client:
    """The client for what `options` name."""
    if options.username:
        pair = base64.b64encode(f"{options.username}:{token}".encode()).decode()
        headers = {"authorization": f"Basic {pair}"}
    else:
        headers = {"authorization": f"Bearer {token}"}
    base = (options.url or options.cloud_api).rstrip("/")
    # Cloud may lead on to its storage for files: redirects are judged again, and the token does not go along.
    hosts = Hosts([urlsplit(base).netloc], only=options.url is not None)
    outgoing = Outgoing(hosts=hosts, headers=headers, limits=Limits(body_bytes=50_000_000))
    return DataCenter(outgoing, base, options) if options.url else Cloud(outgoing, base, options)


@dataclass(frozen=True)
class Cloud:
    """Bitbucket Cloud."""

    outgoing: Outgoing
    base: str
    options: BitbucketOptions

    def close(self) -> None:
        self.outgoing.close()

    def repositories(self) -> Iterator[Repository]:
        workspace = quote(str(self.options.workspace), safe="")
        for item in self._values(f"{self.base}/2.0/repositories/{workspace}?pagelen=100"):
            slug, main, project = item.get("slug"), item.get("mainbranch"), item.get("project")
            if not isinstance(slug, str):
                continue
            web = f"https://bitbucket.org/{self.options.workspace}/{slug}"
            yield Repository(
                f"{self.options.workspace}/{slug}",
                slug,
                str(project.get("key") or "") if isinstance(project, dict) else "",
                web,
                str(main.get("name") or "") if isinstance(main, dict) else "",
            )

    def head(self, repository: Repository, branch: str | None) -> tuple[str, str] | None:
        name = branch or repository.branch
        if not name:
            return None
        answer = self.outgoing.get(f"{self._of(repository)}/refs/branches/{quote(name, safe='')}")
        if answer.status == 404:
            return None
        target = _object(answer.checked(repository.key)).get("target")
        return (name, str(target["hash"])) if isinstance(target, dict) and target.get("hash") else None

    def files(self, repository: Repository, commit: str) -> Sequence[str]:
        query = urlencode(
            {"pagelen": 100, "max_depth": DEEPEST, "q": 'type="commit_file"', "fields": "values.path,next"}
        )
        found = self._values(f"{self._of(repository)}/src/{commit}/?{query}")
        return sorted(str(item["path"]) for item in found if "path" in item)

    def file(self, repository: Repository, commit: str, path: str) -> bytes:
        return _file(self.outgoing, f"{self._of(repository)}/src/{commit}/{quote(path)}", path, repository)

    def place(self, repository: Repository, branch: str, path: str) -> str:
        return f"{repository.web}/src/{quote(branch, safe='')}/{quote(path)}"

    def _of(self, repository: Repository) -> str:
        return f"{self.base}/2.0/repositories/{quote(repository.key)}"

    def _values(self, url: str) -> Iterator[Mapping[str, Any]]:
        def following(answer: Answer) -> str | None:
            found = _object(answer).get("next")
            return found if isinstance(found, str) else None

        for answer in pages(lambda at: self.outgoing.get(at).checked("Bitbucket"), url, following):
            yield from _list(answer)


@dataclass(frozen=True)
class DataCenter:
    """Bitbucket Data Center, or Server."""

    outgoing: Outgoing
    base: str
    options: BitbucketOptions

    def close(self) -> None:
        self.outgoing.close()

    def repositories(self) -> Iterator[Repository]:
        for item in self._values("repos", {}):
            slug, project = item.get("slug"), item.get("project")
            if not isinstance(slug, str) or not isinstance(project, dict):
                continue
            if item.get("archived") and not self.options.archived:
                continue
            key = str(project.get("key"))
            yield Repository(f"{key}/{slug}", slug, key, f"{self.base}/projects/{quote(key)}/repos/{quote(slug)}")

    def head(self, repository: Repository, branch: str | None) -> tuple[str, str] | None:
        if branch is None:
            answer = self.outgoing.get(f"{self._api(self._of(repository))}/default-branch")
            if answer.status in (204, 404):
                return None
            branch = str(_object(answer.checked(repository.key)).get("displayId") or "")
        wanted = f"refs/heads/{branch}"
        query = {"filterText": branch, "boostMatches": "true"}
        found = self._values(f"{self._of(repository)}/branches", query, most=1)
        return next(((branch, str(one["latestCommit"])) for one in found if one.get("id") == wanted), None)

    def files(self, repository: Repository, commit: str) -> Sequence[str]:
        return sorted(self._pages(f"{self._of(repository)}/files", {"at": commit}, limit=1000))

    def file(self, repository: Repository, commit: str, path: str) -> bytes:
        url = f"{self._api(self._of(repository))}/raw/{quote(path)}?{urlencode({'at': commit})}"
        return _file(self.outgoing, url, path, repository)

    def place(self, repository: Repository, branch: str, path: str) -> str:
        return f"{repository.web}/browse/{quote(path)}?{urlencode({'at': f'refs/heads/{branch}'})}"

    def _of(self, repository: Repository) -> str:
        return f"projects/{quote(repository.project)}/repos/{quote(repository.slug)}"

    def _api(self, path: str) -> str:
        return f"{self.base}/rest/api/1.0/{path}"

    def _values(self, path: str, query: Mapping[str, str], most: int = 2000) -> Iterator[Mapping[str, Any]]:
        return (item for item in self._pages(path, query, most=most) if isinstance(item, dict))

    def _pages(self, path: str, query: Mapping[str, str], *, limit: int = 100, most: int = 2000) -> Iterator[Any]:
        def url(start: int) -> str:
            return f"{self._api(path)}?{urlencode({**query, 'limit': limit, 'start': start})}"

        def following(answer: Answer) -> str | None:
            body = _object(answer)
            start = body.get("nextPageStart")
            return None if body.get("isLastPage", True) or most == 1 else url(start) if isinstance(start, int) else None

        for answer in pages(lambda at: self.outgoing.get(at).checked("Bitbucket"), url(0), following, most):
            found = _object(answer).get("values")
            if not isinstance(found, list):
                raise _no_bitbucket()
            yield from found


def _list(answer: Answer) -> Iterator[Mapping[str, Any]]:
    found = _object(answer).get("values")
    if not isinstance(found, list):
        raise _no_bitbucket()
    return (item for item in found if isinstance(item, dict))


def _object(answer: Answer) -> Mapping[str, Any]:
    body = answer.json()
    if not isinstance(body, dict):
        raise _no_bitbucket()
    return body


def _file(outgoing: Outgoing, url: str, path: str, repository: Repository) -> bytes:
    answer = outgoing.get(url, limits=Limits(body_bytes=MAX_SOURCE_FILE))
    if answer.status == 404:
        raise NotFoundError(f"there is no file '{path}' in {repository.key}", code="bitbucket.no_file")
    return answer.checked(f"{path} in {repository.key}").body


def _no_bitbucket() -> UnavailableError:
    return UnavailableError("it did not answer as Bitbucket does: check `url`", code="bitbucket.answer")
