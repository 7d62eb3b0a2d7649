"""Assembles the HTTP application. Everything it needs is passed in, so tests build one without {% if values.database %}a database{% else %}a network{% endif %}."""

from collections.abc import AsyncIterator
from contextlib import {% if values.database %}AbstractAsyncContextManager, {% endif %}asynccontextmanager
{%- if values.database %}
from typing import Protocol
{%- endif %}

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
{%- if values.database %}
from psycopg import OperationalError
{%- endif %}

from . import SERVICE
from . import health as health_routes
{%- if values.database %}
from .database import on_database_unavailable, open_database
{%- else %}
from .greetings import router as greetings
{%- endif %}
from .health import Health
{%- if values.database %}
from .items.repository import ItemRepository, PostgresItems
from .items.routes import router as items
{%- endif %}
from .metrics import Metrics
from .middleware import ObserveRequests
from .problems import install_problem_handlers
from .settings import Settings
{%- if values.database %}


class OpenItems(Protocol):
    def __call__(self, settings: Settings, health: Health) -> AbstractAsyncContextManager[ItemRepository]: ...


@asynccontextmanager
async def open_postgres_items(settings: Settings, health: Health) -> AsyncIterator[ItemRepository]:
    """Migrate, open the pool, make readiness depend on it; closed after the last request."""
    async with open_database(settings) as database:
        health.check = database.check
        yield PostgresItems(database.pool)
{%- endif %}


def create_app(settings: Settings, health: Health{% if values.database %}, open_items: OpenItems = open_postgres_items{% endif %}) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
{%- if values.database %}
        async with open_items(settings, health) as repository:
            app.state.items = repository
            yield
{%- else %}
        # Open what the service depends on here, and give health.check a probe of it.
        yield
{%- endif %}

    app = FastAPI(title=SERVICE, version="0.1.0", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.health = health
    app.state.settings = settings
    metrics = Metrics()

    @app.get("/metrics", include_in_schema=False)
    def read_metrics() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    app.include_router(health_routes.router)
{%- if values.database %}
    app.include_router(items)
{%- else %}
    app.include_router(greetings)
{%- endif %}
    app.add_middleware(ObserveRequests, metrics=metrics)
    install_problem_handlers(app)
{%- if values.database %}
    app.add_exception_handler(OperationalError, on_database_unavailable)
{%- endif %}
    return app
