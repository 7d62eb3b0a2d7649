"""Rows of the catalog's benchmark that the peer has no script for: a push of everything as NDJSON, and 400 searches."""

from __future__ import annotations

import http.client
import json
import os
import random
import string
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from benchmarks.client import Api, p50_p95
from benchmarks.server import Server
from taxiway.kit.words import words_of
from taxiway.kit.yaml12 import load_all

PUSH = "/api/catalog/v1/push/bench"
LINES = 1000
"""Documents a request."""
EACH = 80
COMMON = 0.2
"""Of so many documents a common word is part."""


def pushed(running: Server, token: str, data: Path) -> tuple[float, int]:
    """(seconds, entities) of a push of everything in `data`, one request after another; each answer is checked."""
    bodies = list(_bodies(data))  # made before the clock starts
    parts = urllib.parse.urlsplit(running.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=600)
    head = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    created, begin = 0, time.perf_counter()
    for body in bodies:
        connection.request("POST", PUSH, body, head)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"POST {PUSH}: {answer.status} {content[:300]!r}")
        created += json.loads(content)["created"]
    return time.perf_counter() - begin, created


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


def store_mb(running: Server) -> float:
    """The store in MB: the SQLite file, or the PostgreSQL database that TAXIWAY_DATABASE_URL names."""
    url = os.environ.get("TAXIWAY_DATABASE_URL")
    if url is None:
        return sum(path.stat().st_size for path in running.data.glob("*.db")) / 1e6
    import psycopg

    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return (0 if row is None else row[0]) / 1e6
