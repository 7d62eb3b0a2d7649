"""Docs of an entity: found in its repository, rendered on demand, page by page, kept by content.

A page is rendered in one of two threads with a time limit; what takes longer is refused, and never blocks the others.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as RenderTimeout
from posixpath import basename, dirname, join, normpath, splitext
from typing import Any, TypeVar
from urllib.parse import quote, unquote, urlsplit

from taxiway.core.context import OpContext, Platform
from taxiway.features.catalog import service as catalog
from taxiway.features.docs.markdown import render
from taxiway.features.docs.model import NavItem, Page, Site
from taxiway.kit.pointer import dig
from taxiway.kit.yaml12 import YamlError, load
from taxiway.model.errors import InputError, NotFoundError, TimedOutError
from taxiway.plugin import Forge

T = TypeVar("T")
MAX_PAGE = 500_000
MAX_ASSET = 10_000_000
MAX_PAGES = 2000
KEPT = 300
RENDER_SECONDS = 10.0
REF = "backstage.io/techdocs-ref"
REPOSITORY = "taxiway.dev/repository"
IMAGES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".svg": "image/svg+xml",
}
_CLONE = re.compile(r"/git/([^/]+)\.git(?:/|$)")


class Docs:
    """The docs of one platform; kept on it, shared by all requests."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._lock = threading.Lock()
        self._sites: OrderedDict[Any, Site] = OrderedDict()
        self._pages: OrderedDict[Any, Page] = OrderedDict()
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="docs")

    def site(self, ctx: OpContext, ref: str) -> Site:
        """The site of an entity at the head of its repository. NotFoundError says what is missing."""
        entity = catalog.get_entity(self._platform, ref)
        if entity is None:
            raise NotFoundError(f"there is no entity {ref}: look for it in the catalog", code="docs.no_entity")
        ctx.authorize("docs.read", catalog.owner_of(entity))
        repository, folder = _place(entity)
        forge = self._forge()
        found = forge.get_repository(repository)
        commit = found and forge.resolve(repository, found.default_branch)
        if not commit:
            raise NotFoundError(f"{ref} names the repository '{repository}', which is not there or empty: push to it")
        title = str(entity["metadata"].get("title") or entity["metadata"]["name"])
        key = (repository, commit, folder, title)
        return self._kept(self._sites, key, lambda: _read_site(forge, repository, commit, folder, title))

    def page(self, ctx: OpContext, ref: str, path: str) -> Page:
        """A rendered page. NotFoundError when the repository has no such file, TimedOutError when it takes too long."""
        site = self.site(ctx, ref)
        clean = _inside(path if path.endswith(".md") else f"{path}.md")
        content = self._forge().read_file(site.repository, site.commit, join(site.folder, clean), MAX_PAGE)
        if content is None:
            raise NotFoundError(f"there is no page '{clean}' in the docs of {ref}", code="docs.no_page")
        key = (ref, clean, hashlib.sha256(content).digest())
        title = next((item.title for item in site.nav if item.path == clean), _title(clean))
        return self._kept(self._pages, key, lambda: self._render(content, title, ref, clean))

    def asset(self, ctx: OpContext, ref: str, path: str) -> tuple[bytes, str, str]:
        """(bytes, media type, commit) of an image of the docs."""
        site = self.site(ctx, ref)
        clean = _inside(path)
        media_type = IMAGES.get(splitext(clean)[1].lower())
        if media_type is None:
            raise NotFoundError(f"'{clean}' is not an image: only images are served", code="docs.no_asset")
        content = self._forge().read_file(site.repository, site.commit, join(site.folder, clean), MAX_ASSET)
        if content is None:
            raise NotFoundError(f"there is no file '{clean}' in the docs of {ref}", code="docs.no_asset")
        return content, media_type, site.commit

    def head(self, entity: Mapping[str, Any]) -> str | None:
        """Repository and commit of an entity's docs; None when they are in none that is here."""
        try:
            repository, _ = _place(entity)
            forge = self._forge()
        except NotFoundError:
            return None
        found = forge.get_repository(repository)
        commit = found and forge.resolve(repository, found.default_branch)
        return f"{repository}@{commit}" if commit else None

    def markdown(self, site: Site, path: str) -> str | None:
        """The source of a page, as it stands in the repository."""
        content = self._forge().read_file(site.repository, site.commit, join(site.folder, path), MAX_PAGE)
        return None if content is None else content.decode("utf-8-sig", "replace")

    def _render(self, content: bytes, title: str, ref: str, path: str) -> Page:
        text = content.decode("utf-8-sig", "replace")
        future = self._threads.submit(render, text, title, _linker(ref, path))
        try:
            return future.result(RENDER_SECONDS)
        except RenderTimeout as error:
            future.cancel()
            raise TimedOutError(
                f"'{path}' took longer than {RENDER_SECONDS:.0f} seconds to render: split it", code="docs.slow_page"
            ) from error
        except RecursionError as error:
            raise InputError(f"'{path}' is nested too deeply to render: flatten it", code="docs.deep_page") from error

    def _forge(self) -> Forge:
        forges: list[Forge] = self._platform.registry.all("forge")
        if not forges:
            raise NotFoundError("no forge is installed: enable the plugin git_local", code="docs.no_forge")
        return forges[0]

    def _kept(self, cache: OrderedDict[Any, T], key: Any, make: Callable[[], T]) -> T:
        with self._lock:
            if key in cache:
                cache.move_to_end(key)
                return cache[key]
        value = make()
        with self._lock:
            cache[key] = value
            while len(cache) > KEPT:
                cache.popitem(last=False)
        return value


def _place(entity: Mapping[str, Any]) -> tuple[str, str]:
    annotations = dig(entity, "metadata", "annotations", default={})
    reference = annotations.get(REF)
    name = entity["metadata"]["name"]
    if reference is None:
        raise NotFoundError(f"{name} has no docs: annotate it with {REF}: dir:. and push docs/", code="docs.none")
    kind, _, folder = str(reference).partition(":")
    if kind != "dir":
        raise NotFoundError(f"{REF} of {name} must be dir:<folder>, it is '{reference}'", code="docs.bad_ref")
    location = str(annotations.get("backstage.io/managed-by-location", ""))
    match = _CLONE.search(location)
    repository = annotations.get(REPOSITORY) or (match and match[1])
    if not repository:
        raise NotFoundError(f"{name} names no repository: annotate it with {REPOSITORY}", code="docs.no_repository")
    beside = ""
    if match and match[1] == repository:
        beside = dirname(location[match.end() :])
    return str(repository), _inside(join(beside, folder))


def _read_site(forge: Forge, repository: str, commit: str, folder: str, title: str) -> Site:
    settings: Any = {}
    for name in ("mkdocs.yml", "mkdocs.yaml"):
        content = forge.read_file(repository, commit, join(folder, name), MAX_PAGE)
        if content is not None:
            settings = _settings(content, name)
            break
    docs = settings.get("docs_dir")
    root = _inside(join(folder, docs if isinstance(docs, str) else "docs"))
    names = [n.removeprefix(f"{root}/") for n in forge.list_files(repository, commit, f"{root}/")]
    pages = sorted((n for n in names if n.endswith(".md")), key=lambda n: (basename(n) != "index.md" or "/" in n, n))
    if not pages:
        raise NotFoundError(f"the repository '{repository}' has no Markdown below {root}/: add {root}/index.md")
    nav = list(_nav(settings.get("nav"), frozenset(pages), ())) or [_item(page) for page in pages[:MAX_PAGES]]
    site_name = settings.get("site_name")
    return Site(site_name if isinstance(site_name, str) else title, repository, commit, root, nav)


def _settings(content: bytes, name: str) -> dict[str, Any]:
    try:
        value = load(content)
    except YamlError as error:
        raise InputError(f"{name} is not valid YAML: {error}", code="docs.bad_mkdocs") from error
    return value if isinstance(value, dict) else {}


def _nav(items: Any, pages: frozenset[str], above: tuple[str, ...]) -> Iterator[NavItem]:
    if not isinstance(items, list) or len(above) > 5:
        return
    for item in items[:MAX_PAGES]:
        if isinstance(item, str) and normpath(item) in pages:
            yield _item(normpath(item), section=above)
        elif isinstance(item, dict):
            for title, target in item.items():
                if isinstance(target, str) and normpath(target) in pages:
                    yield _item(normpath(target), str(title), above)
                else:
                    yield from _nav(target, pages, (*above, str(title)))


def _item(path: str, title: str | None = None, section: tuple[str, ...] = ()) -> NavItem:
    return NavItem(title or _title(path), path, " / ".join(section) or None)


def _title(path: str) -> str:
    name = splitext(basename(path))[0]
    if name == "index":
        name = basename(dirname(path)) or "Home"
    return name.replace("-", " ").replace("_", " ").capitalize()


def _inside(path: str) -> str:
    clean = normpath(path.lstrip("/")) if path.strip("/") else "."
    if clean == ".." or clean.startswith("../") or "\0" in clean:
        raise NotFoundError(f"'{path}' leads out of the docs", code="docs.outside")
    return "" if clean == "." else clean


def _linker(ref: str, page: str) -> Callable[[str, str, str], str | None]:
    kind, _, rest = ref.partition(":")
    assets = f"/api/docs/v1/sites/{kind}/{rest}/assets/"

    def link(tag: str, name: str, value: str) -> str | None:
        parts = urlsplit(value)
        if parts.scheme or parts.netloc or not parts.path or parts.path.startswith("/"):
            return value
        target = normpath(join(dirname(page), unquote(parts.path)))
        is_image = splitext(target)[1].lower() in IMAGES
        if not (tag == "img" or is_image):
            return value  # relative links between pages are resolved by the reader, who knows its own addresses
        return None if target.startswith("..") else assets + quote(target)

    return link
