"""What a user types beside the portal: a fresh sign-in link, shell completion, `doctor` on folders that are broken."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from taxiway.cli.main import run

from .conftest import CLI, MakeServer, Server


def link_of(server: Server) -> str:
    """The token in the link that `taxiway login --link` prints, on its own and on stdout."""
    (printed,) = server.cli("login", "--link", "--data", str(server.data)).stdout.split()
    parts = urlsplit(printed)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{server.url}/sign-in"
    assert not parts.query, "what a server or a proxy writes into its log must not hold the token"
    return parse_qs(parts.fragment)["link_token"][0]


def use(server: Server, token: str) -> httpx.Response:
    """What the sign-in page does with the link."""
    return httpx.post(f"{server.url}/api/access/v1/sessions", json={"link_token": token})


def test_a_fresh_link_signs_in_once_and_not_when_it_is_old(make_server: MakeServer) -> None:
    server = make_server()
    first = link_of(server)
    answer = use(server, first)
    assert answer.status_code == 201
    me = httpx.get(f"{server.url}/api/access/v1/me", cookies=answer.cookies).json()
    assert (me["ref"], me["roles"]) == ("user:default/admin", ["admin"])
    late = link_of(server)
    (server.data / "clock-offset").write_text("86400")
    for refused in (use(server, first), use(server, late), use(server, "made-up")):
        assert refused.status_code == 401
        assert refused.json()["code"] == "authentication.link"
        assert "taxiway login --link" in refused.json()["detail"]
        assert not refused.cookies
    (server.data / "clock-offset").unlink()
    assert late not in server.log()


def test_a_link_needs_a_running_server_and_a_folder_of_taxiway(tmp_path: Path) -> None:
    done = subprocess.run(
        [*CLI, "login", "--link", "--data", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "say which server" in done.stderr
    named = [*CLI, "login", "http://127.0.0.1:1", "--link", "--data", str(tmp_path)]
    done = subprocess.run(named, capture_output=True, text=True, check=False)
    assert done.returncode == 5
    assert "is no data folder of Taxiway" in done.stderr


COMPLETE = """
source "$1"
COMP_LINE="${*:2}"
COMP_WORDS=("${@:2}")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
COMP_POINT=${#COMP_LINE}
$(complete -p taxiway | sed 's/.*-F \\([^ ]*\\).*/\\1/')
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def completion(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., set[str]]:
    """What bash offers for the words of a command line, from the script that Taxiway installs."""
    script = tmp_path_factory.mktemp("completion") / "taxiway.bash"
    command = [*CLI, "--install-completion", "--shell", "bash", "--output", str(script)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)

    def complete(*words: str) -> set[str]:
        done = subprocess.run(
            ["bash", "--norc", "-c", COMPLETE, "bash", str(script), "taxiway", *words],
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
        )
        return set(done.stdout.split())

    return complete


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is missing")
def test_the_shell_completes_commands_their_parts_and_options(completion: Callable[..., set[str]]) -> None:
    assert {"up", "demo", "login", "runs", "doctor"} <= completion("")
    assert completion("lo") == {"login"}
    assert {"list", "watch", "logs", "cancel", "retry", "undo"} <= completion("runs", "")
    assert {"--link", "--token", "--data"} <= completion("login", "--")
    assert completion("runs", "list", "--outp") == {"--output"}


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_scripts_are_valid_in_other_shells(shell: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    subprocess.run(
        [*CLI, "--install-completion", "--shell", shell, "--output", str(script)], check=True, capture_output=True
    )
    assert "rollback" in script.read_text()
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is missing, so nothing read the script that was made")
    subprocess.run([shell, "-n", str(script)], check=True)


def newer(data: Path) -> None:
    with closing(sqlite3.connect(data / "taxiway.db")) as file:
        file.execute("update alembic_version set version_num = '9999'")
        file.commit()


def damaged(data: Path) -> None:
    with (data / "taxiway.db").open("r+b") as file:
        file.seek(0, os.SEEK_END)
        for page in range(1, file.tell() // 8192):
            file.seek(page * 8192)
            file.write(b"\xff" * 100)


def no_database(data: Path) -> None:
    (data / "taxiway.db").write_text("a note that somebody left here")


def no_keys(data: Path) -> None:
    shutil.rmtree(data / "keys" / "secrets_local")


def open_keys(data: Path) -> None:
    for key in (data / "keys" / "secrets_local").glob("*.key"):
        key.chmod(0o644)


def wrong_settings(data: Path) -> None:
    (data / "taxiway.yaml").write_text("prot: 7007\n")


def a_file(data: Path) -> None:
    shutil.rmtree(data)
    data.write_text("")


BROKEN: list[tuple[Callable[[Path], None], str, str, str]] = [
    (newer, "database", "newer Taxiway", "upgrade Taxiway"),
    (damaged, "database", "", "backup"),
    (no_database, "database", "not a database", "backup"),
    (no_keys, "keys of secrets", "missing", "backup"),
    (open_keys, "keys of secrets", "others can read", "chmod 600"),
    (wrong_settings, "settings", "prot", "taxiway.yaml"),
    (a_file, "data folder", "cannot be used", "is a file"),
]


Doctor = Callable[..., dict[str, dict[str, str]]]


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Doctor:
    """What `taxiway doctor` says about a folder, by check. In this process: each call looks at all programs."""
    for name in [name for name in os.environ if name.startswith("TAXIWAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def call(data: Path, exit_code: int = 0) -> dict[str, dict[str, str]]:
        capsys.readouterr()
        assert run(["doctor", "--data", str(data), "--output", "json"]) == exit_code
        return {item["check"]: item for item in json.loads(capsys.readouterr().out)}

    return call


def test_doctor_names_what_is_broken_in_a_data_folder_and_the_remedy(make_server: MakeServer, doctor: Doctor) -> None:
    server = make_server()
    assert doctor(server.data)["server"]["found"] == server.url
    server.stop()
    found = doctor(server.data)
    assert {name: item["ok"] for name, item in found.items() if not item["ok"]} == {}
    assert "read to its end" in found["database"]["found"]
    for number, (harm, check, what, remedy) in enumerate(BROKEN):
        data = server.data.parent / f"broken-{number}"
        shutil.copytree(server.data, data, ignore=shutil.ignore_patterns("bell"))  # a named pipe is no content
        harm(data)
        before = contents(data)
        wrong = {name: item for name, item in doctor(data, exit_code=1).items() if not item["ok"]}
        assert list(wrong) == [check], (harm.__name__, wrong)
        assert what in wrong[check]["found"], wrong
        assert remedy in wrong[check]["remedy"], wrong
        assert contents(data) == before, f"{harm.__name__}: doctor changed something"


def contents(data: Path) -> dict[str, bytes]:
    """Every file of the folder; what SQLite keeps beside an open database comes and goes."""
    if data.is_file():
        return {"": data.read_bytes()}
    files = (path for path in data.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal")))
    return {str(path.relative_to(data)): path.read_bytes() for path in files}
