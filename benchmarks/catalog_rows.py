"""Rows of the catalog's benchmark that the peer has no script for: a push of everything as NDJSON, and 400 searches."""

from __future__ import annotations

import http.client
import json
import random
import string
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks import postgres
from benchmarks.client import Api, p50_p95
from benchmarks.server import Server
from taxiway.kit.words import words_of
from taxiway.kit.yaml12 import load_all

PUSH = "/api/catalog/v1/push/bench"
LINES = 7500
"""Documents a request: nearly what a body may have."""
EACH = 80
ROUNDS = 10
MOST_SECONDS = 30.0
COMMON = 0.2
"""Of so many documents a common word is part."""


def pushed(running: Server, token: str, data: Path) -> tuple[float, int]:
    """(seconds, entities) of a push of everything in `data`, one request after another; each answer is checked."""
    bodies = list(_bodies(data))  # made before the clock starts
    push = _pusher(running, token)
    begin = time.perf_counter()
    created = sum(int(push(body)["created"]) for body in bodies)
    return time.perf_counter() - begin, created


def _pusher(running: Server, token: str) -> Callable[[bytes], Mapping[str, Any]]:
    parts = urllib.parse.urlsplit(running.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=600)
    head = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}

    def push(body: bytes) -> Mapping[str, Any]:
        connection.request("POST", PUSH, body, head)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"POST {PUSH}: {answer.status} {content[:300]!r}")
        found: Mapping[str, Any] = json.loads(content)
        return found

    return push


def _bodies(data: Path) -> Iterator[bytes]:
    documents = (one.value for file in sorted(data.glob("part-*.yaml")) for one in load_all(file.read_bytes()))
    while lines := [json.dumps(document) for document in islice(documents, LINES)]:
        yield "\n".join(lines).encode()


def searches(running: Server, token: str, data: Path) -> Iterator[tuple[str, str]]:
    """(kind of query, percentiles) of 400 fixed queries over one connection, and of all of them together."""
    api = Api(running.url, token)
    every: list[float] = []
    for kind, terms in _terms(data).items():
        seconds = [_seconds(api, term) for term in terms]
        every += seconds
        yield f"search, {kind}", p50_p95(seconds)
    yield f"search, all {len(every)}", p50_p95(every)


def _seconds(api: Api, term: str) -> float:
    path = "/api/search/query?" + urllib.parse.urlencode({"term": term})
    begin = time.perf_counter()
    api.call("GET", path)
    return time.perf_counter() - begin


def _terms(data: Path) -> Mapping[str, Sequence[str]]:
    """Always the same for the same data."""
    chance = random.Random(4)
    refs = sorted(json.loads((data / "expected.json").read_text())["entities"])
    names = [ref.rpartition("/")[2] for ref in refs]
    words = sorted({word for name in names for word in words_of(name) if len(word) >= 5 and word.isalpha()})
    common = _common(data)
    return {
        "prefix": [chance.choice(words)[: chance.randint(3, 5)] for _ in range(EACH)],
        "rare": [chance.choice(names) for _ in range(EACH)],
        "two words": [" ".join(words_of(chance.choice(names))[:2]) for _ in range(EACH)],
        "one typing error": [_mistyped(chance, chance.choice(names)) for _ in range(EACH)],
        "in 20 % of documents": [common[place % len(common)] for place in range(EACH)],
    }


def _mistyped(chance: random.Random, name: str) -> str:
    """A letter left out, one too many, another one, or two swapped."""
    place, letter = chance.randrange(1, len(name) - 1), chance.choice(string.ascii_lowercase)
    before, after = name[:place], name[place + 1 :]
    return before + chance.choice((after, letter + name[place:], letter + after, after[0] + name[place] + after[1:]))


def _common(data: Path) -> list[str]:
    """The ten words whose share of documents is nearest to a fifth, from a sample."""
    counts: Counter[str] = Counter()
    total = 0
    for file in islice(sorted(data.glob("part-*.yaml")), 20):
        for document in load_all(file.read_bytes()):
            counts.update({word.lower() for word in words_of(json.dumps(document.value)) if len(word) >= 4})
            total += 1
    return sorted(counts, key=lambda word: (abs(counts[word] / total - COMMON), word))[:10]


def visible(running: Server, token: str, folder: Path) -> Iterator[tuple[str, str]]:
    """(what, percentiles) from the request to what lists, the graph and search show: a file that is registered, and a
    change that is pushed."""
    api, push, folder = Api(running.url, token), _pusher(running, token), folder / "visible"
    folder.mkdir(mode=0o755)
    registered, pushed_ = [], []
    for number in range(ROUNDS):
        name = f"seen-{number}"
        file = folder / f"{name}.yaml"
        file.write_text(json.dumps(_document(name, name)))
        begin = time.perf_counter()
        api.call("POST", "/api/catalog/locations", {"type": "file", "target": str(file)})
        _wait(api, name, name)
        registered.append(time.perf_counter() - begin)
    for number in range(2 * ROUNDS):  # each is pushed first, then changed
        name, word = f"told-{number // 2}", f"word{number}"
        begin = time.perf_counter()
        push(json.dumps(_document(name, word)).encode())
        _wait(api, name, word)
        if number % 2:
            pushed_.append(time.perf_counter() - begin)
    yield "registered file, to list, graph and search", p50_p95(registered)
    yield "pushed change, to list, graph and search", p50_p95(pushed_)


def _document(name: str, word: str) -> Mapping[str, object]:
    spec = {"type": "service", "lifecycle": "production", "owner": "group:default/none"}
    spec["system"] = f"system:default/{word}"
    metadata = {"name": name, "description": f"It has {word}", "tags": [word]}
    return {"apiVersion": "backstage.io/v1alpha1", "kind": "Component", "metadata": metadata, "spec": spec}


def _wait(api: Api, name: str, word: str) -> None:
    """Until all three show it; each is asked again as long as it does not."""
    paths = (
        f"/api/catalog/entities/by-query?filter=metadata.name={name},metadata.tags={word}&limit=1&fields=metadata.tags",
        f"/api/catalog/v1/graph/component/default/{name}",
        f"/api/search/query?term={word}",
    )
    end = time.perf_counter() + MOST_SECONDS
    for path in paths:
        while word.encode() not in api.send("GET", path)[1]:
            if time.perf_counter() > end:
                raise RuntimeError(f"{path} does not show {word} within {MOST_SECONDS:.0f} s")


def store_mb(running: Server) -> float:
    """The store in MB: the SQLite file, or the PostgreSQL database."""
    if running.database is not None:
        return postgres.size_mb(running.database)
    return sum(path.stat().st_size for path in running.data.glob("*.db")) / 1e6
