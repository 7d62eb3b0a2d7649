"""Webhooks of configured sources read what they touch, once."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from factories.catalog import component
from factories.scripted_source import API, Read, Script, ended, told_of
from factories.served import Served, served
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.catalog.service import configured


def test_a_webhook_reads_what_it_touches(server: Served, admin: httpx.Client, script: Script, read: Read) -> None:
    script.repositories = {name: {"catalog-info.yaml": component(name)} for name in ("a", "b", "c")}
    read()
    script.repositories["a"] = {"catalog-info.yaml": component("a", extra="  system: shop\n")}
    del script.repositories["b"]
    with server.client() as nobody:
        hook = f"{API}/v1/hooks/forge"
        assert nobody.post(hook, content=b"a").status_code == 403
        assert nobody.post(hook, content=b"a", headers={"x-signature": "wrong"}).status_code == 403
        assert nobody.post(f"{API}/v1/hooks/other", content=b"a", headers={"x-signature": "right"}).status_code == 403
        signed = {"x-signature": "right"}
        assert nobody.post(hook, headers=signed).json() == {"run_id": None}
        for name in ("a", "b"):
            answer = nobody.post(hook, json={"name": name}, headers=signed)
            assert answer.status_code == 202
            assert ended(server, answer.json()["run_id"])["state"] == "succeeded"
    assert [len(one.hints) for one in script.requests] == [0, 1, 1]
    assert admin.get(f"{API}/entities/by-name/component/default/a").json()["spec"]["system"] == "shop"
    assert told_of(admin)["orphans"] == 1


def test_the_same_webhook_sent_again_and_again_is_one_reading(
    tmp_path: Path, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = {"sources": [{"name": "forge", "type": "script", "org": "acme"}]}
    with served(tmp_path / "data", features=[ACCESS, CATALOG], catalog=catalog) as running:
        running.platform.registry.add("entity_source", script, "test")
        settings, ctx = configured.named(running.platform, "forge"), running.platform.system("test")
        started = [configured.start_reading(ctx, settings, [{"name": name}], changed=True) for name in "aaabab"]
        begun = SimpleNamespace(id="begun", state="running", input={"source": "forge"})
        monkeypatch.setattr(configured, "_live", lambda *_: [begun])
        assert configured.start_reading(ctx, settings) == "begun"
        assert configured.start_reading(ctx, settings, changed=True) != "begun", "it may have passed what changed"
    assert len(set(started)) == 2, "one that has not begun will see what there is when it begins"
