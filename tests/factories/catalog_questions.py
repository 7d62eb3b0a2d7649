"""A made-up organisation, random requests to a catalog's REST API over it, and answers made comparable.

The benchmark `catalog_diff` asks a Backstage and Taxiway; a test asks Taxiway and compares with the recorded answers.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

VERSION = "backstage.io/v1alpha1"
KEPT = 500
"""Answers longer than this are kept as a digest."""
FACETS = (
    "kind",
    "spec.type",
    "metadata.tags",
    "spec.lifecycle",
    "metadata.namespace",
    "Spec.Owner",
    "relations.partof",
)
FIELDS = (
    *("kind", "metadata.name", "metadata.namespace", "spec.type", "spec.none", "relations", "metadata.tags"),
    *("metadata.labels", "apiVersion", "metadata.annotations.example.org/some.key"),
)
ODD: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/entities?filter==x", None),
    ("GET", "/entities?limit=x", None),
    ("GET", "/entities?limit=0", None),
    ("GET", "/entities?offset=-1", None),
    ("GET", "/entities?fields=", None),
    ("GET", "/entities?fields=a[0]", None),
    ("GET", "/entities?filter=,&limit=5", None),
    ("GET", "/entities?filter=kind=component,&limit=5", None),
    ("GET", "/entities?order=metadata.name", None),
    ("GET", "/entities?after=x", None),
    ("GET", "/entities/by-query?orderField=a,b,c", None),
    ("GET", "/entities/by-query?orderField=", None),
    ("GET", "/entities/by-query?cursor=e30=", None),
    ("GET", "/entities/by-query?totalItems=x", None),
    ("GET", "/entities/by-query?limit=0", None),
    ("POST", "/entities/by-query", {"cursor": "x"}),
    ("POST", "/entities/by-query", {"query": [], "limit": 1}),
    ("POST", "/entities/by-refs", {"entityRefs": 3}),
    ("POST", "/entities/by-refs", {}),
    ("POST", "/entities/by-refs?", {"entityRefs": 3}),
    ("GET", "/entities/by-name/component/default/n%C3%B6ne?", None),
    ("POST", "/entity-facets", {"facets": ["kind"], "query": []}),
    ("GET", "/entity-facets", None),
    ("GET", "/entities/by-uid/none", None),
    ("DELETE", "/entities/by-uid/none", None),
    ("GET", "/locations/00000000-0000-4000-8000-000000000000", None),
    ("DELETE", "/locations/00000000-0000-4000-8000-000000000000", None),
    ("GET", "/locations/by-entity/component/default/none", None),
    ("POST", "/refresh", {"entityRef": "component:default/none"}),
    ("POST", "/locations/by-query", {"limit": 0}),
    ("POST", "/locations/by-query", {"query": {"type": "url"}}),
    ("PUT", "/locations/00000000-0000-4000-8000-000000000000", {"type": "url", "target": "https://host/x"}),
    ("POST", "/analyze-location", {}),
    ("POST", "/analyze-location", {"location": {"type": "url", "target": "https://github.com/a/b"}}),
)


@dataclass(frozen=True)
class Question:
    """A request below `/api/catalog`. `ordered` says that the order of the answer counts."""

    method: str
    path: str
    body: Any = None
    ordered: bool = True


def entities() -> list[dict[str, Any]]:
    """About ninety entities of every usual kind, the same ones each time."""
    chance, made = random.Random(4), list[dict[str, Any]]()

    def add(kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> None:
        made.append({"apiVersion": VERSION, "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec})

    teams = [f"team-{number}" for number in range(5)]
    for team in teams:
        add("Group", team, {"type": "team", "children": [], "profile": {"displayName": team.title()}})
        add("User", f"lead.{team}", {"memberOf": [team]}, title=f"Lead of {team}")
    for number in range(6):
        add("Domain", f"area-{number}", {"owner": chance.choice(teams)})
        add("System", f"system-{number}", {"owner": chance.choice(teams), "domain": f"area-{number % 3}"})
    for number in range(14):
        spec = {"type": chance.choice(["openapi", "grpc"]), "lifecycle": "production", "owner": chance.choice(teams)}
        add("API", f"api-{number}", {**spec, "definition": "{}", "system": f"system-{number % 6}"})
    for number in range(12):
        spec = {"type": chance.choice(["database", "S3-Bucket"]), "owner": f"user:lead.{chance.choice(teams)}"}
        add("Resource", f"store-{number}", spec, namespace=chance.choice(["default", "data"]))
    for number in range(40):
        spec = {
            "type": chance.choice(["service", "website", "library"]),
            "lifecycle": chance.choice(["production", "experimental", "Deprecated"]),
            "owner": chance.choice(teams),
            "providesApis": [f"api-{chance.randrange(14)}"] if number % 3 == 0 else [],
            "consumesApis": [f"api-{one}" for one in sorted(chance.sample(range(14), number % 3))],
            "dependsOn": [f"component:part-{chance.randrange(40)}", f"resource:data/store-{chance.randrange(12)}"][
                : number % 3
            ],
            "flag": number % 2 == 0,
            "weight": number / 4,
            "long": "x" * (150 + number * 5),
            "nothing": None,
        }
        if number % 4:
            spec["system"] = f"system-{chance.randrange(6)}"
        labels = {"tier": f"tier-{chance.randrange(3)}"} if number % 5 else {}
        metadata = {"title": f"Part {number}"} if number % 2 else {}
        tags = sorted(chance.sample(["java", "go", "python", "c++", "web"], chance.randrange(4)))
        annotations = {"example.org/some.key": chance.choice(["Yes", "no", ""])}
        add("Component", f"part-{number}", spec, labels=labels, tags=tags, annotations=annotations, **metadata)
    return made


def questions(count: int, seed: int = 7) -> Iterator[Question]:
    """The same `count` requests each time, the odd ones first."""
    yield from (Question(*odd) for odd in ODD[:count])
    asking = _Asking(random.Random(seed), entities())
    for _ in range(count - len(ODD)):
        yield asking.question()


def comparable(status: int, text: str, ordered: bool, folder: str) -> Any:
    """An answer without what may differ: uids, etags, cursors, the words of errors, and the folder of the files."""
    text = re.sub(r"generated-[0-9a-f]{40}", "generated", text.replace(folder, "FOLDER"))
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    value = _plain(value)
    if isinstance(value, list) and not ordered:
        value.sort(key=_sorted)
    if isinstance(value, dict):
        if isinstance(value.get("items"), list) and not ordered:
            value["items"].sort(key=_sorted)
        if "pageInfo" in value:
            value["pageInfo"] = "nextCursor" in value["pageInfo"]
        if "error" in value:
            value["error"] = value["error"]["name"]
    return [status, value]


def kept(answer: Any) -> Any:
    """An answer as it is recorded: itself, or its digest when it is long."""
    text = _sorted(answer)
    return answer if len(text) <= KEPT else f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _sorted(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        # 6.0 and 6 are one number in JSON.
        return int(value) if isinstance(value, float) and value.is_integer() else value
    return {key: _plain(item) for key, item in value.items() if key not in ("uid", "etag")}


class _Asking:
    def __init__(self, chance: random.Random, documents: list[dict[str, Any]]) -> None:
        self.chance = chance
        self.refs = [
            f"{one['kind']}:{one['metadata'].get('namespace', 'default')}/{one['metadata']['name']}"
            for one in documents
        ]
        leaves: dict[str, set[str]] = defaultdict(set)
        for one in documents:
            self._walk(one, "", leaves)
        for type_ in ("ownedBy", "partOf", "hasPart", "dependsOn", "dependencyOf", "memberOf"):
            leaves[f"relations.{type_}"] = {ref.lower() for ref in self.refs}
        self.leaves = {key: sorted(values) for key, values in leaves.items()}
        self.keys = sorted(leaves)

    def _walk(self, value: Any, path: str, into: dict[str, set[str]]) -> None:
        if isinstance(value, Mapping):
            for key, item in value.items():
                self._walk(item, f"{path}.{key}" if path else key, into)
        elif isinstance(value, list):
            for item in value:
                self._walk(item, path, into)
        elif value is not None and len(str(value)) < 100:
            into[path].add(str(value).lower() if isinstance(value, bool) else str(value))

    def value(self, key: str) -> str:
        return self.chance.choice(self.leaves[key])

    def cased(self, text: str) -> str:
        return self.chance.choice([text, text, text.upper(), text.title()])

    def statement(self) -> str:
        common = self.chance.random() < 0.5
        key = self.chance.choice(["kind", "spec.type", "spec.lifecycle", "metadata.tags"] if common else self.keys)
        kind = self.chance.random()
        if kind < 0.12:
            return self.cased(key)
        if kind < 0.2:
            return f"{key}={self.chance.choice(['', 'nothing-like-this'])}"
        return f"{key}={self.cased(self.value(key))}"

    def filters(self) -> list[tuple[str, Any]]:
        how_many = self.chance.choice([0, 1, 1, 1, 2, 3])
        return [
            ("filter", ",".join(self.statement() for _ in range(self.chance.choice([1, 1, 1, 2, 2, 3]))))
            for _ in range(how_many)
        ]

    def predicate(self, depth: int = 0) -> Any:
        kind = self.chance.random()
        if depth < 3 and kind < 0.24:
            inner = [self.predicate(depth + 1) for _ in range(self.chance.randrange(4))]
            return {self.chance.choice(["$all", "$any"]): inner}
        if depth < 3 and kind < 0.34:
            return {"$not": self.predicate(depth + 1)}
        return {} if kind < 0.38 else dict(self.condition() for _ in range(self.chance.choice([1, 1, 2])))

    def condition(self) -> tuple[str, Any]:
        key, kind = self.chance.choice(self.keys), self.chance.random()
        if kind < 0.35:
            return self.cased(key), self.cased(self.value(key))
        if kind < 0.5:
            return key, {"$in": [self.value(key) for _ in range(self.chance.randrange(4))]}
        if kind < 0.65:
            return key, {"$exists": self.chance.random() < 0.5}
        if kind < 0.78:
            return key, {"$hasPrefix": self.value(key)[: self.chance.randint(1, 5)].upper()}
        if kind < 0.86:
            return key, {"$contains": self.value(key)}
        if kind < 0.94:
            relation = self.chance.choice([one for one in self.keys if one.startswith("relations.")])
            target = self.chance.choice(
                [{}, {"targetRef": self.value(relation)}, {"targetRef": {"$in": [self.value(relation)]}}]
            )
            return "relations", {"$contains": {"type": relation.removeprefix("relations."), **target}}
        return key, self.chance.choice([{"$foo": 1}, [1], None, {"$in": "x"}, {"$exists": 1}, {"$hasPrefix": 3}])

    def fields(self) -> str:
        return ",".join(self.chance.sample(FIELDS, self.chance.randint(1, 4)))

    def question(self) -> Question:
        return self.chance.choices(
            [self.by_name, self.by_refs, self.listed, self.by_query, self.by_predicate, self.facets],
            [10, 12, 18, 22, 22, 16],
        )[0]()

    def by_name(self) -> Question:
        path = self.cased(self.chance.choice(self.refs)).replace(":", "/", 1)
        return Question("GET", f"/entities/by-name/{path}{self.chance.choice(['', '', 'x', '/ancestry'])}")

    def by_refs(self) -> Question:
        known = [self.chance.choice(self.refs).lower() for _ in range(self.chance.randrange(6))]
        body: dict[str, Any] = {"entityRefs": [*known, self.chance.choice(["component:default/none", "x:y/z"])]}
        if self.chance.random() < 0.4:
            body["fields"] = self.fields().split(",")
        if self.chance.random() < 0.3:
            body["query"] = self.predicate()
        filters = f"?{urlencode(self.filters())}" if self.chance.random() < 0.4 else ""
        return Question("POST", f"/entities/by-refs{filters}", body)

    def listed(self) -> Question:
        parameters, ordered = self.filters(), self.chance.random() < 0.5
        if self.chance.random() < 0.4:
            parameters.append(("fields", self.fields()))
        if ordered:
            parameters += [("order", f"{self.chance.choice(['asc', 'desc'])}:metadata.name"), *self.slice(1)]
        return Question("GET", f"/entities?{urlencode(parameters)}", None, ordered)

    def slice(self, least: int) -> list[tuple[str, Any]]:
        offset = [("offset", self.chance.randrange(30))] if self.chance.random() < 0.5 else []
        return [("limit", self.chance.randint(least, 20)), *offset]

    def by_query(self) -> Question:
        parameters, ordered = self.filters(), self.chance.random() < 0.6
        if self.chance.random() < 0.3:
            parameters.append(("fields", self.fields()))
        if ordered:
            parameters += [("orderField", f"metadata.name,{self.chance.choice(['asc', 'desc'])}"), *self.slice(0)]
        else:
            parameters.append(("limit", 1000))
        if self.chance.random() < 0.3:
            fields = self.chance.choice(["metadata.name", "metadata.name,metadata.title", "spec.type", "metadata.none"])
            parameters += [
                ("fullTextFilterTerm", self.chance.choice(["a", "er", "PART", "-"])),
                ("fullTextFilterFields", fields),
            ]
        if self.chance.random() < 0.15:
            parameters.append(("totalItems", "exclude"))
        return Question("GET", f"/entities/by-query?{urlencode(parameters)}", None, ordered)

    def by_predicate(self) -> Question:
        body: dict[str, Any] = {"query": self.predicate(), "limit": 1000}
        ordered = self.chance.random() < 0.5
        if ordered:
            order = {"field": "metadata.name", "order": self.chance.choice(["asc", "desc"])}
            body |= {"orderBy": [order], "limit": self.chance.randrange(11)}
        if self.chance.random() < 0.2:
            body["fullTextFilter"] = {"term": "er", "fields": ["metadata.name"]}
        return Question("POST", "/entities/by-query", body, ordered)

    def facets(self) -> Question:
        named = [self.chance.choice([*FACETS, self.chance.choice(self.keys)]) for _ in range(self.chance.randint(1, 3))]
        if self.chance.random() < 0.4:
            return Question("POST", "/entity-facets", {"facets": named, "query": self.predicate()})
        return Question("GET", f"/entity-facets?{urlencode([('facet', name) for name in named] + self.filters())}")
