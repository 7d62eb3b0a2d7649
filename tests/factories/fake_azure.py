"""An Azure DevOps for tests of actions, with real git repositories."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from factories.described import Answer, Call
from factories.git_host import GitHost
from factories.other_system import Asked, Reply

BASE = "/{organization}/{project}/_apis/git/repositories"


@dataclass
class FakeAzure:
    """One project."""

    git: GitHost
    url: str = ""
    repositories: dict[str, dict[str, Any]] = field(default_factory=dict)

    def find(self, call: Call) -> Answer:
        asked = call.at["repositoryId"]
        found = [one for one in self.repositories.values() if asked in (one["id"], one["name"])]
        return (200, found[0]) if found else (404, {"message": "TF401019: there is none"})

    def make(self, call: Call) -> Answer:
        name = call.body["name"]
        if name in self.repositories:
            return 409, {"message": "TF400948: there is one of that name"}
        place = f"{call.at['organization']}/{call.at['project']}"
        web = f"{self.url}/{place}/_git/{name}"
        number = len(self.repositories) + 1
        made = {"id": f"00000000-0000-4000-8000-{number:012}", "name": name, "remoteUrl": web, "webUrl": web}
        self.repositories[name] = made
        self.git.create(quote(f"{place}/{name}"))
        return 201, made

    def remove(self, call: Call) -> Answer:
        self.repositories = {key: one for key, one in self.repositories.items() if one["id"] != call.at["repositoryId"]}
        return 200, None

    def over_git(self, asked: Asked) -> Reply | None:
        place, mark, rest = asked.path.partition("/_git/")
        name, _, service = rest.partition("/")
        return self.git.answer(replace(asked, path=f"{place}/{name}.git/{service}")) if mark else None

    def handlers(self) -> dict[str, Callable[[Call], Answer]]:
        return {
            f"GET {BASE}/{{repositoryId}}": self.find,
            f"POST {BASE}": self.make,
            f"DELETE {BASE}/{{repositoryId}}": self.remove,
        }

    def prepare(self, *, has_repository: bool) -> None:
        assert not has_repository

    def state(self) -> dict[str, list[Any]]:
        """All that there is, by kind."""
        return {"repositories": list(self.repositories.values())}

    def has(self, name: str) -> bool:
        return name.rpartition("/")[2] in self.repositories
