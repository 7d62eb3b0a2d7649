"""The built-in forge as a source of repositories to onboard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from taxiway.core.context import OpContext, Platform
from taxiway.features.catalog.onboarding_guess import MAX_FILE
from taxiway.features.catalog.sources.targets import forge_of
from taxiway.features.pulls import service as pulls
from taxiway.features.pulls.service.hosts import owner_of
from taxiway.model.errors import TooLargeError
from taxiway.model.workload import FileChange
from taxiway.plugin import HostedRepository, RepositoryFacts

OURS = "env-"
"""Repositories of environments are written by delivery: they need no descriptor."""
MADE_HERE = "@users.taxiway.invalid"
"""The address of those who have none, in commits by Taxiway."""
COMMITS = 50
PAGE = 100
ONBOARDING = "taxiway/onboard-"
"""Branches of pull requests that bring a first descriptor."""


class ForgeRepositories:
    """A listing, and the head of each default branch; a repository is opened further when that is new."""

    key = "git_local"

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def repositories(self) -> Iterator[HostedRepository]:
        forge, after = forge_of(self._platform), ""
        while page := forge.list_repositories(after, PAGE):
            for there in page:
                if there.archived or there.name.startswith(OURS):
                    continue
                head = forge.resolve(there.name, f"refs/heads/{there.default_branch}")
                if head is not None:
                    yield HostedRepository(there.name, head, there.clone_url, there.description, owner_of(there))
            after = page[-1].name

    def read(self, repository: HostedRepository, wanted: Sequence[str]) -> RepositoryFacts:
        forge, name, head = forge_of(self._platform), repository.name, repository.state
        paths = forge.list_files(name, head)
        files = {}
        for path in set(wanted).intersection(paths):
            try:
                content = forge.read_file(name, head, path, MAX_FILE)
            except TooLargeError:
                continue
            if content is not None:
                files[path] = content
        authors = Counter(_author(row) for row in forge.log(name, head, COMMITS))
        return RepositoryFacts(paths, files, authors.most_common(20))

    def propose(
        self, name: str, path: str, content: bytes, *, title: str, body: str, by: str, key: str
    ) -> Mapping[str, str | int]:
        system = self._platform.system("catalog")
        acting = OpContext(self._platform, replace(system.principal, on_behalf_of=by), system.request_id)
        proposal = pulls.Proposal(name, f"{ONBOARDING}{key}", {path: FileChange(content)}, title, body)
        row = pulls.propose_change(acting, proposal)
        number = int(row["number"])
        return {"number": number, "url": f"{self._platform.public_url()}/pulls/{name}/{number}"}


def _author(row: Mapping[str, object]) -> str:
    """A user where the commit was made here, else the address that git wrote."""
    mail = str(row.get("mail") or row["author"])
    return f"user:default/{mail.removesuffix(MADE_HERE)}" if mail.endswith(MADE_HERE) else mail
