"""What the store keeps in memory: a file of any size costs a process no more than its connections' caches."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from taxiway.core.store.database import open_store
from taxiway.kit.clock import SystemClock


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")
def test_no_connection_maps_the_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/held.db"
    store = open_store(url, SystemClock())
    store.write(lambda tx: tx.conn.execute(text("CREATE TABLE t AS SELECT zeroblob(100000) AS filler")) and None)
    store.close()  # what was written is in the file itself now
    store = open_store(url, SystemClock())
    try:
        with store.read() as conn:
            assert conn.execute(text("SELECT sum(length(filler)) FROM t")).scalar_one() == 100_000
            mapped = [line for line in Path("/proc/self/maps").read_text().splitlines() if line.endswith("/held.db")]
        assert mapped == []
    finally:
        store.close()
