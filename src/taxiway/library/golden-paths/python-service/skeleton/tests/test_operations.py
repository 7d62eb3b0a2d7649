"""What the platform relies on: health, metrics, logs, error documents, settings, the published API."""

import json
import logging
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ${{ values.package }}.__main__ import main
from ${{ values.package }}.app import create_app
from ${{ values.package }}.health import Health
from ${{ values.package }}.logs import JsonFormatter
from ${{ values.package }}.settings import Settings

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


def test_liveness_does_not_depend_on_readiness(client: TestClient, health: Health) -> None:
    async def broken() -> None:
        raise ConnectionError("no database")

    assert client.get("/readyz").status_code == 200
    health.check = broken
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_a_draining_service_is_not_ready_but_still_serves(client: TestClient, health: Health) -> None:
    health.draining = True
    assert client.get("/readyz").status_code == 503
    assert client.get("/openapi.json").status_code == 200


def test_requests_are_counted_by_route_template(client: TestClient) -> None:
    client.get("{% if values.database %}/items/1{% else %}/greetings/Ada{% endif %}")
    client.get("/nowhere/1")
    client.get("/healthz")
    metrics = client.get("/metrics").text
    assert 'http_requests_total{method="GET",route="{% if values.database %}/items/{item_id}",status="404"{% else %}/greetings/{name}",status="200"{% endif %}} 1.0' in metrics
    assert 'http_requests_total{method="GET",route="unmatched",status="404"} 1.0' in metrics
    assert "http_request_duration_seconds_bucket" in metrics
    assert "healthz" not in metrics


def test_logs_carry_the_request_id_and_the_callers_trace(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    lines: list[dict[str, object]] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(JsonFormatter().format(record)))

    collect = Collect()
    logging.getLogger().addHandler(collect)
    try:
        with caplog.at_level(logging.INFO):
            headers = {"x-request-id": "abc", "traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01"}
            assert client.get("/nowhere", headers=headers).headers["x-request-id"] == "abc"
    finally:
        logging.getLogger().removeHandler(collect)
    line = next(line for line in lines if line["message"] == "request")
    assert (line["request_id"], line["trace_id"], line["status"]) == ("abc", TRACE_ID, 404)


def test_an_unusable_request_id_is_replaced(client: TestClient) -> None:
    assert client.get("/nowhere", headers={"x-request-id": "a b"}).headers["x-request-id"] != "a b"


def test_a_crash_is_a_problem_without_its_inner_details(client: TestClient) -> None:
    app = client.app
    assert isinstance(app, FastAPI)

    @app.get("/crash")
    async def crash() -> None:
        raise RuntimeError("inner detail")

    answer = client.get("/crash")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "inner detail" not in answer.text
{%- if values.database %}


def test_missing_settings_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_HOST", "DATABASE_NAME", "DATABASE_USER", "DATABASE_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit, match="DATABASE_HOST"):
        main()
{%- else %}


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "none")
    with pytest.raises(SystemExit, match="PORT"):
        main()
{%- endif %}


def test_the_published_api_is_current(settings: Settings) -> None:
    published = json.loads(Path("openapi.json").read_text(encoding="utf-8"))
    assert published == create_app(settings, Health()).openapi(), "run `make openapi` and commit openapi.json"
