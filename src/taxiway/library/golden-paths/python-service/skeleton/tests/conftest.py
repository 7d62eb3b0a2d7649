"""Fixtures: an application {% if values.database %}over the in-memory repository, {% endif %}with its lifespan run, and a client for it."""

{% if values.database -%}
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
{%- else -%}
from collections.abc import Iterator
{%- endif %}

import pytest
from fastapi.testclient import TestClient
{%- if values.database %}
from pydantic import SecretStr
{%- endif %}

from ${{ values.package }}.app import create_app
from ${{ values.package }}.health import Health
{%- if values.database %}
from ${{ values.package }}.items.repository import ItemRepository
{%- endif %}
from ${{ values.package }}.settings import Settings
from ${{ values.package }}.tracing import configure_tracing
{%- if values.database %}

from .memory import MemoryItems
{%- endif %}


@pytest.fixture(scope="session", autouse=True)
def _traced() -> None:
    configure_tracing(None)


@pytest.fixture
def settings() -> Settings:
{%- if values.database %}
    return Settings(
        database_host="unused", database_name="unused", database_user="unused", database_password=SecretStr("unused")
    )
{%- else %}
    return Settings()
{%- endif %}


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def client(settings: Settings, health: Health) -> Iterator[TestClient]:
{%- if values.database %}
    @asynccontextmanager
    async def open_memory_items(settings: Settings, health: Health) -> AsyncIterator[ItemRepository]:
        yield MemoryItems()

    app = create_app(settings, health, open_memory_items)
{%- else %}
    app = create_app(settings, health)
{%- endif %}
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
{%- if values.database %}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def database_url() -> str:
    if url := os.environ.get("TEST_DATABASE_URL"):
        return url
    pytest.skip("TEST_DATABASE_URL is not set; give it an empty PostgreSQL database to run the SQL tests")
{%- endif %}
