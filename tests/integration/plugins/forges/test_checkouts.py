"""What a URL names on each forge is read over git: folders and files, at branches, tags and commits, within bounds."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from factories.git_host import GitHost
from factories.other_system import Asked, OtherSystem, Reply, other_system
from taxiway.model.errors import InputError, NotFoundError, TooLargeError, UnavailableError
from taxiway.plugin import CheckoutReader, Later
from taxiway.plugin.forging import checkouts
from taxiway.plugin.forging.packs import check_pack
from taxiway.plugin.forging.smart_http import basic
from taxiway.plugin.testing.host import memory_host

USERS = {"github": "x-access-token", "gitlab": "oauth2", "gitea": "taxiway", "azure": "", "bitbucket": "x-token-auth"}
MINE, OURS = "token-of-ann", "token-of-the-settings"
FORMS = {
    "github": "/acme/shop/tree/{ref}/{path}",
    "gitlab": "/acme/shop/-/tree/{ref}/{path}",
    "gitea": "/acme/shop/src/branch/{ref}/{path}",
    "azure": "/acme/_git/shop?path=/{path}&version=GB{ref}",
    "bitbucket": "/acme/shop/src/{ref}/{path}",
}


ODD = (b"..", b".", b"a/../../b", b".GIT", b"n" * 256)


def tree_of(host: GitHost, name: bytes, blob: str) -> str:
    """A tree of one file, as git itself would not make it."""
    given = b"100644 " + name + b"\0" + bytes.fromhex(blob)
    return host.at("acme/shop", "hash-object", "-t", "tree", "-w", "--stdin", "--literally", given=given)


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> GitHost:
    accepts = {basic(user, token) for user in USERS.values() for token in (MINE, OURS)} | {f"Bearer {MINE}"}
    host = GitHost(tmp_path_factory.mktemp("git") / "hosted", accepts)
    host.create("acme/shop")
    blob = host.at("acme/shop", "hash-object", "-w", "--stdin", given=b"hello\n")
    inner = host.at("acme/shop", "mktree", given=f"100755 blob {blob}\trun.sh\n".encode())
    linked = host.at("acme/shop", "mktree", given=f"120000 blob {blob}\taway\n".encode())
    lines = f"100644 blob {blob}\tREADME.md\n040000 tree {inner}\tbin\n"
    tree = host.at("acme/shop", "mktree", given=lines.encode())
    many = host.at("acme/shop", "mktree")
    for _ in range(8):
        many = host.at("acme/shop", "mktree", given="".join(f"040000 tree {many}\t{n}\n" for n in range(9)).encode())
    lines = f"040000 tree {tree}\tskeleton\n040000 tree {linked}\tlinked\n160000 commit {'1' * 40}\tmodule\n"
    lines += f"040000 tree {many}\tmany\n"
    for number, name in enumerate(ODD):
        lines += f"040000 tree {tree_of(host, name, blob)}\todd-{number}\n"
    for _ in range(20):
        tree = host.at("acme/shop", "mktree", given=f"040000 tree {tree}\t{'d' * 60}\n".encode())
    lines += f"040000 tree {tree}\tdeep\n"
    root = host.at("acme/shop", "mktree", given=lines.encode())
    who = ["-c", "user.name=Kim", "-c", "user.email=kim@example.com"]
    sha = host.at("acme/shop", *who, "commit-tree", root, "-m", "by hand")
    for ref in ("main", "next/one"):
        host.at("acme/shop", "update-ref", f"refs/heads/{ref}", sha)
    host.at("acme/shop", *who, "tag", "-a", "v1", "-m", "one", sha)
    host.at("acme/shop", "tag", "key", blob)
    return host


@pytest.fixture(scope="module")
def system(git: GitHost) -> Iterator[OtherSystem]:
    def respond(asked: Asked) -> Reply:
        if asked.path.startswith("/acme/old.git/info/"):  # it was renamed
            return Reply(status=301, headers={"location": asked.path.replace("old", "shop")})
        path = asked.path.replace("/acme/_git/shop/", "/acme/shop.git/").replace("/scm/acme/", "/acme/")
        return git.answer(replace(asked, path=path)) or Reply(status=404)

    with other_system(respond) as there:
        yield there


def reader_of(name: str, system: OtherSystem, folder: Path, **more: Any) -> CheckoutReader:
    os.environ["FORGE_TOKEN"] = OURS
    plugin = import_module(f"taxiway.plugins.{name}").PLUGIN
    host = {"host": system.host, "scheme": "http", "token": "env:FORGE_TOKEN", **more}
    kept = memory_host(folder, name, plugin.settings.model_validate({"hosts": [host]}))
    found = next(one for point, one in plugin.contribute(kept.context) if point == "url_reader")
    reader = found.made if isinstance(found, Later) else found
    assert isinstance(reader, CheckoutReader)
    return reader


def texts(found: Any) -> dict[str, tuple[bytes, bool]]:
    return {path: (content, executable) for path, content, executable in found.files(found.path)}


@pytest.mark.parametrize("name", list(FORMS))
def test_folders_and_files_are_read_with_the_settings_credential_or_a_persons_token(
    name: str, git: GitHost, system: OtherSystem, tmp_path: Path
) -> None:
    reader = reader_of(name, system, tmp_path, **({"cloud": True} if name == "bitbucket" else {}))
    url = system.url + FORMS[name]
    system.asked.clear()
    found = reader.checkout(url.format(ref="main", path="skeleton"), None)
    assert texts(found) == {"README.md": (b"hello\n", False), "bin/run.sh": (b"hello\n", True)}
    assert (found.commit, found.path, found.is_file()) == (git.heads("acme/shop")["main"], "skeleton", False)
    assert {one.headers["authorization"] for one in system.asked} == {basic(USERS[name], OURS)}
    system.asked.clear()
    found = reader.checkout(url.format(ref="next/one", path="skeleton/bin/run.sh"), MINE)
    assert (found.is_file(), texts(found)) == (True, {"run.sh": (b"hello\n", True)})
    assert {one.headers["authorization"] for one in system.asked} == {basic(USERS[name], MINE)}
    with pytest.raises(NotFoundError, match="no branch, tag or commit"):
        reader.checkout(url.format(ref="nowhere", path="x"), None)
    with pytest.raises(InputError, match=r"names nothing on .*: write https://") as refused:
        reader.checkout(f"{system.url}/acme?private_token={MINE}", None)
    assert MINE not in refused.value.detail


def test_a_data_center_names_repositories_by_project(git: GitHost, system: OtherSystem, tmp_path: Path) -> None:
    reader = reader_of("bitbucket", system, tmp_path, cloud=False)
    url = f"{system.url}/projects/acme/repos/shop/browse/skeleton?at=refs%2Fheads%2Fnext%2Fone"
    assert set(texts(reader.checkout(url, MINE))) == {"README.md", "bin/run.sh"}


def test_tags_commits_and_the_default_branch_are_read_and_links_refused(
    git: GitHost, system: OtherSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, base = reader_of("github", system, tmp_path), f"{system.url}/acme/shop"
    head = git.heads("acme/shop")["main"]
    for url in (base, f"{system.url}/acme/old", f"{base}.git", f"{base}/", f"{base}/tree/v1", f"{base}/tree/{head}"):
        found = reader.checkout(url, None)
        assert (found.commit, found.path) == (head, ".")
        assert not found.is_file()
        assert set(texts(replace(found, path="skeleton/bin"))) == {"run.sh"}
    with pytest.raises(TooLargeError, match="with its folders"):
        list(reader.checkout(base, None).files("many"))
    with pytest.raises(NotFoundError, match="has no commit"):
        list(reader.checkout(f"{base}/tree/key", None).files("."))
    with pytest.raises(InputError, match=r"'away' of .* is a link"):
        list(reader.checkout(base, None).files("linked"))
    for path in ("deep", *(f"odd-{number}" for number in range(len(ODD)))):
        with pytest.raises(InputError, match="cannot be the path of a file here: rename it"):
            list(reader.checkout(base, None).files(path))
    for path in ("away", "skeleton/README.md/x"):
        with pytest.raises(NotFoundError, match=f"has no '{path}'"):
            reader.checkout(f"{base}/tree/main/{path}", None).is_file()
    for url in (f"{base}/tree/main/../../x", f"{system.url}/%2e%2e/shop"):
        with pytest.raises(InputError):
            reader.checkout(url, None)
    found = reader.checkout(f"{base}/tree/main/skeleton", None)
    for name in ("MOST_FILES", "MOST_BYTES"):
        with monkeypatch.context() as small:
            small.setattr(checkouts, name, 1)
            with pytest.raises(TooLargeError):
                list(found.files("skeleton"))
    whole = replace(found, able=frozenset())  # a server that gives commits only
    assert [path for path, _, _ in whole.files("skeleton/bin")] == ["run.sh"]


def packed(kind: int, size: int, content: bytes, head: bytes = b"") -> bytes:
    """A pack of one object that says it has `size` bytes."""
    first, rest = (kind << 4) | (size & 15), size >> 4
    numbers = [first]
    while rest:
        numbers[-1] |= 0x80
        numbers.append(rest & 0x7F)
        rest >>= 7
    return struct.pack(">4sII", b"PACK", 2, 1) + bytes(numbers) + head + zlib.compress(content) + b"\0" * 20


def test_a_pack_that_stands_for_more_than_is_allowed_is_refused_before_it_is_unpacked() -> None:
    def check(pack: bytes, most: int = 1000) -> None:
        check_pack(memoryview(pack), most, "the forge")

    check(packed(3, 900, b"x" * 900))
    for bomb in (packed(3, 1001, b"x" * 1001), packed(7, 5, b"\x01\xff\xff\xff\x0f", b"i" * 20)):
        with pytest.raises(TooLargeError, match="more than 1000 bytes"):
            check(bomb)
    with pytest.raises(TooLargeError):
        check(struct.pack(">4sII", b"PACK", 2, 10**9))
    endless = packed(3, 1 << 90, b"x")
    for wrong in (
        packed(3, 900, b"x" * 9000),
        packed(3, 900, b"x" * 9),
        b"PACK",
        packed(3, 900, b"x" * 900)[:-25],
        endless,
    ):
        with pytest.raises(UnavailableError, match="cannot be read"):
            check(wrong)
