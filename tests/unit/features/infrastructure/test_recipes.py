from __future__ import annotations

import pytest

from taxiway.features.infrastructure.model import Recipe, choose, rank, recipe_of, resource_key
from taxiway.model.errors import ConflictError, InputError, NotFoundError

FACTS = {"class": "default", "id": None, "environment": "staging", "environmentType": "production"}


def recipe(name: str, type_: str = "postgres", **match: str) -> Recipe:
    return Recipe(f"recipe:default/{name}", type_, "driver", match)


def test_the_most_specific_recipe_wins_whatever_the_order() -> None:
    recipes = [
        recipe("class", **{"class": "default"}),
        recipe("type", environmentType="production"),
        recipe("environment", environment="staging"),
        recipe("id", id="shared"),
        recipe("general"),
    ]
    facts = {**FACTS, "id": "shared"}
    ranked = [c.recipe.ref.split("/")[1] for c in rank(recipes, "postgres", facts)]
    assert ranked == ["id", "environment", "type", "class", "general"]
    assert choose(recipes[:-2], "postgres", facts).ref == "recipe:default/environment"


def test_a_higher_condition_beats_all_lower_ones_together() -> None:
    low = recipe("low", environmentType="production", **{"class": "default"})
    assert choose([low, recipe("high", environment="staging")], "postgres", FACTS).ref == "recipe:default/high"


def test_a_tie_is_refused_and_names_both() -> None:
    with pytest.raises(ConflictError, match=r"recipe:default/a and recipe:default/b"):
        choose([recipe("a"), recipe("b")], "postgres", FACTS)


def test_a_class_is_only_kept_by_a_recipe_that_names_it() -> None:
    facts = {**FACTS, "class": "large"}
    with pytest.raises(NotFoundError, match="does not name the class large"):
        choose([recipe("general")], "postgres", facts)
    assert choose([recipe("general"), recipe("large", **{"class": "large"})], "postgres", facts).match


def test_without_a_recipe_the_error_says_what_there_is() -> None:
    with pytest.raises(NotFoundError, match="recipes exist for: postgres"):
        choose([recipe("general")], "kafka-topic", FACTS)


def test_an_unknown_condition_is_refused() -> None:
    document = {
        "apiVersion": "taxiway.dev/v1",
        "kind": "Recipe",
        "metadata": {"name": "x"},
        "spec": {"resourceType": "postgres", "driver": "d", "match": {"region": "eu"}},
    }
    with pytest.raises(InputError, match="region"):
        recipe_of(document)


def test_the_identity_of_a_resource_is_scores_text() -> None:
    assert resource_key("postgres", None, None, "shop", "db") == "postgres.default#shop.db"
    assert resource_key("postgres", "large", "shared", "shop", "db") == "postgres.large#shared"
