"""What descriptions say of themselves, and what is hostile in them."""

from __future__ import annotations

import contextlib
import time

import pytest

from taxiway.plugins.api_descriptions.reading import Outline, Unreadable, outline

OPENAPI = """# The description of a service
openapi: 3.1.0
tags: [a, b]
info:
  license: {name: MIT, title: not this one}
  title: Orders
  contact:
    - title: nor this
  version: "1.2"
  description: |
    Takes orders.
servers:
  - url: https://x
paths:
  /orders:
    get: {summary: x}
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (OPENAPI, Outline("openapi", "Orders", "1.2", "Takes orders.")),
        ('{"swagger": "2.0", "info": {"title": "Old", "version": "1"}}', Outline("openapi", "Old", "1")),
        ("asyncapi: 3.0.0\ninfo: {title: Events, version: 2}", Outline("asyncapi", "Events", "2")),
        ("{openapi: 3.0.0, info: {title: Flow}}", Outline("openapi", "Flow")),
        ('{"info": {"title": "?"}}', Outline("", "?")),
        ("openapi: 3.0.0\ninfo: [title, x]", Outline("openapi")),
        ("openapi: 3.0.0\n? [a, b]\n: c\ninfo: {title: Odd}", Outline("openapi", "Odd")),
    ],
)
def test_the_outline_is_found(text: str, found: Outline) -> None:
    assert outline(text) == found


@pytest.mark.parametrize("text", ["", "<html>sign in</html>", "- a\n- b", "a: [", "\t\0", "[" * 100_000, "just text"])
def test_what_is_no_description_is_said(text: str) -> None:
    with pytest.raises(Unreadable):
        outline(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"openapi": "3.0.0", "x": ' + "[" * 50_000 + "]" * 50_000 + "}",
        "openapi: 3.0.0\nx:\n" + "".join(f"{' ' * n}- \n" for n in range(1, 400)),
        "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"b{n}: &b{n} [*a,*a,*a,*a,*a,*a,*a,*a]\n" for n in range(2000)),
    ],
)
def test_bombs_cost_nothing(text: str) -> None:
    begun = time.process_time()
    with contextlib.suppress(Unreadable):
        outline(text)
    assert time.process_time() - begun < 1
