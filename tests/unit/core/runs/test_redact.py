"""What never reaches a log line."""

from __future__ import annotations

import pytest

from taxiway.core.runs.redact import MASK, Redactor


@pytest.mark.parametrize(
    "text",
    [
        "ghp_" + "a1" * 18,
        "glpat-" + "x" * 20,
        "AKIA" + "A" * 16,
        "eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl",
    ],
)
def test_tokens_are_masked_wherever_they_stand(text: str) -> None:
    assert Redactor().line(f"x={text}; y") == f"x={MASK}; y"


def test_credentials_in_urls_and_headers_are_masked_and_the_rest_stays() -> None:
    assert Redactor().line("clone https://bot:s3cret@host/r.git") == f"clone https://{MASK}@host/r.git"
    assert Redactor().line("Authorization: Bearer abcdefghijklmnop") == f"Authorization: Bearer {MASK}"
    assert Redactor().line("GET https://host:8080/path?x=1") == "GET https://host:8080/path?x=1"


def test_a_value_is_masked_whole_and_by_line_and_a_longer_one_before_a_shorter() -> None:
    redactor = Redactor()
    redactor.add("first-line\nsecond-line")
    redactor.add("first-line-and-more")
    redactor.add("ab")
    assert redactor.line("got first-line-and-more, second-line, ab") == f"got {MASK}, {MASK}, ab"
    assert redactor.document({"k": ["x first-line"], "n": 1}) == {"k": [f"x {MASK}"], "n": 1}


def test_a_private_key_is_masked_over_lines_and_a_certificate_is_not() -> None:
    redactor = Redactor()
    lines = ["-----BEGIN EC PRIVATE KEY-----", "MHc", "-----END EC PRIVATE KEY-----", "-----BEGIN CERTIFICATE-----"]
    assert [redactor.line(line) for line in lines] == [MASK, MASK, MASK, lines[3]]
