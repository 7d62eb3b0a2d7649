"""Snapshots of templates: what is read anew, what is shared, and what is put right."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from taxiway.core.plugins.artifacts import FolderArtifacts
from taxiway.features.scaffolder.snapshot import UNPACKED, forget_unpacked, loose, snapshot, unpack
from taxiway.model.errors import InputError, TooLargeError
from taxiway.plugin.actions import Tree, workspace_files

LONG_AGO = 1_000_000_000
DOCUMENT = {"spec": {"steps": []}}


@pytest.fixture
def platform(tmp_path: Path) -> Any:
    settings = SimpleNamespace(data=tmp_path / "data", catalog=SimpleNamespace(file_roots=[tmp_path]))
    return SimpleNamespace(artifacts=FolderArtifacts(tmp_path / "artifacts"), settings=settings, services={})


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "template"
    (folder / "skeleton").mkdir(parents=True)
    (folder / "template.yaml").write_text("kind: Template\n")
    (folder / "skeleton" / "run.sh").write_text("one")
    # As if the files had been there for a while.
    monkeypatch.setattr("taxiway.features.scaffolder.snapshot.SETTLED_NANOSECONDS", -(10**12))
    return folder


def test_a_link_is_refused_whatever_it_leads_to(platform: Any, template: Path) -> None:
    for target in ("run.sh", "/"):
        (link := template / "skeleton" / "link").symlink_to(target)
        with pytest.raises(InputError, match="link is no plain file"):
            snapshot(platform, f"file:{template}/template.yaml", DOCUMENT)
        link.unlink()


def test_an_unchanged_template_is_not_read_again_and_each_change_is_seen(platform: Any, template: Path) -> None:
    location = f"file:{template}/template.yaml"
    first = snapshot(platform, location, DOCUMENT)
    (hidden := template / "skeleton" / "run.sh").chmod(0o000)
    hidden.chmod(0o644)
    assert snapshot(platform, location, DOCUMENT) == first == loose(template)
    stored = platform.artifacts.path(first.partition("//")[0])
    before = stored.stat().st_mtime_ns
    assert snapshot(platform, location, DOCUMENT) == first
    assert stored.stat().st_mtime_ns == before
    hidden.write_text("two")
    os.utime(hidden, (LONG_AGO, LONG_AGO))  # of the same size, and made to look old
    second = snapshot(platform, location, DOCUMENT)
    assert second == loose(template) != first
    hidden.chmod(0o755)
    assert snapshot(platform, location, DOCUMENT) not in (first, second)
    (template / "link").symlink_to("/etc/passwd")
    with pytest.raises(InputError, match="no plain file"):
        snapshot(platform, location, DOCUMENT)


def test_runs_share_what_is_unpacked_and_it_is_made_again_when_it_is_gone_or_broken(
    platform: Any, template: Path, tmp_path: Path
) -> None:
    pinned = snapshot(platform, f"file:{template}/template.yaml", DOCUMENT)
    for run in ("a", "b"):
        (tmp_path / run).mkdir()
        unpack(platform, pinned, tmp_path / run / "template")
    script = tmp_path / "a" / "template" / "skeleton" / "run.sh"
    assert script.resolve() == (tmp_path / "b" / "template.files" / "skeleton" / "run.sh").resolve()
    script.write_text("")  # as after a loss of power
    platform.services.clear()
    (tmp_path / "c").mkdir()
    unpack(platform, pinned, tmp_path / "c" / "template")
    assert script.read_text() == "one"
    whole = script.parents[1].resolve()
    os.utime(whole, (LONG_AGO, LONG_AGO))
    unpack(platform, pinned, tmp_path / "a" / "template")  # the next step of a run says that it is in use
    assert forget_unpacked(platform) == 0
    os.utime(whole, (LONG_AGO, LONG_AGO))
    assert forget_unpacked(platform) == 1
    assert list((tmp_path / "data" / UNPACKED).iterdir()) == []
    unpack(platform, pinned, tmp_path / "a" / "template")
    assert script.read_text() == "one"


def test_what_a_run_begins_to_use_while_it_is_removed_stays_whole(
    platform: Any, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = snapshot(platform, f"file:{template}/template.yaml", DOCUMENT)
    unpack(platform, pinned, tmp_path / "a")
    whole = (tmp_path / "a").resolve()
    os.utime(whole, (LONG_AGO, LONG_AGO))
    rename = Path.rename

    def late(path: Path, target: Path) -> Path:
        monkeypatch.undo()
        os.utime(path)  # as a step does that begins at this moment
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", late)
    assert forget_unpacked(platform) == 0
    assert (whole / "skeleton" / "run.sh").read_text() == "one"
    assert list(whole.parent.iterdir()) == [whole]


def test_a_file_that_is_too_large_is_refused_before_it_is_read(platform: Any, template: Path) -> None:
    with (template / "large").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(TooLargeError, match="out of its folder"):
        snapshot(platform, f"file:{template}/template.yaml", DOCUMENT)


def test_a_tree_writes_inside_of_its_folder_only(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "there").mkdir(parents=True)
    (root / "out").symlink_to(tmp_path)
    (root / "link").symlink_to(tmp_path / "made")
    tree = Tree(root)
    assert tree.write("top", b"0", False)
    assert tree.write("there/a.sh", b"1", True)
    assert tree.write("new/deep/b", b"2", False)
    assert not tree.write("there/a.sh", b"3", False, replace=False)
    assert not tree.write("there", b"3", False, replace=False)
    assert tree.write("there/a.sh", b"4", False)
    for path in ("../x", "new/../../x", "/x", "out/x", "out/template/x", "link", "there/../../x", "new/../.."):
        with pytest.raises(InputError, match="leaves"):
            tree.write(path, b"5", False)
    assert not tree.write("new/..", b"5", False, replace=False)  # the folder itself
    assert tree.write("new/x", b"6", False)
    for path in ("there/a.sh/x", "y" * 300, "a\0b"):
        with pytest.raises(InputError, match="cannot be the path of a file"):
            tree.write(path, b"5", False)
    assert not (tmp_path / "made").exists()
    (root / "out").unlink()
    with pytest.raises(InputError, match="link is no plain file"):
        list(workspace_files(root))
    (root / "link").unlink()
    found = {name: path.read_bytes() for name, path in workspace_files(root)}
    assert found == {"top": b"0", "new/x": b"6", "new/deep/b": b"2", "there/a.sh": b"4"}
    assert not os.access(root / "there" / "a.sh", os.X_OK)
    assert list(workspace_files(tmp_path / "absent")) == []
