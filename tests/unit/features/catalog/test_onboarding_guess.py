"""What is guessed from a repository, and why."""

from __future__ import annotations

import time
from typing import Any

import pytest

from taxiway.features.catalog.onboarding_guess import People, entity_name, guess, has_descriptor
from taxiway.features.catalog.validation import validate
from taxiway.plugin import HostedRepository, RepositoryFacts

REPOSITORY = HostedRepository("shop-orders", "c1", owner="group:default/shop")


@pytest.mark.parametrize(
    ("paths", "files", "kind", "tags"),
    [
        (["pyproject.toml", "Dockerfile"], {}, "service", ["python"]),
        (["go.mod", "main.go"], {}, "library", ["go"]),
        (
            ["package.json", "tsconfig.json"],
            {"package.json": b'{"dependencies": {"vue": "3"}}'},
            "website",
            ["typescript"],
        ),
        (["main.tf", "modules/db/main.tf"], {}, "infrastructure", None),
        (["mkdocs.yml", "docs/index.md"], {}, "documentation", None),
        (["LICENSE"], {}, "other", None),
        (["chart/Chart.yaml", "pom.xml"], {}, "service", ["java"]),
    ],
)
def test_the_type_follows_from_the_files(
    paths: list[str], files: dict[str, bytes], kind: str, tags: list[str] | None
) -> None:
    found = guess(REPOSITORY, RepositoryFacts(paths, files), People(host_owner="group:default/shop"))
    assert found.main["spec"]["type"] == kind
    assert found.main["metadata"].get("tags") == tags
    assert found.reasons["type"]
    validate(found.main)


def test_code_owners_speak_before_commits_and_these_before_the_host() -> None:
    def owner(**people: Any) -> tuple[str | None, str]:
        found = guess(REPOSITORY, RepositoryFacts(["a"]), People(**people))
        return found.main["spec"].get("owner"), found.reasons["owner"]

    everything = {
        "code_owners": ["group:default/a"],
        "committers": [("group:default/b", 7)],
        "host_owner": "group:default/c",
    }
    assert owner(**everything) == ("group:default/a", "CODEOWNERS")
    assert owner(**{**everything, "code_owners": []}) == ("group:default/b", "7 of the last commits")
    assert owner(host_owner="group:default/c") == ("group:default/c", "owner of the repository")
    assert owner() == (None, "nobody could be found: name one")


def test_a_system_comes_from_the_name_or_is_the_owners_only_one() -> None:
    def system(**people: Any) -> str | None:
        found = guess(REPOSITORY, RepositoryFacts(["a"]), People(host_owner="group:default/c", **people))
        return found.main["spec"].get("system")

    assert system(systems={"shop", "orders"}) == "shop"
    assert system(systems_of={"group:default/c": ["billing"]}) == "billing"
    assert system(systems_of={"group:default/c": ["billing", "ledger"]}) is None


def test_a_description_of_an_api_becomes_an_api_of_its_own() -> None:
    facts = RepositoryFacts(["Dockerfile", "api/openapi.yaml", "schema.graphql"])
    found = guess(REPOSITORY, facts, People(host_owner="group:default/shop"))
    assert found.main["spec"]["providesApis"] == ["shop-orders-api", "shop-orders-api-2"]
    assert [(item["spec"]["type"], item["spec"]["definition"]) for item in found.documents[1:]] == [
        ("graphql", {"$text": "./schema.graphql"}),
        ("openapi", {"$text": "./api/openapi.yaml"}),
    ]


def test_a_descriptor_anywhere_counts_and_names_are_made_fit() -> None:
    assert has_descriptor(["a/b/catalog-info.yml"])
    assert not has_descriptor(["catalog-info.yaml.md"])
    assert entity_name("Acme/My App!") == "my-app"
    assert entity_name("___") == "repository"


def test_the_first_sentence_of_a_readme_describes_it() -> None:
    readme = b"# Orders\n\n[![x](y)](z)\n\nTakes **orders** from [the shop](https://x) and keeps them.\n"
    found = guess(REPOSITORY, RepositoryFacts(["README.md"], {"README.md": readme}), People())
    assert found.main["metadata"]["description"] == "Takes orders from the shop and keeps them."


def test_a_readme_made_to_be_slow_is_not() -> None:
    started = time.process_time()
    facts = RepositoryFacts(["README.md"], {"README.md": b"a" + b"[" * 19_000})
    guess(HostedRepository("x", "c1"), facts, People())
    assert time.process_time() - started < 0.5
