"""What npm is shown of a release: packages of a registry by their hashes, and nothing that leads elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from taxiway.model.errors import InputError
from taxiway.plugins.process.locks import checked_lock, checked_package

SHA = "sha512-" + "a" * 86 + "=="
GOOD = {"version": "1.2.3", "integrity": SHA}


def lock(place: str = "node_modules/x", **more: Any) -> dict[str, Any]:
    return {"lockfileVersion": 3, "packages": {"": {"name": "shop"}, place: {**GOOD, **more}}}


@pytest.mark.parametrize(
    "wanted",
    [
        "^1.2.3",
        "",
        "*",
        "1.x || >=2.5.0 || 5.0.0 - 7.2.3",
        "latest",
        "~1.0.0-beta_1",
        "npm:other@^4.2.0",
        "npm:@of/it@1",
    ],
)
def test_ranges_and_other_names_are_let_through(wanted: str) -> None:
    package = {"name": "shop", "dependencies": {"@of/x": wanted}, "overrides": {"y@1": {".": "2", "z": "$@of/x"}}}
    assert checked_package({**package, "workspaces": ["*"], "scripts": {"install": "x"}}) == package
    assert checked_lock(lock(dependencies={"y": wanted}))["packages"]["node_modules/x"]["dependencies"] == {"y": wanted}


@pytest.mark.parametrize(
    "wanted",
    [
        "http://192.0.2.1/",
        "git+file:///srv/git/other.git",
        "someone/project",
        "file:../x",
        "../x",
        "..",
        "x.TGZ",
        "npm:x@./y",
        "npm:x@y.tar.gz",
        "workspace:*",
        ["1"],
    ],
)
def test_addresses_folders_and_git_are_refused_wherever_they_stand(wanted: Any) -> None:
    for group in ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies"):
        with pytest.raises(InputError, match="depend on versions"):
            checked_package({group: {"y": wanted}})
        with pytest.raises(InputError, match="depend on versions"):
            checked_lock(lock(**{group: {"y": wanted}}))
    with pytest.raises(InputError, match="depend on versions"):
        checked_package({"overrides": {"a": {"b": wanted}}})
    with pytest.raises(InputError, match="depend on versions"):
        checked_package({"dependencies": {"../../y": "1"}})


def test_the_registry_is_not_the_locks_to_choose() -> None:
    shown = checked_lock(lock(resolved="http://192.0.2.1/x.tgz", inBundle=True, bin={"x": "bin/x.js"}, cpu=["x64"]))
    assert shown["packages"]["node_modules/x"] == {**GOOD, "bin": {"x": "bin/x.js"}, "cpu": ["x64"]}


@pytest.mark.parametrize(
    ("place", "more"),
    [
        ("../../x", {}),
        ("node_modules/../../x", {}),
        ("node_modules/.bin", {}),
        ("packages/x", {}),
        ("node_modules/x", {"link": True}),
        ("node_modules/x", {"integrity": "sha512-"}),
        ("node_modules/x", {"integrity": "sha1-" + "a" * 27 + "="}),
        ("node_modules/x", {"version": "git+https://192.0.2.1/x.git"}),
        ("node_modules/x", {"version": "file:../x"}),
        ("node_modules/x", {"name": "x@file:.."}),
        ("node_modules/x", {"hasShrinkwrap": True}),
        ("node_modules/x", {"bin": {"x": "../../../../bin/sh"}}),
        ("node_modules/x", {"bin": {"../x": "x.js"}}),
    ],
)
def test_a_lock_that_leads_out_of_node_modules_or_the_registry_is_refused(place: str, more: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"package-lock\.json has"):
        checked_lock(lock(place, **more))
