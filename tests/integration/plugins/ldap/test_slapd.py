"""A real slapd with more people than one page holds. Skipped where there is none: `make engines NAME=slapd`."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from factories.certificates import self_signed
from factories.engines import program
from taxiway.model.errors import InputError, NotAllowedError, TaxiwayError, TooLargeError, UnavailableError
from taxiway.plugin.daemons import free_port
from taxiway.plugin.testing import EntitySourceConformance, MemorySecrets
from taxiway.plugins.ldap.client import Directory
from taxiway.plugins.ldap.entities import documents
from taxiway.plugins.ldap.settings import LdapOptions
from taxiway.plugins.ldap.source import LdapSource

PEOPLE = 620
ADMIN, PASSWORD = "cn=admin,dc=x", "right"


@dataclass(frozen=True)
class Slapd:
    """A running one: its plain address, the one with TLS, and the authority to trust for that."""

    url: str
    secure: str
    authority: Path


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    pytest.importorskip("ldap3", reason="ldap3 is not installed: install taxiway[ldap]")
    binary = program("slapd")
    folder = tmp_path_factory.mktemp("slapd")
    (folder / "data").mkdir()
    authority, _ = self_signed(folder, "localhost")
    (folder / "slapd.conf").write_text(_configuration(binary, folder))
    (folder / "all.ldif").write_text(_ldif())
    loaded = subprocess.run(
        [binary, "-T", "add", "-q", "-f", folder / "slapd.conf", "-l", folder / "all.ldif"],
        capture_output=True,
        text=True,
    )
    assert loaded.returncode == 0, loaded.stderr
    running = Slapd(f"ldap://127.0.0.1:{free_port()}", f"ldaps://localhost:{free_port()}", authority)
    process = subprocess.Popen(
        [binary, "-f", folder / "slapd.conf", "-h", f"{running.url} {running.secure}", "-d", "0"],
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(running.url)
        yield running
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def url(slapd: Slapd) -> str:
    return slapd.url


def _configuration(binary: Path, folder: Path) -> str:
    home = binary.resolve().parent.parent
    base = home / "package" if (home / "package").is_dir() else Path("/")
    schema, modules = base / "etc/ldap/schema", base / "usr/lib/ldap"
    lines = [*(f"include {schema}/{name}.schema" for name in ("core", "cosine", "inetorgperson"))]
    lines += [f"TLSCertificateFile {folder}/server.crt", f"TLSCertificateKeyFile {folder}/server.key"]
    lines += [f"modulepath {modules}", "moduleload back_mdb", f"pidfile {folder}/pid", "database mdb", 'suffix "dc=x"']
    lines += [f'rootdn "{ADMIN}"', f"rootpw {PASSWORD}", f"directory {folder}/data", "maxsize 50000000", "dbnosync"]
    return "\n".join([*lines, "access to * by users read by anonymous auth"]) + "\n"


def _ldif() -> str:
    entries = ["dn: dc=x\nobjectClass: dcObject\nobjectClass: organization\no: x\ndc: x"]
    entries += [f"dn: ou={name},dc=x\nobjectClass: organizationalUnit\nou: {name}" for name in ("people", "groups")]
    entries += [
        f"dn: uid=p{n},ou=people,dc=x\nobjectClass: inetOrgPerson\nuid: p{n}\ncn: Person {n}\nsn: {n}"
        f"\nmail: p{n}@x.example"
        for n in range(PEOPLE)
    ]
    members = "\n".join(f"member: uid=p{n},ou=people,dc=x" for n in range(0, PEOPLE, 2))
    entries.append(f"dn: cn=even,ou=groups,dc=x\nobjectClass: groupOfNames\ncn: even\n{members}")
    return "\n\n".join(entries) + "\n"


def _wait(address: str) -> None:
    host, port = address.removeprefix("ldap://").split(":")
    for _ in range(100):
        try:
            socket.create_connection((host, int(port)), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("slapd does not answer")


def options(address: str = "", **more: object) -> LdapOptions:
    given = {
        "url": address,
        "bind_dn": ADMIN,
        "password": "env:LDAP_PASSWORD",
        "users_base": "ou=people,dc=x",
        "timeout_seconds": 5,
    }
    return LdapOptions.model_validate({**given, "groups_base": "ou=groups,dc=x", **more})


class TestContract(EntitySourceConformance):
    @pytest.fixture
    def source(self, monkeypatch: pytest.MonkeyPatch) -> LdapSource:
        monkeypatch.setenv("LDAP_PASSWORD", PASSWORD)
        return LdapSource(MemorySecrets())

    @pytest.fixture
    def options(self, url: str) -> dict[str, Any]:
        return options(url).model_dump()

    @pytest.fixture
    def missing(self, url: str) -> dict[str, Any]:
        return options(url, users_base="ou=nobody,dc=x").model_dump()


def test_all_pages_are_read(url: str) -> None:
    asked = options(url)
    with Directory(asked, PASSWORD) as directory:
        users = list(directory.search("ou=people,dc=x", asked.users_filter))
        groups = list(directory.search("ou=groups,dc=x", asked.groups_filter))
    found = {one["metadata"]["name"]: one for one in documents(users, groups, asked)}
    assert len(found) == PEOPLE + 1
    assert found["p2"]["spec"]["memberOf"] == ["even"]
    assert found["p3"]["spec"]["memberOf"] == []
    assert len(found["p3"]["metadata"]["annotations"]["backstage.io/ldap-uuid"]) == 36


@pytest.mark.parametrize(
    ("more", "base", "filter", "error"),
    [
        ({"bind_dn": "cn=other,dc=x"}, "dc=x", "(uid=*)", NotAllowedError),
        ({"bind_dn": ""}, "dc=x", "(uid=*)", TaxiwayError),
        ({}, "dc=y", "(uid=*)", InputError),
        ({}, "dc=x", "(uid=*", InputError),
        ({"most_entries": 600}, "dc=x", "(uid=*)", TooLargeError),
        ({"url": "ldap://127.0.0.1:9"}, "dc=x", "(uid=*)", UnavailableError),
    ],
)
def test_what_goes_wrong_is_said(
    url: str, more: dict[str, object], base: str, filter: str, error: type[TaxiwayError]
) -> None:
    with pytest.raises(error) as caught, Directory(options(url, **more), PASSWORD) as directory:
        list(directory.search(base, filter))
    assert PASSWORD not in caught.value.detail


@pytest.mark.filterwarnings("ignore:ssl.match_hostname")  # ldap3 calls it where Python still has it
@pytest.mark.parametrize("way", ["ldaps", "start_tls"])
def test_its_certificate_is_judged(slapd: Slapd, way: str) -> None:
    named = slapd.url.replace("127.0.0.1", "localhost")
    given: dict[str, object] = {"url": slapd.secure} if way == "ldaps" else {"url": named, "start_tls": True}
    with Directory(options(**given, ca_file=str(slapd.authority)), PASSWORD) as directory:
        assert len(list(directory.search("ou=groups,dc=x", "(cn=even)"))) == 1
    with pytest.raises(UnavailableError), Directory(options(**given), PASSWORD):
        pass
