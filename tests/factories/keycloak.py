"""A real Keycloak with a realm of its own, behind a door that can be shut: Keycloak takes its issuer from the address
that it is asked at, so that what goes by the door knows no other one."""

from __future__ import annotations

import html
import os
import re
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import httpx

from factories.engines import USER, program
from taxiway.plugin import daemons

START_SECONDS = 90.0
CLIENT, SECRET = "taxiway", "only-for-tests"
PASSWORD = "only-for-tests-4711"
GROUPS = {
    "name": "groups",
    "protocol": "openid-connect",
    "protocolMapper": "oidc-group-membership-mapper",
    "config": {"claim.name": "groups", "full.path": "true", "id.token.claim": "true", "userinfo.token.claim": "true"},
}
"""As its administration console adds it: with the whole path of a group."""


@dataclass
class Door:
    """A port of loopback that leads to another one, while it is open."""

    target: int
    port: int = field(default_factory=daemons.free_port)
    _listener: socket.socket | None = field(default=None, repr=False)
    _ends: list[socket.socket] = field(default_factory=list, repr=False)

    def open(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def shut(self) -> None:
        """Nobody comes in any more, and who is inside is cut off."""
        assert self._listener is not None
        for end in (self._listener, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):  # the door is shut
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
                self._ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while content := one.recv(65536):
                other.sendall(content)
        with suppress(OSError):
            other.shutdown(socket.SHUT_WR)


@dataclass
class Keycloak:
    """It runs: the realm `acme`, with a confidential client for Taxiway that wants PKCE."""

    url: str
    door: Door

    @property
    def issuer(self) -> str:
        return f"{self.url}/realms/acme"

    def admin(self) -> httpx.Client:
        """Calls of the realm's administration."""
        asked = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}
        answer = httpx.post(f"{self.url}/realms/master/protocol/openid-connect/token", data=asked, timeout=30)
        token = answer.raise_for_status().json()["access_token"]
        headers = {"authorization": f"Bearer {token}"}
        return httpx.Client(base_url=f"{self.url}/admin/realms/acme", headers=headers, timeout=30)

    def add(self, kind: str, body: Mapping[str, Any]) -> str:
        """Make something in the realm; its id."""
        with self.admin() as admin:
            return admin.post(f"/{kind}", json=body).raise_for_status().headers["location"].rpartition("/")[2]

    def change(self, path: str, **fields: Any) -> None:
        """Some fields of something in the realm."""
        with self.admin() as admin:
            before = admin.get(path).raise_for_status().json()
            admin.put(path, json={**before, **fields}).raise_for_status()

    def browser(self) -> httpx.Client:
        """Somebody's: it keeps the cookies of Keycloak, which a browser takes from loopback without HTTPS too."""
        return httpx.Client(timeout=30)

    def sign_in(self, browser: httpx.Client, url: str, user: str, password: str = PASSWORD) -> str:
        """Go to the address that Taxiway sent one to and fill Keycloak's form in, unless one is signed in there. Where
        Keycloak sends the browser then, or what its page says."""
        page = browser.get(url)
        _without_https(browser.cookies.jar)
        if page.status_code == 200:
            action = re.search(r'<form[^>]*action="([^"]+)"', page.text)
            assert action is not None, page.text
            page = browser.post(html.unescape(action[1]), data={"username": user, "password": password})
            _without_https(browser.cookies.jar)
        return page.headers["location"] if page.status_code == 302 else page.text


def _without_https(jar: CookieJar) -> None:
    for cookie in jar:
        cookie.secure = False


def user(name: str, *groups: str, **more: Any) -> dict[str, Any]:
    """Somebody of the realm."""
    mail = {"email": f"{name}@acme.example", "emailVerified": True}
    named = {"username": name, "firstName": name.title(), "lastName": "Smith", "enabled": True}
    known = [{"type": "password", "value": PASSWORD, "temporary": False}]
    return {**named, **mail, "credentials": known, "groups": list(groups), **more}


@contextmanager
def keycloak(*users: Mapping[str, Any]) -> Iterator[Keycloak]:
    """A fresh one on free ports of loopback; gone with all that it kept when the block ends."""
    engine = program("keycloak").resolve().parents[1]
    home = Path(tempfile.mkdtemp(prefix="taxiway-keycloak-"))
    try:
        home.chmod(0o711)
        for part in ("conf", "lib", "providers", "themes"):
            (home / part).symlink_to(engine / part)
        (home / "bin").mkdir()
        shutil.copy(engine / "bin" / "kc.sh", home / "bin")  # its own place says which folder it keeps its data in
        shutil.copytree(engine / "data" / "h2", home / "data" / "h2")
        for path in (home / "data", *(home / "data").rglob("*")):
            daemons.give(path, USER)
        yield from _running(home, users)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _running(home: Path, users: tuple[Mapping[str, Any], ...]) -> Iterator[Keycloak]:
    port = daemons.free_port()
    options = ["--optimized", "--http-enabled=true", "--hostname-strict=false", "--cache=local"]
    options += ["--http-host=127.0.0.1", f"--http-port={port}", "--log-level=warn"]
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "JAVA_OPTS_APPEND": "-XX:TieredStopAtLevel=1"}
    command = [str(home / "bin" / "kc.sh"), "start", *options]
    server = daemons.start(command, identity=USER, cwd=home / "data", log=home / "log", environment=environ)
    door = Door(port)
    door.open()
    made = Keycloak(f"http://127.0.0.1:{door.port}", door)
    try:
        _await(server, f"http://127.0.0.1:{port}/realms/master", home / "log")
        _realm(made, users)
        yield made
    finally:
        with suppress(OSError, AssertionError):
            door.shut()
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)  # its script starts Java as a process of its own
        server.end()


def _realm(made: Keycloak, users: tuple[Mapping[str, Any], ...]) -> None:
    client = {
        "clientId": CLIENT,
        "secret": SECRET,
        "redirectUris": ["http://127.0.0.1/*"],
        "attributes": {"pkce.code.challenge.method": "S256", "post.logout.redirect.uris": "+"},
        "protocolMappers": [GROUPS],
    }
    paths = {path for one in users for path in one["groups"]}
    tops = sorted({path.split("/")[1] for path in paths})
    groups = [
        {"name": top, "subGroups": [{"name": p.split("/")[2]} for p in sorted(paths) if p.startswith(f"/{top}/")]}
        for top in tops
    ]
    realm = {"realm": "acme", "enabled": True, "clients": [client], "groups": groups, "users": list(users)}
    with made.admin() as admin:
        admin.post(f"{made.url}/admin/realms", json=realm).raise_for_status()


def _await(server: daemons.Daemon, url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert server.alive(), daemons.tail(log)
        with suppress(httpx.HTTPError):
            if httpx.get(url, timeout=10).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"it does not answer:\n{daemons.tail(log)}")
