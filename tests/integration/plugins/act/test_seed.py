"""Packages fetched ahead: repositories start from them, and their jobs cannot change them."""

import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from factories.golden_path import SKELETON
from factories.host import Host
from taxiway.model.errors import UnavailableError
from taxiway.plugin import Identity
from taxiway.plugins.act import host
from taxiway.plugins.act.caches import ForgetRepository, RepositoryCaches
from taxiway.plugins.act.seed import Seed

USER = Identity(64323, 64323)
LOCK = "golden-paths/tiny/skeleton/requirements.lock.txt"

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root runs pipelines as another user"),
    pytest.mark.skipif(host.program("uv") is None, reason="uv is missing: pip install uv"),
]

ATTACK = """
import os, pathlib, sys
cache = pathlib.Path(sys.argv[1])
package = next(cache.glob("tools/uv/archive-v*/*/iniconfig"))
file = package / "__init__.py"
def refused(act):
    try:
        act()
    except PermissionError:
        return
    sys.exit(f"was allowed: {act}")
refused(lambda: file.open("a"))
refused(lambda: file.chmod(0o666))
refused(lambda: os.truncate(file, 0))
refused(lambda: os.utime(file, (0, 0)))
refused(lambda: os.listdir(cache.parent))
refused(lambda: os.listdir(cache.parent.parent / "seed"))
file.unlink()
file.write_text("raise SystemExit('planted')")
"""


@pytest.fixture
def root() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="taxiway-act-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def write_lock(root: Path, tag: str = "{%- if values.database %}") -> str:
    text = (SKELETON / "requirements-dev.lock.txt").read_text()
    found = re.search(r"^iniconfig==(?:.*\\\n)*.*\n", text, re.MULTILINE)
    assert found is not None
    (root / "library" / LOCK).parent.mkdir(parents=True, exist_ok=True)
    (root / "library" / LOCK).write_text(f"{tag}\n{found[0]}{{%- endif %}}\n")
    return found[0]


def as_user(argv: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {"HOME": "/nonexistent", "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        argv, cwd=folder, env=environment, capture_output=True, text=True, user=USER.uid, group=USER.gid, check=False
    )


def test_repositories_start_from_the_seed_and_their_jobs_cannot_change_it(root: Path) -> None:
    python = host.pythons(USER)
    if not python:
        pytest.skip("no Python 3.11 or newer that another user can run")
    lock = write_lock(root)
    context = Host(root / "host", None, USER).context
    context.cache_dir.chmod(0o711)
    seed = Seed(context.cache_dir / "seed", USER, root / "library")
    caches = RepositoryCaches(context, seed)
    assert seed.path() is None
    path = seed.fill(threading.Event())
    assert path is not None
    before = {file: file.read_bytes() for file in path.rglob("*.py")}
    assert before

    cache = caches.folder("orders")
    assert caches.folder("orders") == cache
    work, uv = root / "work", root / "uv"
    work.mkdir()
    os.chown(work, 64323, 64323)
    tool = host.program("uv")
    assert tool is not None
    shutil.copy(tool, uv)
    (root / "lock.txt").write_text(lock)
    (root / "lock.txt").chmod(0o644)
    install = [str(uv), "pip", "install", "--offline", "--cache-dir", str(cache / "tools/uv"), "--target", "installed"]
    install += ["--python", str(python[0][1]), "--require-hashes", "-r", str(root / "lock.txt")]
    done = as_user(install, work)
    assert done.returncode == 0, done.stderr
    assert list((work / "installed/iniconfig/__pycache__").iterdir())

    attack = as_user([str(python[0][1]), "-c", ATTACK, str(cache)], work)
    assert (attack.returncode, attack.stdout, attack.stderr) == (0, "", "")
    assert {file: file.read_bytes() for file in path.rglob("*.py")} == before
    assert {file.stat().st_uid for file in path.rglob("*")} == {0}
    other = next(caches.folder("payments").glob("tools/uv/archive-v*/*/iniconfig/__init__.py"))
    assert "planted" not in other.read_text()

    event = SimpleNamespace(data={"repository": "orders"}, subject="repository:orders")
    ForgetRepository(caches).handle(event)
    assert not cache.exists()
    assert caches.folder("orders") != cache


def test_seed_is_made_anew_only_when_a_lock_file_changed(root: Path) -> None:
    if not host.pythons(USER):
        pytest.skip("no Python 3.11 or newer that another user can run")
    write_lock(root)
    seed = Seed(root / "seed", USER, root / "library")
    first = seed.fill(threading.Event())
    assert first is not None
    made = first.stat().st_ino
    assert Seed(root / "seed", USER, root / "library").fill(threading.Event()) == first
    assert first.stat().st_ino == made
    with (root / "library" / LOCK).open("a") as file:
        file.write("# another\n")
    second = seed.fill(threading.Event())
    assert list((root / "seed").iterdir()) == [second]
    assert seed.path() == second != first


def test_stopped_or_wrong_fetch_keeps_the_seed_that_is_there(root: Path) -> None:
    if not host.pythons(USER):
        pytest.skip("no Python 3.11 or newer that another user can run")
    write_lock(root)
    seed = Seed(root / "seed", USER, root / "library")
    first = seed.fill(threading.Event())
    (root / "library" / LOCK).write_text("iniconfig==2.1.0 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(UnavailableError, match="could not be fetched ahead"):
        seed.fill(threading.Event())
    assert seed.path() == first
