"""`python -m benchmarks.search`: 400 fixed questions to the search API of a real server with 250,000 entities.

Eighty each of: the beginning of a word, a whole name, two words, a name with one typing error, and a word that about a
fifth of the documents have. One connection; a question's time is the median of its rounds. It asserts nothing.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib import util
from pathlib import Path
from typing import Any

import httpx

from benchmarks import peer, server

EACH = 80
LINES = 2000
COMMON = (
    "idempotency",
    "failover",
    "canary",
    "latency",
    "warehouse",
    "python",
    "experimental",
    "rotas",
    "neighbouring",
)
Questions = dict[str, list[str]]


def main() -> None:
    """Load, ask, and print a table of milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entities", type=int, default=250_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="use this data folder, and load it only when it is new")
    options = parser.parse_args()
    if not peer.FOLDER.is_dir():
        raise SystemExit(peer.ABSENT)
    folder = options.keep or Path(tempfile.mkdtemp(prefix="taxiway-bench-"))
    entities = _entities(options.entities)
    new = not (folder / "data").exists()
    running = server.start(folder / "data", folder)
    try:
        made = server.run("tokens", "create", "bench", "--role", "admin", "--data", str(running.data)).split()[-1]
        with httpx.Client(base_url=running.url, headers={"authorization": f"Bearer {made}"}, timeout=120) as client:
            if new:
                _load(client, entities)
                server.settle(running)
            _ask(client, _questions(entities), options.rounds)
    finally:
        running.stop()
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def _entities(count: int) -> list[dict[str, Any]]:
    spec = util.spec_from_file_location("generate_entities", peer.FOLDER / "generate_entities.py")
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: list[dict[str, Any]] = module.build(count, 1)
    return made


def _load(client: httpx.Client, entities: Sequence[dict[str, Any]]) -> None:
    begin = time.perf_counter()
    for start in range(0, len(entities), LINES):
        body = "\n".join(json.dumps(one) for one in entities[start : start + LINES])
        client.post("/api/catalog/v1/push/bench", content=body).raise_for_status()
    print(f"loaded {len(entities):,} entities in {time.perf_counter() - begin:.0f} s", file=sys.stderr)


def _questions(entities: Sequence[dict[str, Any]]) -> Questions:
    rng = random.Random(7)
    names = [one["metadata"]["name"] for one in rng.sample(list(entities), 3 * EACH)]
    words = [name.partition("-")[0].partition(".")[0] for name in names]
    return {
        "prefix": [word[: rng.randint(3, 5)] for word in words[:EACH]],
        "rare": names[:EACH],
        "two words": [f"{words[i]} {words[i + EACH]}" for i in range(EACH)],
        "one typing error": [_mistyped(rng, name) for name in names[EACH : 2 * EACH]],
        "a word in 20 % of documents": [COMMON[i % len(COMMON)] for i in range(EACH)],
    }


def _mistyped(rng: random.Random, name: str) -> str:
    place = rng.randrange(1, len(name) - 1)
    letter = rng.choice("abcdefghijklmnopqrstuvwxyz")
    return rng.choice(
        (
            name[:place] + name[place + 1 :],
            name[:place] + letter + name[place:],
            name[:place] + letter + name[place + 1 :],
            name[:place] + name[place + 1] + name[place] + name[place + 2 :],
        )
    )


def _ask(client: httpx.Client, questions: Questions, rounds: int) -> None:
    print("| questions | found by median | p50 ms | p95 ms | worst ms |\n|---|---|---|---|---|")
    every: list[float] = []
    for name, terms in questions.items():
        times, counts = zip(*_times(client, terms, rounds), strict=True)
        every += times
        print(_row(name, statistics.median(counts), times), flush=True)
    print(_row("all", "", every))


def _times(client: httpx.Client, terms: Sequence[str], rounds: int) -> Iterator[tuple[float, int]]:
    client.get("/api/search/query", params={"term": terms[0]})
    for term in terms:
        taken = []
        for _ in range(rounds):
            begin = time.perf_counter()
            answer = client.get("/api/search/query", params={"term": term})
            taken.append(1000 * (time.perf_counter() - begin))
        yield statistics.median(taken), answer.json()["numberOfResults"]


def _row(name: str, found: object, times: Sequence[float]) -> str:
    ranked = sorted(times)
    p95 = ranked[int(0.95 * (len(ranked) - 1))]
    return f"| {name} | {found} | {statistics.median(ranked):.1f} | {p95:.1f} | {ranked[-1]:.1f} |"


if __name__ == "__main__":
    main()
