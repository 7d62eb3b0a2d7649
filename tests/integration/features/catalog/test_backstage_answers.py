"""What a real Backstage answered to some hundred requests, and what we answer; `make bench` records it."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from factories.catalog_questions import comparable, entities, kept

GOLDEN = Path(__file__).parents[3] / "golden" / "backstage-catalog.jsonl"


def test_every_recorded_request_is_answered_as_backstage_does(admin: httpx.Client, tmp_path: Path) -> None:
    file = tmp_path / "files" / "entities.json"
    file.write_text("\n---\n".join(json.dumps(entity) for entity in entities()))
    body = {"type": "file", "target": str(file)}
    assert admin.post("/api/catalog/locations?trust=true", json=body).status_code == 201
    lines = [json.loads(line) for line in GOLDEN.read_text().splitlines()]
    assert len(lines) > 400
    for line in lines:
        body = {} if line["body"] is None else {"json": line["body"]}
        answer = admin.request(line["method"], "/api/catalog" + line["path"], **body)
        found = comparable(answer.status_code, answer.text, line["ordered"], str(tmp_path / "files"))
        assert kept(found) == line["answer"], (line["method"], line["path"], line["body"], found)
