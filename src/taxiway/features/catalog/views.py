"""Bodies and answers of the catalog's operations, in Backstage's shapes where the path is Backstage's."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class EntityRelation(BaseModel):
    """A relation of an entity."""

    type: str
    targetRef: str


class Entity(BaseModel):
    """An entity with its relations and, where its source has faults, its status."""

    model_config = ConfigDict(extra="allow")
    apiVersion: str
    kind: str
    metadata: dict[str, Any]
    spec: dict[str, Any] | None = None
    relations: list[EntityRelation] = []


class PageInfo(BaseModel):
    """Cursors to the neighbouring pages."""

    nextCursor: str | None = None
    prevCursor: str | None = None


class EntityPage(BaseModel):
    """A page of entities."""

    items: list[Entity]
    totalItems: int
    pageInfo: PageInfo


class EntityItems(BaseModel):
    """Entities in the order of the references asked for; null where there is none."""

    items: list[Entity | None]


class EntityFault(BaseModel):
    """What is wrong with an entity."""

    name: str
    message: str


class EntityFaults(BaseModel):
    """Everything that is wrong with an entity."""

    errors: list[EntityFault]


class OrderBy(BaseModel):
    """A field to sort by; `by` number, or as text."""

    field: str = Field(max_length=300)
    order: Literal["asc", "desc"] = "asc"
    by: Literal["number"] | None = None


class FullTextFilter(BaseModel):
    """Text that a field must contain."""

    term: str = Field("", max_length=300)
    fields: list[str] = Field([], max_length=50)


class ByQuery(BaseModel):
    """A query for entities."""

    cursor: str | None = Field(None, max_length=100_000)
    limit: int | None = Field(None, ge=0, le=10_000)
    offset: int | None = Field(None, ge=0, le=10_000_000)
    orderBy: list[OrderBy] | OrderBy | None = None
    fullTextFilter: FullTextFilter | None = None
    fields: list[str] = Field([], max_length=200)
    totalItems: Literal["include", "exclude"] = "include"
    query: dict[str, Any] | None = None


class ByRefs(BaseModel):
    """Entities by reference."""

    entityRefs: list[str] = Field(max_length=10_000)
    fields: list[str] = Field([], max_length=200)
    query: dict[str, Any] | None = None


class FacetQuery(BaseModel):
    """Facets to count."""

    facets: list[str] = Field(min_length=1, max_length=50)
    query: dict[str, Any] | None = None


class FacetValue(BaseModel):
    """A value and how many entities have it."""

    value: str
    count: int


class Facets(BaseModel):
    """Counts by facet."""

    facets: dict[str, list[FacetValue]]


class Refresh(BaseModel):
    """Which entity's source to read again."""

    model_config = ConfigDict(extra="ignore")
    entityRef: str = Field(max_length=400)


class LocationInput(BaseModel):
    """A location to register."""

    model_config = ConfigDict(extra="forbid")
    type: str = Field(max_length=50)
    target: str = Field(max_length=2000)
    presence: Literal["required", "optional"] = "required"


class LocationView(BaseModel):
    """A registered location."""

    id: str
    type: str
    target: str
    entityRef: str


class LocationRow(BaseModel):
    """A registered location, wrapped as Backstage does."""

    data: LocationView


class LocationCreated(BaseModel):
    """What registering came to: the first hundred entities, how many there are, and how many problems its documents
    have. `run_id` names the run that takes in a large source."""

    location: LocationView
    entities: list[Entity]
    totalItems: int
    problems: int = 0
    exists: bool | None = None
    run_id: str | None = None


class LocationTarget(BaseModel):
    """Where a location is to point to."""

    type: str = Field(max_length=50)
    target: str = Field(max_length=2000)


class LocationQuery(BaseModel):
    """A query for locations."""

    limit: int = Field(1000, ge=1, le=10_000)
    query: dict[str, Any] | None = None
    cursor: str | None = Field(None, max_length=100_000)


class LocationPage(BaseModel):
    """A page of locations."""

    items: list[LocationView]
    totalItems: int
    pageInfo: PageInfo


class ValidateInput(BaseModel):
    """An entity to judge, and where it is said to lie (`url:https://host/path`)."""

    entity: dict[str, Any]
    location: str = Field(max_length=2000)


class AnalyzedLocation(BaseModel):
    """A repository to look at."""

    type: str = Field(max_length=50)
    target: str = Field(max_length=2000)


class AnalyzeInput(BaseModel):
    """A repository to look at, and how its descriptors are called."""

    location: AnalyzedLocation
    catalogFilename: str | None = Field(None, max_length=300)


class Analysis(BaseModel):
    """The descriptors of a repository, or a proposed one."""

    existingEntityFiles: list[dict[str, Any]]
    generateEntities: list[dict[str, Any]]


class AncestryItem(BaseModel):
    """An entity and what it came from."""

    entity: Entity
    parentEntityRefs: list[str]


class Ancestry(BaseModel):
    """What leads to an entity, nearest first."""

    rootEntityRef: str
    items: list[AncestryItem]


class Unprocessed(BaseModel):
    """Documents that are no entity."""

    type: Literal["failed", "pending"]
    entities: list[dict[str, Any]]


class GraphNode(BaseModel):
    """An entity in a graph; `exists` is false for one that is only pointed to."""

    ref: str
    kind: str
    title: str
    type: str | None
    lifecycle: str | None
    exists: bool


class GraphEdge(BaseModel):
    """A relation as its source states it."""

    source: str
    target: str
    type: str


class Graph(BaseModel):
    """A neighbourhood."""

    nodes: list[GraphNode]
    edges: list[GraphEdge]
    truncated: bool


ProblemCode = Literal["unreadable", "invalid", "untrusted", "duplicate", "conflict", "undeclared", "overlay"]
"""See `model.PROBLEM_CODES`."""


class ProblemView(BaseModel):
    """Something wrong with a source, and what to do about it. `exists` says whether `ref` is an entity."""

    id: str
    source_id: str
    ref: str | None
    location: str
    line: int | None
    detail: str
    remedy: str
    at: int
    code: ProblemCode
    other_source_id: str | None
    exists: bool


class Problems(BaseModel):
    """A page of problems."""

    items: list[ProblemView]
    next_cursor: str | None


class Difference(BaseModel):
    """One change between two versions, as a JSON Patch operation with the old value."""

    op: Literal["add", "remove", "replace"]
    path: str
    value: Any = None
    old: Any = None


class VersionView(BaseModel):
    """Something that happened to an entity: `actor` did it through `via` at `at`, microseconds UTC.

    `until` is when the version ended; `commit` what was read of a repository. `actor` is null when it is not known.
    """

    version: int
    uid: str
    verb: Literal["created", "updated", "deleted"]
    at: int
    until: int | None
    current: bool
    actor: str | None
    via: str | None
    request_id: str | None
    commit: str | None
    owner: str | None
    source_id: str
    source: str | None
    location: str
    line: int
    diff: list[Difference] | None


class History(BaseModel):
    """A page of what happened to an entity."""

    items: list[VersionView]
    next_cursor: str | None


class LastRun(BaseModel):
    """The last run that took a source in."""

    id: str
    state: str


class OverlayTerms(BaseModel):
    """What an overlay may write, and who wins: the entity's own source stands at 0."""

    fields: list[str]
    precedence: int
    lists: Literal["union", "replace"]
    undeclared: Literal["problem", "ignore"]


class SourceView(BaseModel):
    """What the catalog reads from, and what it came to. Times are microseconds UTC.

    `type` is `shipped` for what comes with Taxiway. `commit` is what was read of a repository last. `orphans` are
    entities that the source does not name any more, `held` those of them that are so many that they wait for review.
    What follows is told of configured sources: `state` is new, ok, held, failed (`detail` says why) or removed;
    `counts` are those of the last reading. `overlay` is what an overlay may do; `layers` are the references that it
    lays something over, `layers_waiting` those of them that are no entities.
    """

    id: str
    type: str
    target: str
    entity_ref: str | None
    repository: str | None
    owner: str | None
    registered_by: str
    trusted: bool
    created_at: int | None
    refreshed_at: int | None
    changed_at: int | None
    commit: str | None
    entities: int
    problems: int
    conflicts: int
    orphans: int = 0
    held: int = 0
    every_seconds: int | None = None
    state: str | None = None
    detail: str | None = None
    counts: dict[str, int] | None = None
    started_at: int | None = None
    ended_at: int | None = None
    complete_at: int | None = None
    overlay: OverlayTerms | None = None
    layers: int = 0
    layers_waiting: int = 0


class SourceDetail(SourceView):
    """One source, with its last run where it had one."""

    last_run: LastRun | None


class Sources(BaseModel):
    """A page of sources."""

    items: list[SourceView]
    next_cursor: str | None


class Started(BaseModel):
    """A run that was started."""

    run_id: str
