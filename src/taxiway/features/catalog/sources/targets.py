"""From a location (type and target) to the tree that serves it and the path in there.

`file:/abs/path.yaml` lies below a configured root. A repository of the built-in forge is
`url:<clone url>/<path>`, or in short `git:<repository>//<path>`; without a path it is catalog-info.yaml. Other URLs
lie on a forge that a plugin reads, or on a host of `catalog.url_hosts`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import taxiway
from taxiway.core.context import Platform
from taxiway.features.catalog.model import IMPORT
from taxiway.features.catalog.sources.trees import FileTree, GitTree, Tree
from taxiway.features.catalog.sources.urls import is_known_host, open_url
from taxiway.model.errors import ConflictError, InputError, NotFoundError
from taxiway.plugin import Forge

DEFAULT_FILE = "catalog-info.yaml"
CLONED = re.compile(r"(?P<clone>https?://[^/]+(?:/[^/]+)*?/(?P<name>[^/]+)\.git)(?:/(?P<path>.*))?", re.DOTALL)
"""A clone URL, and the path behind it."""


@dataclass(frozen=True)
class Target:
    """Where a location points to. `repository` and `owner` are set when it is a repository of the forge."""

    tree: Tree
    path: str
    repository: str | None = None
    owner: str | None = None
    remote: bool = False
    """Whether it lies on another host, where others write."""


def library_root() -> Path:
    """The folder of the data that ships with Taxiway."""
    return Path(taxiway.__file__).parent / "library"


def open_target(platform: Platform, kind: str, target: str) -> Target:
    """The tree and path of a location. InputError for what may not be read, NotFoundError for what is not there."""
    if kind == "file":
        return _file(platform, target)
    if kind == "git" or (kind == "url" and target.startswith("git:")):
        name, _, path = target.removeprefix("git:").partition("//")
        return _repository(platform, name.strip("/"), path)
    if kind == "url":
        match = CLONED.fullmatch(target.partition("?")[0])
        if match is not None and not is_known_host(platform, target):
            return _repository(platform, match["name"], match["path"] or "", clone_url=match["clone"])
        tree, path = open_url(platform, target)
        return Target(tree, path, remote=True)
    if kind == IMPORT:
        detail = f"{target} was imported: import its documents again under the same name"
        raise ConflictError(detail, code="catalog.imported")
    raise InputError(f"locations of type '{kind}' are not known: use url, git or file", code="catalog.location_type")


def open_in_repository(platform: Platform, name: str, target: str) -> Target:
    """Like `open_target` for a target known to lie in repository `name`, whatever address the forge had then."""
    match = CLONED.fullmatch(target.partition("?")[0])
    path = (match["path"] or "") if match else target.removeprefix("git:").partition("//")[2]
    return _repository(platform, name, path)


def repository_and_path(location: str) -> tuple[str, str]:
    """(name, path) of a file in a repository of a forge such as ours, whatever address it had; ("", "") for others."""
    match = CLONED.fullmatch(location.removeprefix("url:").partition("?")[0])
    return (match["name"], match["path"] or DEFAULT_FILE) if match else ("", "")


def forge_of(platform: Platform) -> Forge:
    """The forge of this installation. NotFoundError when none is installed."""
    forges: list[Forge] = platform.registry.all("forge")
    if not forges:
        raise NotFoundError("no forge is installed: enable the plugin git_local", code="catalog.no_forge")
    return forges[0]


def _repository(platform: Platform, name: str, path: str, clone_url: str | None = None) -> Target:
    forge = forge_of(platform)
    repository = forge.get_repository(name)
    if repository is None or (clone_url is not None and clone_url != repository.clone_url):
        wanted = clone_url or name
        raise NotFoundError(f"there is no repository {wanted} on the built-in forge", code="catalog.no_repository")
    tree = GitTree(forge, name)
    return Target(tree, path.strip("/") or DEFAULT_FILE, name, repository.owner)


def _file(platform: Platform, target: str) -> Target:
    if "\0" in target:
        raise InputError(f"{target[:200]!r} is no path of a file: leave NUL out", code="catalog.bad_location")
    path = Path(target.removeprefix("//"))
    roots = [library_root(), *platform.settings.catalog.file_roots]
    for root in roots:
        base = root.resolve()
        fixed = _without_pattern(path)
        if path.is_absolute() and fixed.resolve().is_relative_to(base):
            rest = path.relative_to(fixed) if fixed != path else Path()
            return Target(FileTree(base), (fixed.resolve() / rest).relative_to(base).as_posix())
    allowed = ", ".join(str(root) for root in platform.settings.catalog.file_roots) or "none is configured"
    raise InputError(
        f"'{target}' is not below a folder that the catalog may read ({allowed}): set catalog.file_roots",
        code="catalog.outside_roots",
    )


def _without_pattern(path: Path) -> Path:
    fixed = Path(path.anchor)
    for part in path.parts[1 if path.anchor else 0 :]:
        if any(sign in part for sign in "*?["):
            break
        fixed = fixed / part
    return fixed
