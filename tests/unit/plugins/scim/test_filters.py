"""Filters of RFC 7644: the examples of the RFC, what identity providers send, and rubbish."""

from __future__ import annotations

import pytest

from taxiway.plugins.scim.filters import FilterError, parse_filter

BARBARA = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
    "id": "2819c223-7f76-453a-919d-413861904646",
    "externalId": "bJensen",
    "userName": "bjensen@example.com",
    "name": {"familyName": "O'Malley", "givenName": "Barbara"},
    "title": "Tour Guide",
    "userType": "Employee",
    "active": True,
    "emails": [
        {"value": "bjensen@example.com", "type": "work", "primary": True},
        {"value": "babs@jensen.org", "type": "home"},
    ],
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Tours", "manager": {"value": "26"}},
    "meta": {"lastModified": "2011-05-13T04:42:34Z"},
}


@pytest.mark.parametrize(
    "text",
    [
        'userName eq "BJENSEN@example.com"',
        'name.familyName co "O\'Malley"',
        'userName sw "B"',
        'urn:ietf:params:scim:schemas:core:2.0:User:userName sw "b"',
        "title pr",
        'meta.lastModified gt "2011-05-13T04:42:33Z"',
        'title pr and userType eq "Employee"',
        'title pr or userType eq "Intern"',
        'schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"',
        'userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")',
        'userType ne "Intern" and not (emails co "example.net" or emails.value co "example.net")',
        'userType eq "Employee" and (emails.type eq "work")',
        'userType eq "Employee" and emails[type eq "work" and value co "@example.com"]',
        'emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]',
        "active eq true",
        "active eq True",
        'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "26"',
        "nickName eq null",
        'externalId EQ "bJensen"',
    ],
)
def test_it_matches(text: str) -> None:
    assert parse_filter(text)(BARBARA)


@pytest.mark.parametrize(
    "text",
    [
        'externalId eq "bjensen"',  # identifiers are compared exactly
        'userName eq "bjensen"',
        "nickName pr",
        'emails[type eq "home" and value co "@example.com"]',
        "active eq false",
        'title pr and userType eq "Intern" or nickName pr',
        "active gt 1",
    ],
)
def test_it_does_not_match(text: str) -> None:
    assert not parse_filter(text)(BARBARA)


@pytest.mark.parametrize(
    "text",
    [
        "userName",
        'userName like "x"',
        "userName eq",
        "userName eq bjensen",
        '(userName eq "x"',
        'userName eq "x")',
        'emails[type eq "x"',
        'userName eq "x" userType',
        '"userName" eq "x"',
        "not userName pr",
        'userName eq "' + "x" * 5000 + '"',
        "(" * 500 + "title pr" + ")" * 500,
        " or ".join(["title pr"] * 200),
        "; drop table",
        'userName eq "\\x"',
    ],
)
def test_what_is_no_filter_is_said(text: str) -> None:
    with pytest.raises(FilterError):
        parse_filter(text)
