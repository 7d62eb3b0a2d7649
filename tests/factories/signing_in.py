"""A server that people sign in to by a provider, which its catalog makes users and groups of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from factories.served import Served, served
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.catalog.service import configured
from taxiway.kit.clock import Clock
from taxiway.worker.main import Worker

BASE = "/api/access/v1/oidc/corp"


def told(browser: httpx.Client) -> str:
    """What the sign-in page says was wrong."""
    return unquote(browser.cookies["taxiway_refused"])


@contextmanager
def signing_in(
    data: Path,
    client: Mapping[str, Any],
    secret: str,
    others: Mapping[str, Mapping[str, Any]] = {},
    *,
    clock: Clock | None = None,
    source: Mapping[str, Any] = {},
    **corp: Any,
) -> Iterator[Served]:
    """Serve one, with a worker. `client` is {issuer, client_id}; the provider `corp` brings groups, `others` by name
    have more settings of their own, and `source` more of the catalog's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OIDC_SECRET", secret)
        one = {**client, "client_secret": "env:OIDC_SECRET"}
        providers = [{"name": "corp", **one, "groups_claim": "groups", **corp}]
        providers += [{"name": name, **one, **more} for name, more in others.items()]
        settings: dict[str, Any] = {
            "access": {"oidc": providers},
            "catalog": {"sources": [{"name": "people", "type": "oidc", "provider": "corp", **source}]},
            "limits": {"sign_ins_per_minute": 1000},
        }
        with served(data, clock=clock, features=[ACCESS, CATALOG], **settings) as running:
            configured.start_new(running.platform)
            worker = Worker(running.platform, [])
            worker.start()
            yield running
            running.platform.stopping.set()
            worker.stop()
