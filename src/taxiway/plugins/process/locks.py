"""What npm sees of a release's `package.json` and `package-lock.json`: packages of a registry, by their hashes.

Both files are a stranger's, and npm runs as Taxiway: an address in them would be fetched from this machine, a git
repository would be cloned and prepared, a folder would be copied. So both are checked, and written anew with only the
keys that an installation needs. Which registry it is, whoever runs Taxiway says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from taxiway.model.errors import InputError

LOCK_FILE = "package-lock.json"
PACKAGE = r"(?:@[a-zA-Z0-9_~-][a-zA-Z0-9._~-]*/)?[a-zA-Z0-9_~-][a-zA-Z0-9._~-]*"
NAME = re.compile(PACKAGE)
PLACE = re.compile(rf"node_modules/{PACKAGE}(?:/node_modules/{PACKAGE})*")
VERSION = re.compile(r"\d+\.\d+\.\d+(?:-[a-zA-Z0-9.-]+)?(?:\+[a-zA-Z0-9.-]+)?")
INTEGRITY = re.compile(r"sha512-[a-zA-Z0-9+/]{86}==")
WANTED = re.compile(rf"(?:npm:{PACKAGE}@?)?(?!\.)[a-zA-Z0-9.*^<>=|+ ~_-]*|\${PACKAGE}")
"""A range of versions, a tag, another name for a package, or in `overrides` the range of another package."""
ARCHIVES = (".tgz", ".tar.gz", ".tar")
GROUPS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "overrides")
KEPT = (*GROUPS, "name", "version", "peerDependenciesMeta", "engines", "os", "cpu", "libc")
KEPT_OF_LOCKED = (*KEPT, "integrity", "bin", "dev", "optional", "devOptional", "peer")


def checked_package(package: Mapping[str, Any]) -> dict[str, Any]:
    """The `package.json` for npm. InputError when it depends on what is not in a registry."""
    _check_wanted("package.json", package)
    return {key: package[key] for key in KEPT if key in package}


def checked_lock(lock: Mapping[str, Any]) -> dict[str, Any]:
    """The `package-lock.json` for npm. InputError unless each package in it is one of a registry, with its sha512."""
    found = lock.get("packages")
    if lock.get("lockfileVersion") not in (2, 3) or not isinstance(found, dict):
        raise InputError(f"{LOCK_FILE} must be of version 2 or 3: write it with npm 7 or newer", code="process.lock")
    packages = {place: _checked(place, one) for place, one in found.items()}
    return {"lockfileVersion": 3, "requires": True, "packages": packages}


def _checked(place: str, one: Any) -> dict[str, Any]:
    if not isinstance(one, dict):
        raise _refused(f"has no object for {place[:120]!r}")
    _check_wanted(f"{LOCK_FILE} at {place[:120]!r}", one)
    if place:
        if not INTEGRITY.fullmatch(str(one.get("integrity", ""))):
            raise _refused(f"has no sha512 for {place[:120]}")
        if not PLACE.fullmatch(place) or one.get("link"):
            raise _refused(f"has {place[:120]!r}, which is no folder of node_modules")
        name, version = str(one.get("name", "x")), str(one.get("version", ""))
        if not NAME.fullmatch(name) or not VERSION.fullmatch(version) or one.get("hasShrinkwrap"):
            raise _refused(f"has no name and version of a registry for {place[:120]}")
        _check_bin(place, one.get("bin") or {})
    return {key: one[key] for key in KEPT_OF_LOCKED if key in one}


def _check_bin(place: str, bins: Any) -> None:
    """npm makes these executable, so they must be files of their package."""
    paths = [*bins.keys(), *bins.values()] if isinstance(bins, Mapping) else [bins]
    if any(not isinstance(path, str) or path.startswith("/") or ".." in path.split("/") for path in paths):
        raise _refused(f"has a program outside of its package for {place[:120]}")


def _check_wanted(where: str, one: Mapping[str, Any]) -> None:
    for group in GROUPS:
        for name, wanted in _wanted(one.get(group)):
            is_name = group == "overrides" or NAME.fullmatch(name)
            if not is_name or not WANTED.fullmatch(wanted) or wanted.lower().endswith(ARCHIVES):
                raise InputError(
                    f"{where} wants {name[:120]} as {wanted[:120]!r}: depend on versions of packages of a "
                    "registry, not on addresses, folders, links or git",
                    code="process.lock",
                )


def _wanted(group: Any) -> Iterator[tuple[str, str]]:
    """(name, what is wanted) in a group, however deep: overrides are nested."""
    left = [("packages", {} if group is None else group)]
    while left:
        name, wanted = left.pop()
        if isinstance(wanted, Mapping):
            left += wanted.items()
        else:
            yield name, wanted if isinstance(wanted, str) else repr(wanted)


def _refused(what: str) -> InputError:
    return InputError(
        f"{LOCK_FILE} {what}: depend on packages of a registry, not on folders, links or git, and write the file with "
        "'npm install --package-lock-only'",
        code="process.lock",
    )
