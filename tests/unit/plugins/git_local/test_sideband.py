"""A line of ours stands between two packets of git's answer, however the answer is cut."""

from __future__ import annotations

import pytest

from taxiway.plugins.git_local.sideband import Insertion, packet

ANSWER = packet("one") + packet("two") + b"0000"


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_ours_comes_once_and_between_packets(size: int) -> None:
    insertion, out = Insertion("ours"), b""
    for start in range(0, len(ANSWER), size):
        out += insertion.feed(ANSWER[start : start + size], is_due=start + size > 10)
    out += insertion.end()
    places = [packet("ours") + ANSWER, packet("one") + packet("ours") + packet("two") + b"0000"]
    assert out in places


def test_nothing_changes_when_it_is_never_due_or_no_packet() -> None:
    for answer in (ANSWER, b"no packets at all", ANSWER + b"00"):
        insertion = Insertion("ours")
        assert insertion.feed(answer, is_due=False) + insertion.end() == answer
