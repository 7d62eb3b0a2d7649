"""Asks a running Backstage and a fresh Taxiway the same questions over the same entities, and shows the differences.

`BACKSTAGE_BENCH=FOLDER make bench NAME=catalog-diff` starts the peer's own on empty databases; `BACKSTAGE_URL=…
BACKSTAGE_TOKEN=…` names one that is there and empty. With `--record FILE` its answers become the golden file that a
test compares with.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx

from benchmarks import backstage

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from factories.catalog_questions import Question, comparable, entities, kept, questions
from factories.served import served
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.docs.contrib import FEATURE as DOCS

PATIENCE_SECONDS = 120.0
LIMITS = {"limits": {"requests_per_minute": 1_000_000}}
Ask = Callable[[Question], Any]


def main() -> None:
    """Print the differences, and how many there are."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--record", type=Path)
    options = parser.parse_args()
    with backstage.running() as peer, tempfile.TemporaryDirectory(prefix="taxiway-diff-") as folder:
        if peer is None:
            sys.exit("name the folder of the peer's script (BACKSTAGE_BENCH), or a Backstage (BACKSTAGE_URL)")
        root = Path(folder)
        root.chmod(0o755)
        file = root / "entities.json"
        file.write_text("\n---\n".join(json.dumps(entity) for entity in entities()))
        theirs = asking(peer.url, peer.token, root)
        # The catalog alone: what ships with Taxiway is not in a Backstage.
        with served(
            root / "data", features=[ACCESS, CATALOG, DOCS], catalog={"file_roots": [folder]}, **LIMITS
        ) as made:
            ours = asking(made.url, made.token(), root)
            for ask in (theirs, ours):
                register(ask, file)
            compare(questions(options.requests, options.seed), theirs, ours, options.record)


def asking(url: str, token: str, folder: Path) -> Ask:
    """Puts questions to one server; its answers come comparable."""
    client = httpx.Client(base_url=f"{url}/api/catalog", headers={"authorization": f"Bearer {token}"}, timeout=60)

    def ask(question: Question) -> Any:
        body = {} if question.body is None else {"json": question.body}
        answer = client.request(question.method, question.path, **body)
        return comparable(answer.status_code, answer.text, question.ordered, str(folder))

    return ask


def register(ask: Ask, file: Path) -> None:
    """Register the file, and wait until every entity and its relations are there."""
    status, _ = ask(Question("POST", "/locations?trust=true", {"type": "file", "target": str(file)}))
    if status == 400:
        status, _ = ask(Question("POST", "/locations", {"type": "file", "target": str(file)}))
    assert status == 201, status
    deadline, before = time.monotonic() + PATIENCE_SECONDS, None
    while time.monotonic() < deadline:
        _, found = ask(Question("GET", "/entities", None, ordered=False))
        if len(found) == len(entities()) + 1 and found == before:
            return
        before = found
        time.sleep(2)
    sys.exit("the entities did not all appear")


def compare(asked: Iterable[Question], theirs: Ask, ours: Ask, record: Path | None) -> None:
    """Ask both, print what differs, and record the first one's answers."""
    lines, different = [], 0
    for question in asked:
        expected, found = theirs(question), ours(question)
        lines.append(json.dumps({**vars(question), "answer": kept(expected)}, ensure_ascii=False))
        if expected != found:
            different += 1
            print(question.method, question.path, json.dumps(question.body))
            print("   theirs", json.dumps(expected)[:300])
            print("   ours  ", json.dumps(found)[:300])
    print(f"{len(lines)} requests, {different} answered differently")
    if record is not None:
        record.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
