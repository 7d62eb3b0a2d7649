"""What is read from elsewhere: metrics, and documents to search in. Entities are in `sourcing`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class Series:
    """A time series: points are (microseconds UTC, value or None where nothing was measured)."""

    name: str
    unit: str
    points: Sequence[tuple[int, float | None]]


@runtime_checkable
class MetricSource(Protocol):
    """Answers with the golden signals of a workload: rate, error_ratio, latency_p50, latency_p95, cpu, memory."""

    key: str

    def query(self, environment: str, service: str, seconds: int) -> Sequence[Series]: ...


@dataclass(frozen=True)
class MetricSample:
    """One line of a Prometheus exposition."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Measurement:
    """One look at one instance of a workload, at `at` (microseconds UTC). `instance` names the process: a restarted
    workload is another instance. `samples` is None when its metrics could not be read. CPU in percent of one core."""

    instance: str
    at: int
    samples: Sequence[MetricSample] | None
    cpu_percent: float | None = None
    memory_bytes: int | None = None


@runtime_checkable
class MetricSink(Protocol):
    """A metric source that also keeps what Taxiway measures itself: it is called every few seconds for each service of
    an environment, with all its instances. It must be quick and bound what it stores."""

    key: str

    def ingest(self, environment: str, service: str, measurements: Sequence[Measurement]) -> None: ...


@dataclass(frozen=True)
class SearchDocument:
    """Something that search finds beside entities. `location` is its path in the portal or a URL, `fields` is what it
    may be filtered by. Who may read it: everybody who has the source's permission on `owner`'s things, or, with
    `entity_ref`, who may read that entity; it goes when the entity goes. Of `text` the first 100,000 characters count.
    """

    title: str
    text: str
    location: str
    owner: str | None = None
    entity_ref: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class SearchSource(Protocol):
    """Documents of one type; `key` is the type (`techdocs`), `permission` is needed to find any.

    `collections` is asked every ten seconds while things happen, so it must be quick: it names every collection of
    documents with its state (a commit, a hash). `documents` is asked for a collection that is new or whose state
    changed; its documents take the place of all earlier ones.
    """

    key: str
    permission: str

    def collections(self) -> Mapping[str, str]: ...

    def documents(self, collection: str) -> Iterable[SearchDocument]: ...


@dataclass(frozen=True)
class Suggestion:
    """What a picker of a form offers: `id` is what the form keeps, `title` what people read."""

    id: str
    title: str


@runtime_checkable
class Autocompleter(Protocol):
    """Suggests what a form's pickers ask for while somebody fills them in. `key` is the provider's name in Backstage's
    API, such as `github`; `resource` says what is asked for (`owners`), `context` the answers so far (`host`, `owner`).

    It asks with the `token` of the person and with nothing else, keeps it nowhere, and gives so many at most.
    InputError for a resource that it does not know, and for a context that lacks a part.
    """

    key: str

    def autocomplete(self, resource: str, token: str, context: Mapping[str, str]) -> Sequence[Suggestion]: ...
