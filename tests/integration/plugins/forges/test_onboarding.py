"""Repositories of GitHub and GitLab that may get a first descriptor: what a look costs, and pull requests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from factories.catalog import component
from factories.forge_fakes import TOKEN, FakeForge, Repo, github, gitlab
from factories.other_system import Reply
from taxiway.model.errors import ConflictError, NotFoundError, RateLimitedError
from taxiway.plugin import HostingSource, RepositorySource
from taxiway.plugin.testing import RepositorySourceConformance, memory_host
from taxiway.plugins.github import contribute as github_contribute
from taxiway.plugins.github.settings import GitHubSettings
from taxiway.plugins.gitlab import contribute as gitlab_contribute
from taxiway.plugins.gitlab.settings import GitLabSettings

OWNERS = "* @acme/guards\n"


@dataclass
class Onboarding:
    """A forge, and the host's memory of the last look."""

    kind: str
    forge: FakeForge
    entities: Any
    kept: dict[str, str] = field(default_factory=dict)

    def source(self, **more: Any) -> RepositorySource:
        named = {"org" if self.kind == "github" else "group": "acme", "host": self.forge.host}
        options = self.entities.options.model_validate({**named, **more})
        assert isinstance(self.entities, HostingSource)
        return self.entities.hosting("source:code", options, self.kept.get)

    def look(self, **more: Any) -> tuple[list[str], list[str]]:
        """The repositories that changed since the last look, and what was asked for."""
        self.forge.asked()
        source, changed = self.source(**more), []
        for one in source.repositories():
            if self.kept.get(one.name) != one.state:
                changed.append(one.name)
                source.read(one, ["CODEOWNERS", "README.md"])
            self.kept[one.name] = one.state
        return changed, self.forge.asked()


@pytest.fixture(params=["github", "gitlab"])
def onboarding(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Onboarding]:
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    with (github if request.param == "github" else gitlab)() as forge:
        forge.per_page = 100
        forge.repositories = {
            "acme/orders": Repo({"CODEOWNERS": OWNERS, "README.md": "Takes orders", "src/main.py": "x"}),
            "acme/stock": Repo({"deep/catalog-info.yaml": component("stock")}),
            "acme/empty": Repo({}),
            "acme/old": Repo({"README.md": "r"}, archived=True),
        }
        host = {"host": forge.host, "scheme": "http", "token": "env:FORGE_TOKEN"}
        model = GitHubSettings if request.param == "github" else GitLabSettings
        settings: Any = model.model_validate({"hosts": [host]})
        context = memory_host(tmp_path, request.param, settings).context
        made = (github_contribute if request.param == "github" else gitlab_contribute)(context)
        yield Onboarding(request.param, forge, next(later.made for point, later in made if point == "entity_source"))


def test_what_a_descriptor_is_guessed_from_is_read(onboarding: Onboarding) -> None:
    source = onboarding.source()
    facts = {one.name: source.read(one, ["CODEOWNERS", "README.md"]) for one in source.repositories()}
    assert sorted(facts) == ["acme/orders", "acme/stock"]
    orders = facts["acme/orders"]
    assert sorted(orders.paths) == ["CODEOWNERS", "README.md", "src/main.py"]
    assert orders.files == {"CODEOWNERS": OWNERS.encode(), "README.md": b"Takes orders"}
    assert orders.authors == [("gil@example.org", 2)]
    assert "deep/catalog-info.yaml" in facts["acme/stock"].paths
    assert [one.name for one in onboarding.source(repositories="st.*").repositories()] == ["acme/stock"]


def test_an_unchanged_repository_costs_one_conditional_request_at_most(onboarding: Onboarding) -> None:
    onboarding.forge.repositories = {f"acme/r{n}": Repo({"README.md": str(n)}) for n in range(150)}
    changed, _ = onboarding.look()
    assert len(changed) == 150
    changed, asked = onboarding.look()
    assert changed == []
    inside = [path for path in asked if "/commits/" in path or "/trees/" in path]
    assert len(inside) == (0 if onboarding.kind == "github" else 150)
    assert len(asked) - len(inside) <= 4, "the listing"
    repo = onboarding.forge.repositories["acme/r7"]
    repo.files["new"] = "x"
    repo.pushed_at = "2024-02-02T00:00:00Z"
    assert onboarding.look()[0] == ["acme/r7"]


def test_a_push_that_the_listing_cannot_date_is_found_by_a_conditional_request(onboarding: Onboarding) -> None:
    del onboarding.forge.repositories["acme/empty"]
    for repo in onboarding.forge.repositories.values():
        repo.pushed_at = ""
    onboarding.look()
    changed, asked = onboarding.look()
    assert (changed, len([path for path in asked if "/commits/" in path or "/trees/" in path])) == ([], 2)


def test_a_rate_limit_ends_the_look_with_the_pause_that_it_asks_for(onboarding: Onboarding) -> None:
    onboarding.look()
    onboarding.kept.clear()
    limited = Reply({"message": "slow down"}, 429, {"retry-after": "120"})
    onboarding.forge.fails = lambda asked: limited if "README" in asked.path or "/commits" in asked.path else None
    with pytest.raises(RateLimitedError) as error:
        onboarding.look()
    assert error.value.retry_after_seconds is not None
    assert error.value.retry_after_seconds > 60


def test_a_proposal_that_was_interrupted_is_finished(onboarding: Onboarding) -> None:
    refused = Reply({"message": "later"}, 500)
    onboarding.forge.fails = lambda asked: (
        refused if asked.method == "POST" and asked.path.endswith(("/pulls", "/merge_requests")) else None
    )
    said = {"title": "Add orders", "body": "", "by": "user:default/ann", "key": "k1"}
    with pytest.raises(Exception, match="500"):
        onboarding.source().propose("acme/orders", "catalog-info.yaml", b"a: 1\n", **said)
    onboarding.forge.fails = None
    made = onboarding.source().propose("acme/orders", "catalog-info.yaml", b"a: 1\n", **said)
    repo = onboarding.forge.repositories["acme/orders"]
    assert made == {"url": repo.pulls[0].get("html_url") or repo.pulls[0]["web_url"]}
    assert repo.branches == {"taxiway-onboard-k1": {"catalog-info.yaml": b"a: 1\n"}}
    assert len(repo.pulls) == 1
    with pytest.raises(NotFoundError):
        onboarding.source().propose("acme/nowhere", "a", b"", **said)
    with pytest.raises(ConflictError):
        onboarding.source(archived=True).propose("acme/old", "a", b"", **said)


class TestConformance(RepositorySourceConformance):
    @pytest.fixture
    def source(self, onboarding: Onboarding) -> RepositorySource:
        return onboarding.source()

    @pytest.fixture
    def name(self) -> str:
        return "acme/orders"
