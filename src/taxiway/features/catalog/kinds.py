"""The kinds as data: which apiVersions, what `spec` must look like, and which fields relate to other entities.

Backstage's kinds and Taxiway's own are documents below `library/kinds`; others are entities of kind `Kind`, read by
`repository/kinds`. Both become the values here, by the same function. Pure but for reading what ships, once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import taxiway
from taxiway.features.catalog.properties import Rule, rule_of
from taxiway.kit.yaml12 import load_all

KIND, EXTENSION = "Kind", "KindExtension"
META_PREFIXES = ("kind:", "kindextension:")
META = frozenset({KIND, EXTENSION})
"""The kinds whose entities say what other entities may be."""

INVERSE: Mapping[str, str] = {
    one: other
    for pair in (
        ("ownedBy", "ownerOf"),
        ("partOf", "hasPart"),
        ("providesApi", "apiProvidedBy"),
        ("consumesApi", "apiConsumedBy"),
        ("dependsOn", "dependencyOf"),
        ("memberOf", "hasMember"),
        ("parentOf", "childOf"),
    )
    for one, other in (pair, pair[::-1])
}
"""The relation that the other end of a relation of Backstage's has. Those of declared kinds are in the store."""


@dataclass(frozen=True)
class Field:
    """A spec field that holds references: the relation it states, its inverse, and the kind that a bare name means.

    `inherit`: a name without a namespace means that of the entity; else the default one.
    """

    relation: str
    inverse: str
    default_kind: str | None = None
    is_list: bool = False
    inherit: bool = True


@dataclass(frozen=True)
class Kind:
    """One kind. `schema` is the JSON Schema of `spec`, `columns` are (title, path) of the portal's table."""

    name: str
    api_versions: frozenset[str]
    schema: Mapping[str, Any]
    fields: Mapping[str, Field]
    title: str = ""
    plural: str = ""
    icon: str | None = None
    description: str = ""
    columns: Sequence[tuple[str, str]] = ()
    rules: tuple[Rule, ...] = ()

    @cached_property
    def validator(self) -> Any:
        """The compiled schema."""
        import jsonschema_rs

        return jsonschema_rs.Draft202012Validator(dict(self.schema))


@dataclass(frozen=True)
class Extension:
    """Properties that an entity of kind `KindExtension` adds to a kind."""

    kind: str
    rules: tuple[Rule, ...]
    source: str


@dataclass(frozen=True)
class Kinds:
    """Every kind that documents are judged by. `sources` says who declared one; what ships has none.

    `announced` are names that documents under judgement declare: relations may lead to them already.
    """

    by_name: Mapping[str, Kind]
    sources: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    announced: frozenset[str] = frozenset()
    extensions: Mapping[str, Extension] = field(default_factory=lambda: MappingProxyType({}))

    def get(self, name: str) -> Kind | None:
        """The kind of exactly this name."""
        return self.by_name.get(name)

    def has(self, name: str) -> bool:
        """Whether a kind is called so, whatever the case, or will be."""
        lower = name.lower()
        return any(known.lower() == lower for known in (*self.by_name, *self.announced))

    @cached_property
    def inverses(self) -> Mapping[str, tuple[str, str]]:
        """By relation type: its inverse, and the kind that says so. Without those of Backstage's own."""
        found: dict[str, tuple[str, str]] = {}
        for kind in self.by_name.values():
            for item in kind.fields.values():
                for one, other in ((item.relation, item.inverse), (item.inverse, item.relation)):
                    if one not in INVERSE:
                        found.setdefault(one, (other, kind.name))
        return found

    def adding(self, kinds: Sequence[Kind], source_id: str) -> Kinds:
        """With these as well, which a source declares; what another source declared already stays."""
        by_name, sources = dict(self.by_name), dict(self.sources)
        for kind in kinds:
            if kind.name not in by_name or sources.get(kind.name) == source_id:
                by_name[kind.name], sources[kind.name] = kind, source_id
        return Kinds(by_name, sources, self.announced, self.extensions)

    def extending(self, name: str, extension: Extension) -> Kinds:
        """With an extension of this name; what another source extends under it already stays."""
        known = self.extensions.get(name)
        if known is not None and known.source != extension.source:
            return self
        return replace(self, extensions={**self.extensions, name: extension})

    def with_own(self, other: Kinds, source_id: str) -> Kinds:
        """With what a source declares in others as well, and what is announced there."""
        mine = [kind for name, kind in other.by_name.items() if other.sources.get(name) == source_id]
        found = self.adding(mine, source_id)
        for name, extension in other.extensions.items():
            if extension.source == source_id:
                found = found.extending(name, extension)
        return found.announcing(other.announced)

    @cached_property
    def rules(self) -> Mapping[str, tuple[Rule, ...]]:
        """By kind in lower case: how its properties are computed. Kinds without any are left out."""
        found = {kind.name.lower(): {rule.name: rule for rule in kind.rules} for kind in self.by_name.values()}
        for _, extension in sorted(self.extensions.items()):
            for rule in extension.rules:
                found.setdefault(extension.kind.lower(), {}).setdefault(rule.name, rule)
        return {kind: tuple(rules.values()) for kind, rules in found.items() if rules}

    def announcing(self, names: frozenset[str]) -> Kinds:
        """With names that are about to be declared."""
        return replace(self, announced=names)


def kind_of(document: Mapping[str, Any]) -> Kind:
    """The kind that a valid document of kind `Kind` declares. The same text gives the same value."""
    return _kind(json.dumps({"metadata": document["metadata"], "spec": document["spec"]}, default=str))


@lru_cache(1024)
def _kind(text: str) -> Kind:
    document = json.loads(text)
    metadata, spec = document["metadata"], document["spec"]
    name = metadata["name"]
    return Kind(
        name,
        frozenset(spec["apiVersions"]),
        spec["schema"],
        {item["field"]: _field(item) for item in spec.get("relations", ())},
        metadata.get("title") or name,
        spec.get("plural") or metadata.get("title") or name,
        spec.get("icon"),
        metadata.get("description") or "",
        tuple((column["title"], column["path"]) for column in spec.get("columns", ())),
        tuple(rule_of(item) for item in spec.get("properties", ())),
    )


def with_document(kinds: Kinds, document: Mapping[str, Any], source_id: str) -> Kinds:
    """With what a valid document of kind `Kind` or `KindExtension` says."""
    if document["kind"] == KIND:
        return kinds.adding([kind_of(document)], source_id)
    spec = document["spec"]
    rules = tuple(rule_of(item) for item in spec["properties"])
    return kinds.extending(document["metadata"]["name"].lower(), Extension(spec["kind"], rules, source_id))


def _field(item: Mapping[str, Any]) -> Field:
    default = item.get("defaultKind")
    return Field(
        item["type"],
        item["inverse"],
        default.lower() if default else None,
        bool(item.get("list")),
        item.get("namespace", "inherit") == "inherit",
    )


@cache
def shipped() -> Kinds:
    """The kinds that ship with Taxiway."""
    return Kinds({kind.name: kind for kind in _shipped()})


def _shipped() -> Iterator[Kind]:
    for file in sorted((Path(taxiway.__file__).parent / "library" / "kinds").glob("*.yaml")):
        for document in load_all(file.read_bytes()):
            yield kind_of(document.value)
