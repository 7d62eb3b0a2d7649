"""Recipes, how they match, and resources as they stand. Pure values and rules.

A recipe entity (`kind: Recipe`, `apiVersion: taxiway.dev/v1`) says which driver provides a resource type and when:
`spec.resourceType`, `spec.driver`, `spec.match` {class, id, environment, environmentType} and `spec.params`, defaults
that the Score file's params override. The most specific match wins: id, then environment, then environment type, then
class. A tie is refused, since nobody could say which one a service gets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from taxiway.kit.pointer import dig
from taxiway.model.entity import ref_of
from taxiway.model.errors import ConflictError, InputError, NotFoundError

ResourceState = Literal["pending", "applying", "ready", "failed", "deleting", "deleted"]
WEIGHTS: Mapping[str, int] = {"id": 8, "environment": 4, "environmentType": 2, "class": 1}
"""Specificity of each condition. A higher one beats all lower ones together."""


@dataclass(frozen=True)
class Recipe:
    """One recipe: `ref` names its entity; `match` holds only the conditions that were given."""

    ref: str
    resource_type: str
    driver: str
    match: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def specificity(self) -> int:
        return sum(WEIGHTS[key] for key in self.match)


@dataclass(frozen=True)
class Needed:
    """A resource that a workload needs, params resolved. `id` None: it belongs to this workload alone.

    `environment` is {name, type, namespace, destination, variables}; `workload` is {name, namespace, ports, services}.
    """

    name: str
    type: str
    resource_class: str
    id: str | None
    service_ref: str
    service_uid: str
    service_key: str
    workload_name: str
    environment: Mapping[str, Any]
    workload: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    owner: str | None = None

    @property
    def key(self) -> str:
        """Score's text for the identity of a resource."""
        return resource_key(self.type, self.resource_class, self.id, self.workload_name, self.name)

    @property
    def live_key(self) -> str:
        """What is unique among the resources that exist: shared ones per environment, others per service too."""
        holder = "" if self.id else self.service_uid
        return f"{self.environment['name']}|{holder}|{self.key}"


@dataclass(frozen=True)
class Provisioned:
    """A resource that is ready. `outputs` are plain values; `secrets` maps further outputs to secret references."""

    uid: str
    name: str
    type: str
    driver: str
    outputs: Mapping[str, Any]
    secrets: Mapping[str, str]
    manifests: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Candidate:
    """A recipe of the wanted type, whether it matches, and why."""

    recipe: Recipe
    matches: bool
    specificity: int
    reason: str


def resource_key(type_: str, class_: str | None, id_: str | None, workload: str, name: str) -> str:
    """`<type>.<class|default>#<id>`, or `…#<workload>.<name>` for a resource without an id."""
    return f"{type_}.{class_ or 'default'}#{id_ or f'{workload}.{name}'}"


def recipe_of(document: Mapping[str, Any]) -> Recipe:
    """The recipe in an entity document. InputError names what is missing or unknown."""
    ref = str(ref_of(document))
    spec = document.get("spec") or {}
    resource_type, driver = spec.get("resourceType"), spec.get("driver")
    if not resource_type or not driver:
        raise InputError(f"{ref} needs spec.resourceType and spec.driver", code="infrastructure.bad_recipe")
    match = {key: str(value) for key, value in (spec.get("match") or {}).items() if value is not None}
    unknown = sorted(set(match) - set(WEIGHTS))
    if unknown:
        allowed = ", ".join(sorted(WEIGHTS))
        raise InputError(f"{ref}: spec.match knows {allowed}, not {unknown[0]}", code="infrastructure.bad_recipe")
    return Recipe(ref, str(resource_type), str(driver), match, dict(spec.get("params") or {}))


def rank(recipes: Sequence[Recipe], type_: str, facts: Mapping[str, str | None]) -> list[Candidate]:
    """The recipes of a type, best first, each with its reason. `facts` has the keys of WEIGHTS."""
    found = [_judge(recipe, facts) for recipe in recipes if recipe.resource_type == type_]
    return sorted(found, key=lambda c: (not c.matches, -c.specificity, c.recipe.ref))


def choose(recipes: Sequence[Recipe], type_: str, facts: Mapping[str, str | None]) -> Recipe:
    """The recipe that wins. NotFoundError when none matches, ConflictError for a tie; both say what to do."""
    ranked = rank(recipes, type_, facts)
    best = [c for c in ranked if c.matches and c.specificity == ranked[0].specificity]
    if not best:
        types = ", ".join(sorted({recipe.resource_type for recipe in recipes})) or "none"
        why = "; ".join(f"{c.recipe.ref}: {c.reason}" for c in ranked)
        hint = why or f"recipes exist for: {types}"
        raise NotFoundError(
            f"no recipe provides a resource of type '{type_}' here ({hint}): register a Recipe for it",
            code="infrastructure.no_recipe",
        )
    if len(best) > 1:
        names = " and ".join(c.recipe.ref for c in best)
        raise ConflictError(
            f"{names} match '{type_}' equally well: make one of them more specific in spec.match",
            code="infrastructure.recipe_tie",
        )
    return best[0].recipe


def facts_of(needed: Needed) -> dict[str, str | None]:
    """What recipe matching looks at."""
    return {
        "class": needed.resource_class,
        "id": needed.id,
        "environment": str(needed.environment["name"]),
        "environmentType": dig(needed.environment, "type"),
    }


def _judge(recipe: Recipe, facts: Mapping[str, str | None]) -> Candidate:
    for key, wanted in recipe.match.items():
        if facts.get(key) != wanted:
            return Candidate(recipe, False, recipe.specificity, f"wants {key} {wanted}, this has {facts.get(key)}")
    # A class is a promise of a special kind: a recipe that does not name it does not keep it.
    given_class = facts.get("class") or "default"
    if given_class != "default" and "class" not in recipe.match:
        return Candidate(recipe, False, recipe.specificity, f"does not name the class {given_class}")
    if not recipe.match:
        return Candidate(recipe, True, 0, "the general recipe of the type")
    said = ", ".join(f"{key} {value}" for key, value in sorted(recipe.match.items(), key=lambda i: -WEIGHTS[i[0]]))
    return Candidate(recipe, True, recipe.specificity, f"matches {said}")
