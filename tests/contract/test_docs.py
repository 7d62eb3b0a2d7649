"""The reference is what the code says: generated pages are fresh, and nothing that users meet is missing from them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from taxiway.core.settings import Loaded, Settings, describe
from taxiway.model.event_types import SCHEMAS
from taxiway.plugin import POINTS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s]+)\)")


@pytest.fixture(scope="module")
def rendered() -> dict[str, str]:
    # A process of its own: the generator imports every command and plugin.
    script = "import docs, json; print(json.dumps({path.stem: text for path, text in docs.render().items()}))"
    tools = str(ROOT / "tools")
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tools, capture_output=True, text=True, check=False, timeout=180
    )
    assert done.returncode == 0, done.stderr

    pages: dict[str, str] = json.loads(done.stdout)
    return pages


def test_generated_pages_are_fresh(rendered: dict[str, str]) -> None:
    stale = [name for name, text in rendered.items() if _page(name) != text]
    assert not stale, f"{', '.join(stale)}: run `make docs`, look at the difference, commit it"


def test_every_setting_and_contribution_point_has_its_place() -> None:
    settings, points = _page("settings"), _page("contribution-points")
    assert [key for key, *_ in describe(Loaded(Settings(), {})) if f"| `{key}` |" not in settings] == []
    assert [point for point in POINTS if f"\n## {point}\n" not in points] == []


def test_every_error_code_in_the_source_has_its_place() -> None:
    page = _page("errors")
    found = {code for text in _sources() for code in re.findall(r"\bcode=\"([^\"]+)\"", text)}
    assert found
    assert sorted(code for code in found if f"| `{code}` |" not in page) == []


def test_every_event_type_in_the_source_has_its_place() -> None:
    page = _page("events")
    texts = [text for text in _sources() if "EventDraft(" in text]
    types = {found for text in texts for found in re.findall(r"\"(dev\.(?:cdevents|taxiway)\.[\w.]+)\"", text)}
    assert types
    assert sorted(found for found in types if not found.endswith(".") and f"| `{found}` |" not in page) == []


def test_links_between_pages_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "benchmarks" / "README.md", *DOCS.rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in LINK.findall(CODE.sub("", page.read_text()))
        if not (page.parent / unquote(target.partition("#")[0])).exists()
    ]
    assert broken == []


def test_links_into_pages_lead_to_a_heading() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]
    anchors = {page.resolve(): _anchors(page) for page in pages}
    broken = []
    for page in pages:
        for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]*#[^)\s]+)\)", CODE.sub("", page.read_text())):
            path, _, anchor = target.partition("#")
            other = (page.parent / unquote(path)).resolve() if path else page.resolve()
            if other in anchors and unquote(anchor) not in anchors[other]:
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *$", CODE.sub("", page.read_text()), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = "".join(char for char in text if char.isalnum() or char in " -_").replace(" ", "-")
        found.add(next(one for n in range(1000) if (one := f"{anchor}-{n}" if n else anchor) not in found))
    return found


def test_every_page_is_on_the_map() -> None:
    index = (DOCS / "index.md").read_text() + (DOCS / "adr" / "README.md").read_text()
    pages = [page for page in DOCS.rglob("*.md") if page.name not in ("index.md", "README.md")]
    assert [page.name for page in pages if f"{page.name})" not in index] == []


def _page(name: str) -> str:
    path = DOCS / "reference" / f"{name}.md"
    return path.read_text() if path.is_file() else ""


def _sources() -> Iterator[str]:
    for path in (ROOT / "src" / "taxiway").rglob("*.py"):
        if "library" not in path.parts:
            yield path.read_text()


def test_every_event_is_emitted_in_the_shape_that_its_type_declares() -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import docs_scan
    finally:
        sys.path.remove(str(ROOT / "tools"))
    wrong = []
    for emitted in docs_scan.events():
        schema = SCHEMAS.get(emitted.type)
        keys = set(emitted.keys)
        if schema is None or not set(schema["required"]) <= keys <= set(schema["properties"]):
            wrong.append((emitted.type, sorted(keys)))
    assert wrong == []
    assert set(SCHEMAS) == {emitted.type for emitted in docs_scan.events()}
