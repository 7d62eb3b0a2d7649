"""A bench on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from factories.platform import build_platform
from factories.runs import Bench


@pytest.fixture
def bench(database_url: str, tmp_path: Path) -> Iterator[Bench]:
    platform = build_platform(tmp_path / "data", url=database_url)
    made = Bench(platform)
    made.worker.start()
    yield made
    made.worker.stop()
    platform.store.close()
    faults = [line for line in platform.log.lines if line[0] == "exception"]
    assert not faults, faults
