"""Files behind URLs: what `fetch:*` reads by an absolute URL, and templates that are registered so.

The built-in forge gives what the caller may read of it. A forge of the settings gives folders and files, with the token
of a person or the credential of the settings; a host of `catalog.url_hosts` gives single files. No other host is asked
for anything.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from taxiway.core.context import OpContext, Platform
from taxiway.features.catalog.sources.targets import CLONED
from taxiway.features.catalog.sources.urls import is_known_host, open_url
from taxiway.features.scaffolder.user_tokens import no_credentials
from taxiway.model.access import Principal
from taxiway.model.errors import InputError, NotFoundError, TooLargeError
from taxiway.plugin import Checkout, CheckoutReader, Forge, StepContext
from taxiway.plugin.actions import Tree, inside, workspace_files
from taxiway.plugin.forging.checkouts import MOST_BYTES, MOST_FILES
from taxiway.plugin.outgoing import shown

Values = Mapping[str, Any]
Fetched = Callable[..., AbstractContextManager[Path]]
"""`fetched` of a platform: of a step and its input, as a file or as a folder."""


def is_remote(url: str) -> bool:
    """Whether a `url` of a step is absolute; others are relative to the template."""
    return "://" in url


def checkout(platform: Platform, url: str, token: str | None = None) -> Checkout:
    """What a URL on a forge of the settings names. InputError when it is on none."""
    reader = _reader(platform, url)
    if reader is None:
        raise InputError(
            f"'{shown(url)}' cannot be fetched: its host is no forge of the settings (a single file may be on a host "
            "of catalog.url_hosts too): ask the platform team to add it",
            code="scaffolder.outside_url",
        )
    return reader.checkout(url, token)


def fetching(platform: Platform) -> Fetched:
    """`fetched` of a platform."""
    return partial(fetched, platform)


@contextmanager
def fetched(platform: Platform, ctx: StepContext, values: Values, *, as_file: bool = False) -> Iterator[Path]:
    """The folder or file that a step's `url` names, for as long as the block lasts. NotFoundError when it names a file
    where a folder is wanted, or the other way round."""
    url, token = values["url"], values.get("token") or None
    if token:
        ctx.hide(token)
    if platform.settings.scaffolder.require_user_credentials and not token and _reader(platform, url) is not None:
        raise no_credentials(urlsplit(url).netloc)
    with tempfile.TemporaryDirectory(dir=ctx.workspace.parent) as folder:
        yield _read_into(platform, ctx.principal, Path(folder), url, token, as_file=as_file)


def _read_into(
    platform: Platform, principal: Principal, folder: Path, url: str, token: str | None, *, as_file: bool
) -> Path:
    tree = Tree(folder)
    if as_file and _reader(platform, url) is None and is_known_host(platform, url):
        source, path = open_url(platform, url)
        tree.write("file", source.read(path), executable=False)
        return folder / "file"
    found = _kept_here(platform, principal, url) or checkout(platform, url, token)
    if found.is_file() != as_file:
        kind, action = ("file", "fetch:plain:file") if not as_file else ("folder", "fetch:plain")
        raise NotFoundError(f"'{shown(url)}' is a {kind}: fetch it with {action}, or its like that renders")
    name = ""
    for name, content, executable in found.files(found.path):
        tree.write(name, content, executable)
    return folder / name if as_file else folder


@dataclass(frozen=True)
class _Kept:
    """Implements `Checkout` for a repository of the built-in forge."""

    forge: Forge
    name: str
    commit: str
    path: str

    def is_file(self) -> bool:
        if self.path == ".":
            return False
        found = self.forge.list_files(self.name, self.commit, self.path)
        if not any(one == self.path or one.startswith(f"{self.path}/") for one in found):
            raise NotFoundError(f"{self.name} has no '{self.path}' at {self.commit[:12]}: correct the URL")
        return self.path in found

    def files(self, folder: str) -> Iterator[tuple[str, bytes, bool]]:
        with tempfile.TemporaryDirectory() as scratch:
            root = Path(scratch, "tree")
            root.mkdir()
            self.forge.export(self.name, self.commit, root)
            place = inside(root, folder)
            found = [(place.name, place)] if place.is_file() else list(workspace_files(place))
            if len(found) > MOST_FILES or sum(path.stat().st_size for _, path in found) > MOST_BYTES:
                raise TooLargeError(
                    f"'{folder}' of {self.name} has more than {MOST_FILES} files or {MOST_BYTES} bytes: name a smaller "
                    "folder"
                )
            for name, path in found:
                yield name, path.read_bytes(), os.access(path, os.X_OK)


def _kept_here(platform: Platform, principal: Principal, url: str) -> Checkout | None:
    """What a URL names on the built-in forge, by the address that one clones: `<clone URL>/<path>`, on the default
    branch. NotAllowedError for who may not read there."""
    match = CLONED.fullmatch(url)
    forge: Forge | None = next(iter(platform.registry.all("forge")), None)
    if forge is None or match is None:
        return None
    there = forge.get_repository(match["name"])
    if there is None or there.clone_url != match["clone"]:
        if _reader(platform, url) is None and url.startswith(f"{platform.public_url()}/"):
            raise NotFoundError(f"there is no repository {shown(match['clone'])}: publish it before it is fetched")
        return None
    OpContext(platform, principal, "fetch").authorize("repositories.read", there.owner)
    if there.head is None:
        raise NotFoundError(f"{there.name} has no commit yet: push one")
    return _Kept(forge, there.name, there.head, unquote(match["path"] or "").strip("/") or ".")


def _reader(platform: Platform, url: str) -> CheckoutReader | None:
    try:
        host = urlsplit(url).netloc.lower()
    except ValueError:
        return None
    readers: Sequence[object] = platform.registry.all("url_reader")
    return next((one for one in readers if isinstance(one, CheckoutReader) and host in one.hosts), None)
