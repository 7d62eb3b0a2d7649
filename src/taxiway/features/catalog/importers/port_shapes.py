"""What Port's blueprints come to before any entity is looked at: kinds, and the relations between them. Pure.

A shape says of one blueprint which kind its entities get, and how each of its relations is stated: by which field of
spec, of which type. `port_computed` walks these types; `port_blueprints` writes the kinds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from taxiway.features.catalog.importers.port_kinds import field_for, kind_for, plain
from taxiway.features.catalog.kinds import INVERSE, shipped
from taxiway.kit.pointer import dig

RESERVED = frozenset({"owner", "properties", "port"})
"""Fields of spec that an entity of an own kind has beside its relations."""
WHOLES = {"System": frozenset({"system", "product", "partof"}), "Domain": frozenset({"domain", "partof"})}
MAX_RELATIONS = 49
"""A kind has 50: one is the owner's."""


@dataclass(frozen=True)
class Relation:
    """A relation of a blueprint as entities state it. `is_exact`: following its type leads nowhere else."""

    name: str
    field: str
    type: str
    inverse: str
    is_list: bool
    target: str
    is_exact: bool = True


@dataclass(frozen=True)
class Step:
    """A relation followed from one blueprint to another, `is_back` against its direction."""

    start: str
    type: str
    end: str
    is_back: bool = False
    is_exact: bool = True


@dataclass
class Shape:
    """One blueprint. `computed` are its computed properties that are carried: (name here, type), by Port's name."""

    identifier: str
    blueprint: Mapping[str, Any]
    kind: str
    is_own: bool
    at: tuple[str, str, int]
    relations: dict[str, Relation] = field(default_factory=dict)
    computed: dict[str, tuple[str, str]] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    sound: dict[str, Any] = field(default_factory=dict)
    """Validators of its properties' schemas, by name; None for one whose schema cannot be used."""

    @property
    def properties(self) -> Mapping[str, Mapping[str, Any]]:
        """The schemas of its properties by name."""
        return mappings(dig(self.blueprint, "schema", "properties"))

    @property
    def ref(self) -> str:
        """The kind's own entity, or the extension of a kind that ships."""
        return f"kind:default/{self.kind}" if self.is_own else f"kindextension:default/port-{self.slug}"

    @property
    def slug(self) -> str:
        """The identifier as part of a name."""
        return plain(self.identifier)[:40] or "blueprint"


def mappings(value: Any) -> Mapping[str, Mapping[str, Any]]:
    """The items of a mapping that are mappings themselves."""
    return {key: item for key, item in value.items() if isinstance(item, dict)} if isinstance(value, dict) else {}


@dataclass
class Shapes:
    """All blueprints of an import."""

    by_blueprint: dict[str, Shape] = field(default_factory=dict)
    _steps: dict[str, list[Step]] = field(default_factory=dict)
    _types: dict[str, tuple[str, str]] = field(default_factory=dict)
    _ends: set[str] = field(default_factory=lambda: set(INVERSE))

    def add(self, blueprint: Mapping[str, Any], at: tuple[str, str, int], chosen: Mapping[str, str]) -> None:
        """A blueprint, its kind named so that no other one's is."""
        identifier = blueprint["identifier"]
        kind, is_own = kind_for(identifier, chosen)
        taken = {shape.kind.lower() for shape in self.by_blueprint.values()}
        number, base = 2, kind
        while is_own and kind.lower() in taken:
            kind, number = f"{base[:59]}{number}", number + 1
        self.by_blueprint[identifier] = Shape(identifier, blueprint, kind, is_own, at)

    def get(self, identifier: Any) -> Shape | None:
        """The shape of a blueprint that is among the documents."""
        return self.by_blueprint.get(identifier) if isinstance(identifier, str) else None

    def relate(self) -> None:
        """Find out how each relation is stated, when all blueprints are there."""
        for shape in self.by_blueprint.values():
            found = list(self._related(shape))
            types = [relation.type for relation in found]
            for relation in found[:MAX_RELATIONS]:
                is_exact = types.count(relation.type) == 1 and not (relation.field == "owner" and not shape.is_own)
                shape.relations[relation.name] = replace(relation, is_exact=is_exact)
                step = Step(shape.identifier, relation.type, relation.target, False, is_exact)
                back = Step(relation.target, relation.inverse, shape.identifier, True, is_exact)
                self._steps.setdefault(step.start, []).append(step)
                self._steps.setdefault(back.start, []).append(back)

    def steps(self, identifier: str) -> Sequence[Step]:
        """Every way from a blueprint to its neighbours, along relations or against them."""
        return self._steps.get(identifier, ())

    def _related(self, shape: Shape) -> Iterator[Relation]:
        fields: set[str] = set()
        for name, said in mappings(shape.blueprint.get("relations")).items():
            target = self.get(said.get("target"))
            if target is None or not name or len(name) > 90:
                continue
            if not shape.is_own:
                yield from _usual(shape, name, target)
                continue
            known = f"{name}Relation" if name in RESERVED else name
            while known in fields:
                known += "Relation"
            fields.add(known)
            is_whole = plain(name) in WHOLES.get(target.kind, ()) and self._wholes(shape) == 1 and not said.get("many")
            type_, inverse = ("partOf", "hasPart") if is_whole else self._pair(name)
            yield Relation(name, known, type_, inverse, bool(said.get("many")), target.identifier)

    def _wholes(self, shape: Shape) -> int:
        found = 0
        for name, said in mappings(shape.blueprint.get("relations")).items():
            target = self.get(said.get("target"))
            found += target is not None and plain(name) in WHOLES.get(target.kind, ())
            found += plain(name) == "partof" and (target is None or target.kind not in WHOLES)
        return found

    def _pair(self, name: str) -> tuple[str, str]:
        """(type, inverse) for relations of a name: the same one in every blueprint, and no end of another one."""
        if name in INVERSE:
            return name, INVERSE[name]
        if name not in self._types:
            parts = [part for part in _split(name) if part] or ["related"]
            type_ = parts[0] + "".join(part[0].upper() + part[1:] for part in parts[1:])
            type_ = (type_ if type_[0].isalpha() else f"r{type_}")[:50]
            while type_ in self._ends:
                type_ += "Relation"
            inverse = f"{type_}Of"
            while inverse in self._ends:
                inverse += "Of"
            self._ends |= {type_, inverse}
            self._types[name] = type_, inverse
        return self._types[name]


def _split(name: str) -> list[str]:
    return "".join(sign if sign.isascii() and (sign.isalnum() or sign == "_") else " " for sign in name).split()


def _usual(shape: Shape, name: str, target: Shape) -> Iterator[Relation]:
    """A relation of a kind that ships, where a field of spec means the same."""
    equal = field_for(shape.kind, name, None if target.is_own else target.kind)
    if equal is None:
        return
    stated = shipped().by_name[shape.kind].fields.get(equal[0])
    if stated is not None:
        yield Relation(name, equal[0], stated.relation, stated.inverse, equal[1], target.identifier)
