"""Sources full of rubbish: each fault is told with its file, line and remedy, and all the rest is taken in."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from factories.catalog import component

API = "/api/catalog"
ROOT = """apiVersion: backstage.io/v1alpha1
kind: Location
metadata: {name: all}
spec: {targets: ['./rubbish.yaml', './good.yaml']}
"""
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
)
HUGE = component("huge") + "  definition: |\n" + "    0123456789012345678901234567890123456789\n" * 1_200_000
NUL = component("nul").replace("The nul", 'The "\0" nul')
TWICE = component("twice") + "  owner: somebody\n"
INVALID = component("latin").encode().replace(b"The latin", b"The \xe9 latin")
SELF = component("self") + "  x: &x [*x]\n"
RUBBISH: dict[str, tuple[str | bytes, str, int | None]] = {
    "alias bomb": (BOMB, "once aliases are expanded", 1),
    "alias of itself": (SELF, "", None),
    "fifty megabytes": (HUGE, "larger than", None),
    "deep flow": (component("deep") + "  x: " + "[" * 10_000 + "]" * 10_000 + "\n", "nest", 11),
    "deep block": (
        component("deep") + "  x:\n" + "".join(" " * (n + 3) + "- \n" for n in range(2000)),
        "nested deeper",
        None,
    ),
    "NUL": (NUL, "NUL", 5),
    "not UTF-8": (INVALID, "UTF-8", 5),
    "key twice": (TWICE, "the key 'owner' stands twice", 11),
    "not a mapping": ("- a\n- b\n", "not a mapping", 1),
    "binary": (bytes(range(256)) * 40, "", None),
    "endless line": ("kind: " + "[{" * 100_000, "nest", 1),
    "python tag": ("a: !!python/object/apply:os.system ['true']\n", "", None),
}


@pytest.mark.parametrize("name", RUBBISH)
def test_rubbish_is_told_and_the_rest_is_taken_in(name: str, admin: httpx.Client, tmp_path: Path) -> None:
    content, detail, line = RUBBISH[name]
    folder = tmp_path / "files"
    (folder / "root.yaml").write_text(ROOT)
    (folder / "good.yaml").write_text(component("orders"))
    (folder / "rubbish.yaml").write_bytes(content.encode() if isinstance(content, str) else content)
    started = time.monotonic()
    answer = admin.post(f"{API}/locations", json={"type": "file", "target": str(folder / "root.yaml")})
    assert answer.status_code == 201, answer.text
    assert time.monotonic() - started < 5
    names = [entity["metadata"]["name"] for entity in admin.get(f"{API}/entities?filter=kind=component").json()]
    assert names == ["orders"]
    problems = admin.get(f"{API}/problems").json()["items"]
    assert problems, "nothing was told"
    told: dict[str, Any] = problems[0]
    assert detail in told["detail"]
    assert told["remedy"]
    assert "rubbish.yaml" in told["location"] + told["detail"]
    assert line is None or told["line"] == line


def test_a_broken_document_does_not_cost_its_neighbours(admin: httpx.Client, tmp_path: Path) -> None:
    parts = [component("first"), TWICE, component("second"), "kind: [\n", NUL, component("third"), component("last")]
    content = "---\n".join(parts).encode()
    file = tmp_path / "files" / "all.yaml"
    file.write_bytes(content + b"--- # the end\n" + INVALID)
    assert admin.post(f"{API}/locations", json={"type": "file", "target": str(file)}).status_code == 201
    names = [entity["metadata"]["name"] for entity in admin.get(f"{API}/entities?filter=kind=component").json()]
    assert names == ["first", "last", "second", "third"]
    problems = admin.get(f"{API}/problems").json()["items"]
    lines = content.decode().split("\n")
    assert sorted(problem["line"] for problem in problems) == [
        lines.index("  owner: somebody") + 1,
        lines.index("kind: [") + 2,
        next(number for number, line in enumerate(lines) if "\0" in line) + 1,
        len(lines) + 5,
    ]
    # What a broken document may stand for is not removed.
    file.write_text(component("first") + "---\nkind: [\n")
    admin.post(f"{API}/refresh", json={"entityRef": "component:first"})
    assert len(admin.get(f"{API}/entities?filter=kind=component").json()) == 4


def test_names_that_no_file_can_have_cost_nothing_else(admin: httpx.Client, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    (folder / "good.yaml").write_text(component("orders"))
    (folder / "circle.yaml").symlink_to("circle.yaml")
    long, nul = "x" * 300, rf"{folder}/a\0b.yaml"
    targets = f'["./{long}.yaml", "{nul}", "./circle.yaml", "./circ**.yaml", "./go**.yaml"]'
    (folder / "root.yaml").write_text(ROOT.replace("['./rubbish.yaml', './good.yaml']", targets))
    answer = admin.post(f"{API}/locations", json={"type": "file", "target": str(folder / "root.yaml")})
    assert answer.status_code == 201, answer.text
    assert [one["metadata"]["name"] for one in admin.get(f"{API}/entities?filter=kind=component").json()] == ["orders"]
    told = [problem["detail"] for problem in admin.get(f"{API}/problems").json()["items"]]
    said = ("too long", "NUL", "circle.yaml", "no file matches 'circ**.yaml'")
    assert len(told) == len(said)
    assert all(any(part in detail for detail in told) for part in said)
    nothing = admin.post(f"{API}/locations", json={"type": "file", "target": str(folder / "none-*.yaml")})
    assert (nothing.status_code, "no file matches" in nothing.text) == (400, True)
    optional = ROOT.replace("['./rubbish.yaml', './good.yaml']", "['./none-*.yaml'], presence: optional")
    (folder / "root.yaml").write_text(optional)
    admin.post(f"{API}/refresh", json={"entityRef": "location:default/all"}).raise_for_status()
    assert admin.get(f"{API}/problems").json()["items"] == []


API_WITH = """apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: filled}
spec: {type: openapi, lifecycle: production, owner: checkout, definition: {$text: ./part}, more: {%s: ./part}}
"""
PARTS: dict[str, tuple[str, str | bytes, str]] = {
    "deep JSON": ("$json", "[" * 100_000 + "]" * 100_000, "nested deeper"),
    "broken JSON": ("$json", '{"a": ', "could not be read"),
    "not a number": ("$json", '{"a": NaN}', "could not be read"),
    "deep YAML": ("$yaml", "[" * 10_000 + "]" * 10_000, "nest"),
    "YAML bomb": ("$yaml", BOMB, "once aliases are expanded"),
    "two documents": ("$yaml", "a: 1\n---\nb: 1\n", "more than one document"),
    "not UTF-8": ("$text", b"\xff\xfe\xe9", "UTF-8"),
    "NUL": ("$text", "a\0b", "NUL"),
    "large": ("$text", "x" * 6_000_000, "larger than"),
}


@pytest.mark.parametrize("name", PARTS)
def test_rubbish_behind_a_placeholder_is_told_too(name: str, admin: httpx.Client, tmp_path: Path) -> None:
    placeholder, content, detail = PARTS[name]
    folder = tmp_path / "files"
    (folder / "root.yaml").write_text(ROOT)
    (folder / "good.yaml").write_text(component("orders"))
    (folder / "rubbish.yaml").write_text(API_WITH % placeholder)
    (folder / "part").write_bytes(content.encode() if isinstance(content, str) else content)
    answer = admin.post(f"{API}/locations", json={"type": "file", "target": str(folder / "root.yaml")})
    assert answer.status_code == 201, answer.text
    names = [entity["metadata"]["name"] for entity in admin.get(f"{API}/entities?filter=kind=component").json()]
    assert names == ["orders"]
    told = admin.get(f"{API}/problems").json()["items"]
    assert any(detail in problem["detail"] and "rubbish.yaml" in problem["location"] for problem in told), told


@pytest.mark.parametrize("name", ["fifty megabytes", "NUL", "not UTF-8", "alias bomb"])
def test_rubbish_in_a_repository_is_told_too(name: str, admin: httpx.Client, publish: Any) -> None:
    content, detail, _ = RUBBISH[name]
    publish("shop", {"catalog-info.yaml": ROOT, "good.yaml": component("orders"), "rubbish.yaml": content})
    answer = admin.post(f"{API}/locations", json={"type": "git", "target": "shop//"})
    assert answer.status_code == 201, answer.text
    names = [entity["metadata"]["name"] for entity in admin.get(f"{API}/entities?filter=kind=component").json()]
    assert names == ["orders"]
    assert any(detail in problem["detail"] for problem in admin.get(f"{API}/problems").json()["items"])
