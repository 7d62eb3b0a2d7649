"""Entries of OpenLDAP and of Active Directory as people and teams."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from pydantic import ValidationError

from taxiway.model.errors import InputError
from taxiway.plugins.ldap.client import Directory
from taxiway.plugins.ldap.entities import Entry, documents, same_dn
from taxiway.plugins.ldap.settings import LdapOptions

OPTIONS = LdapOptions(url="ldaps://ldap.example", users_base="dc=x", groups_base="dc=x")
GUID = uuid.UUID("0b1d2e3f-0000-4000-8000-000000000001")


def entry(dn: str, **values: Any) -> Entry:
    return Entry(dn, {key.lower(): value if isinstance(value, list) else [value] for key, value in values.items()})


def read(users: list[Entry], groups: list[Entry]) -> dict[str, dict[str, Any]]:
    found = documents(users, groups, OPTIONS)
    return {f"{one['kind']}:{one['metadata']['name']}": one for one in found}


def test_a_file_of_authorities_that_is_not_there_is_said() -> None:
    pytest.importorskip("ldap3", reason="ldap3 is not installed: install taxiway[ldap]")
    with pytest.raises(InputError, match="check url and ca_file"):
        Directory(LdapOptions(url="ldaps://ldap.example", ca_file="/nowhere/ca.pem"), None)


def test_openldap_with_members_in_groups() -> None:
    ada = entry(
        "uid=ada,ou=People,dc=x",
        uid=b"ada",
        cn=b"Ada Lovelace",
        mail=b"ada@x.example",
        entryUUID=b"1-2",
        title=b"Countess",
    )
    found = read(
        [ada],
        [
            entry("cn=engines,ou=Groups,dc=x", cn=b"engines", member=[b"UID=Ada, ou=people, dc=x"], description=b"All"),
            entry("cn=unix,ou=Groups,dc=x", cn=b"unix", memberUid=[b"ada", b"ghost"]),
            entry("cn=all,ou=Groups,dc=x", cn=b"all", member=[b"cn=engines,ou=Groups,dc=x"]),
        ],
    )
    assert found["User:ada"]["spec"] == {
        "profile": {"displayName": "Ada Lovelace", "email": "ada@x.example"},
        "memberOf": ["engines", "unix"],
    }
    assert found["User:ada"]["metadata"]["annotations"] == {
        "backstage.io/ldap-dn": "uid=ada,ou=People,dc=x",
        "backstage.io/ldap-uuid": "1-2",
        "backstage.io/ldap-rdn": "ada",
    }
    assert found["Group:all"]["spec"]["children"] == ["engines"]
    assert found["Group:engines"]["metadata"]["description"] == "All"


def test_active_directory_with_groups_in_people() -> None:
    on = entry(
        "CN=Lovelace\\, Ada,OU=Staff,DC=x",
        sAMAccountName=b"alovelace",
        displayName="Ada Löwe".encode(),
        objectGUID=GUID.bytes_le,
        userAccountControl=b"512",
        memberOf=b"CN=Engines,OU=Groups,DC=x",
    )
    off = entry("CN=Gone,OU=Staff,DC=x", sAMAccountName=b"gone", userAccountControl=b"514")
    found = read([off, on], [entry("CN=Engines,OU=Groups,DC=x", cn=b"Engines")])
    assert set(found) == {"User:alovelace", "Group:Engines"}
    user = found["User:alovelace"]
    assert user["spec"]["memberOf"] == ["Engines"]
    assert user["metadata"]["annotations"]["backstage.io/ldap-uuid"] == str(GUID)
    assert user["metadata"]["annotations"]["backstage.io/ldap-rdn"] == "Lovelace, Ada"


def test_names_are_valid_and_each_somebodys() -> None:
    found = read(
        [entry("cn=b,ou=2,dc=x", uid=b"j.doe"), entry("cn=a,ou=1,dc=x", uid=b"J.Doe"), entry("cn=\xe4,dc=x")], []
    )
    assert len(found) == 3
    assert "User:J.Doe" in found


def test_rubbish_in_values_is_text() -> None:
    found = read([entry("uid=x,dc=x", uid=b"x", cn=b"\xff\x00name", userAccountControl=b"many")], [])
    assert found["User:x"]["spec"]["profile"]["displayName"] == "\ufffdname"


def test_equal_names_are_equal() -> None:
    assert same_dn("UID = Ada , OU=People,DC=X") == same_dn("uid=ada,ou=people,dc=x")


@pytest.mark.parametrize("url", ["http://x", "ldap://", "ldaps://x/dc=y", ""])
def test_an_address_is_one(url: str) -> None:
    with pytest.raises(ValidationError):
        LdapOptions(url=url)
