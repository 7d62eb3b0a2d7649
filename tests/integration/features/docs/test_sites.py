"""Docs of an entity, rendered from its repository."""

from __future__ import annotations

import httpx
import pytest

from factories.catalog import Publish, component

SITE = "/api/docs/v1/sites/component/default/orders"
PNG = b"\x89PNG\r\n\x1a\n0000"
INDEX = """# Orders & co

!!! note "Mind this"
    Text of the note

=== "Python"

    ```python
    print("hi")
    ```

=== "Go"

    text

| a | b |
|---|---|
| 1 | 2 |

- [x] done

## Set up { #setup }

[runbook](runbook.md#top) ![chart](img/chart.png) [out](https://example.com)

<script>alert(1)</script>
<img src="x" onerror="alert(1)">
<a href="javascript:alert(1)">bad</a>
"""


@pytest.fixture
def site(admin: httpx.Client, publish: Publish) -> httpx.Client:
    entity = component("orders").replace(
        "  tags:", "  annotations: {backstage.io/techdocs-ref: 'dir:.', taxiway.dev/repository: shop}\n  tags:"
    )
    publish(
        "shop",
        {
            "catalog-info.yaml": entity,
            "mkdocs.yml": "site_name: The orders\nnav:\n- Start: index.md\n"
            "- Operations:\n  - runbook.md\n- Gone: gone.md\n",
            "docs/index.md": INDEX,
            "docs/runbook.md": "Nothing here has a heading\n",
            "docs/img/chart.png": PNG,
            "secret.md": "not below docs",
        },
    )
    assert admin.post("/api/catalog/locations", json={"type": "git", "target": "shop//"}).status_code == 201
    return admin


def test_the_navigation_is_the_one_of_mkdocs(site: httpx.Client) -> None:
    found = site.get(SITE).json()
    assert found["title"] == "The orders"
    assert len(found["commit"]) == 40
    assert found["nav"] == [
        {"title": "Start", "path": "index.md", "section": None},
        {"title": "Runbook", "path": "runbook.md", "section": "Operations"},
    ]


def test_a_page_has_the_dialect_of_techdocs_and_no_scripts(site: httpx.Client) -> None:
    page = site.get(f"{SITE}/pages/index.md").json()
    assert page["title"] == "Orders & co"
    assert {"level": 2, "id": "setup", "text": "Set up"} in page["toc"]
    for part in ('class="admonition note"', 'class="tabbed-set', "<table>", 'type="checkbox"', 'class="highlight"'):
        assert part in page["html"], part
    for part in ("<script", "onerror", "javascript:"):
        assert part not in page["html"]
    assert 'href="runbook.md#top"' in page["html"]
    assert f'src="{SITE}/assets/img/chart.png"' in page["html"]
    assert 'rel="noopener noreferrer"' in page["html"]
    assert site.get(f"{SITE}/pages/runbook").json()["title"] == "Runbook"


def test_images_are_served_and_nothing_else(site: httpx.Client) -> None:
    image = site.get(f"{SITE}/assets/img/chart.png")
    assert (image.content, image.headers["content-type"]) == (PNG, "image/png")
    assert "sandbox" in image.headers["content-security-policy"]
    assert site.get(f"{SITE}/assets/index.md").status_code == 404
    assert site.get(f"{SITE}/pages/..%2Fsecret.md").status_code == 404


def test_a_push_shows_the_new_text(site: httpx.Client, publish: Publish) -> None:
    publish("shop", {"docs/index.md": "# Changed\n"})
    assert site.get(f"{SITE}/pages/index.md").json()["title"] == "Changed"


def test_an_entity_without_docs_says_what_to_do(site: httpx.Client, publish: Publish) -> None:
    publish("bare", {"catalog-info.yaml": component("bare")})
    site.post("/api/catalog/locations", json={"type": "git", "target": "bare//"})
    answer = site.get("/api/docs/v1/sites/component/default/bare")
    assert answer.status_code == 404
    assert "techdocs-ref" in answer.json()["detail"]
