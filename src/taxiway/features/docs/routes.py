"""Operations of docs: the site of an entity, its pages, its images."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, cast

from fastapi import Path, Response
from pydantic import BaseModel

from taxiway.core.context import OpContext
from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import json_bytes
from taxiway.core.operations import Operations
from taxiway.features.docs.service import Docs

operations = Operations("docs")
SITE = "/api/docs/v1/sites/{kind}/{namespace}/{name}"
READ = "docs.read"
Part = Annotated[str, Path(max_length=253)]
FilePath = Annotated[str, Path(max_length=1000)]


class NavView(BaseModel):
    """A page in the navigation."""

    title: str
    path: str
    section: str | None


class SiteView(BaseModel):
    """The docs of an entity."""

    title: str
    nav: list[NavView]
    commit: str


class HeadingView(BaseModel):
    """A heading of a page."""

    level: int
    id: str
    text: str


class PageView(BaseModel):
    """A rendered page."""

    title: str
    html: str
    toc: list[HeadingView]


@operations.get(SITE, READ, response=SiteView)
def site(ctx: Ctx, kind: Part, namespace: Part, name: Part) -> Response:
    """The pages of an entity's docs, and the commit they are at."""
    found = _docs(ctx).site(ctx, _ref(kind, namespace, name))
    return json_bytes({"title": found.title, "nav": [asdict(item) for item in found.nav], "commit": found.commit})


@operations.get(SITE + "/pages/{path:path}", READ, response=PageView)
def page(ctx: Ctx, kind: Part, namespace: Part, name: Part, path: FilePath) -> Response:
    """A page as sanitised HTML."""
    return json_bytes(asdict(_docs(ctx).page(ctx, _ref(kind, namespace, name), path or "index.md")))


@operations.get(SITE + "/assets/{path:path}", READ, media=("*/*",))
def asset(ctx: Ctx, kind: Part, namespace: Part, name: Part, path: FilePath) -> Response:
    """An image of the docs."""
    content, media_type, commit = _docs(ctx).asset(ctx, _ref(kind, namespace, name), path)
    # An SVG that is opened by itself could hold a script: it gets neither scripts nor an origin.
    headers = {
        "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
        "x-content-type-options": "nosniff",
        "cache-control": "private, max-age=60",
        "etag": f'"{commit}"',
    }
    return Response(content, headers=headers, media_type=media_type)


def _docs(ctx: OpContext) -> Docs:
    return cast(Docs, ctx.platform.services["docs"])


def _ref(kind: str, namespace: str, name: str) -> str:
    return f"{kind}:{namespace}/{name}".lower()
