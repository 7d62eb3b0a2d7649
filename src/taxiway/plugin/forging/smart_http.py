"""Git over smart HTTP through the bounded client: the heads of a repository, one commit with its trees, and a push.

The protocol is version 0, which every forge speaks (gitprotocol-http, gitprotocol-pack). Everything is held in memory,
within the limits below. The credential is a header of each request, and of no other host.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from taxiway.model.errors import ConflictError, InputError, NotFoundError, TooLargeError, UnavailableError
from taxiway.plugin.forging.packs import check_pack
from taxiway.plugin.git_objects import checked_branch
from taxiway.plugin.outgoing import Answer, Limits, Outgoing, shown

MOST_BYTES = 200 * 1024 * 1024
MOST_UNPACKED = 512 * 1024 * 1024
MOST_REFS = 200_000
LIMITS = Limits(read_seconds=120, total_seconds=300, body_bytes=MOST_BYTES)
ZERO = "0" * 40
AGENT = "agent=taxiway"


def basic(user: str, password: str) -> str:
    """The value of an `authorization` header, as git sends it."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@dataclass(frozen=True)
class GitRemote:
    """A repository. `url` is what one would clone, without user and password; `authorization` is the header of each
    request, empty where it is read as nobody."""

    outgoing: Outgoing
    url: str
    authorization: str = field(repr=False)

    @property
    def shown(self) -> str:
        """What is told of it."""
        return shown(self.url)

    def heads(self, *, reading: bool = False) -> dict[str, str]:
        """Branch → commit; empty for an empty repository. NotFoundError when there is none. With `reading` it is asked
        as for a fetch: forges refuse what asks as for a push where a repository is archived."""
        refs, _, _ = self._refs("git-upload-pack" if reading else "git-receive-pack")
        prefix = "refs/heads/"
        return {name.removeprefix(prefix): sha for name, sha in refs.items() if name.startswith(prefix)}

    def push(self, branch: str, commit: str, store: Any, objects: Sequence[bytes], *, old: str | None = None) -> None:
        """Let `branch` go from `old` (None: it is not there) to `commit`; `objects` of `store` are what the forge does
        not have yet. ConflictError when the branch is elsewhere by now, or its rules refuse it."""
        from dulwich.pack import pack_objects_to_data, write_pack_data

        out = io.BytesIO()
        count, records = pack_objects_to_data([store[name] for name in objects], deltify=False)
        write_pack_data(out.write, records, store.object_format, num_records=count)
        self._update(f"{old or ZERO} {commit} refs/heads/{checked_branch(branch)}", out.getvalue())

    def move(self, branch: str, commit: str, *, old: str | None) -> None:
        """Let `branch` go to a commit that the forge has. ConflictError as for `push`."""
        from dulwich.object_store import MemoryObjectStore

        self.push(branch, commit, MemoryObjectStore(), [], old=old)

    def delete(self, branch: str, *, old: str) -> None:
        """Delete a branch that stands at `old`. ConflictError when it is elsewhere, or may not be deleted."""
        self._update(f"{old} {ZERO} refs/heads/{checked_branch(branch)}", b"", "delete-refs")

    def refs(self) -> tuple[Mapping[str, str], frozenset[str], GitRemote]:
        """(name → commit or tag of every ref, what the server can, the repository where it is by now: it may have been
        renamed). NotFoundError when there is no repository."""
        refs, able, url = self._refs("git-upload-pack")
        place, asked, _ = url.partition("/info/refs?")
        # Elsewhere the credential does not go along.
        stays = not asked or urlsplit(place)[:2] != urlsplit(self.url)[:2]
        return refs, able, self if stays else replace(self, url=place)

    def fetch(self, commit: str, *, whole: bool = False) -> Any:
        """An object store with the commit and its trees; with its files too where the forge cannot leave them out, or
        with `whole`."""
        _, able, there = self.refs()
        if "shallow" not in able:
            raise InputError(f"{self.shown} cannot give a single commit: its git is too old", code="forge.no_shallow")
        is_without = "filter" in able and not whole
        return there._fetched([commit], ["deepen 1\n"], is_without=is_without)

    def objects(self, ids: Sequence[str]) -> Any:
        """An object store with these objects. Only for servers that are able to `allow-reachable-sha1-in-want`."""
        return self._fetched(ids, [], is_without=False)

    def _fetched(self, wanted: Sequence[str], more: Sequence[str], *, is_without: bool) -> Any:
        from dulwich.object_store import MemoryObjectStore

        able = " ".join(["ofs-delta", AGENT, *(["filter"] if is_without else [])])
        wants = [f"want {one}{'' if number else f' {able}'}\n" for number, one in enumerate(wanted)]
        lines = [*wants, *more, *(["filter blob:none\n"] if is_without else [])]
        body = b"".join(_line(line) for line in lines) + b"0000" + _line("done\n")
        answer = self._post("git-upload-pack", body)
        position = answer.body.find(b"PACK")
        if position < 0:
            raise NotFoundError(f"{self.shown} has no commit {wanted[0]}: fetch it anew", code="forge.no_commit")
        check_pack(memoryview(answer.body)[position:], MOST_UNPACKED, self.shown)
        store, pack = MemoryObjectStore(), io.BytesIO(answer.body[position:])
        try:
            store.add_thin_pack(pack.read, None, max_input_size=MOST_BYTES)
        except Exception as error:
            raise UnavailableError(
                f"{self.shown} sent a pack that cannot be read: try again", code="forge.bad_pack", internal=repr(error)
            ) from error
        return store

    def _update(self, command: str, pack: bytes, *more: str) -> None:
        if len(pack) > MOST_BYTES:
            raise TooLargeError(
                f"what is pushed to {self.shown} has more than {MOST_BYTES} bytes: publish less, with sourcePath or a "
                ".gitignore",
                code="forge.too_large",
            )
        body = _line(f"{command}\0 {' '.join(['report-status', *more, AGENT])}\n") + b"0000" + pack
        told = [line.decode(errors="replace").strip() for line in _lines(self._post("git-receive-pack", body).body)]
        if "unpack ok" in told and any(line.startswith("ok ") for line in told):
            return
        said = [line.split(" ", 2)[-1] for line in told if line.startswith("ng ")] or [*told, "no reason given"]
        raise ConflictError(
            f"{self.shown} refused the push ({said[0][:300]}): look at the rules of the branch",
            code="forge.push_refused",
        )

    def _refs(self, service: str) -> tuple[Mapping[str, str], frozenset[str], str]:
        headers = {**self._credential(), "accept": f"application/x-{service}-advertisement"}
        answer = self.outgoing.get(f"{self.url}/info/refs?service={service}", headers=headers, limits=LIMITS)
        lines = list(_lines(answer.checked(f"the git repository {self.shown}").body))
        if not lines or lines[0].strip() != f"# service={service}".encode():
            raise UnavailableError(f"{self.shown} does not answer as git does: check the host's address")
        refs: dict[str, str] = {}
        able: frozenset[str] = frozenset()
        if len(lines) > MOST_REFS:  # some of them alone would make a branch look as if it were gone
            raise TooLargeError(
                f"{self.shown} has more than {MOST_REFS} branches and tags: delete those that nobody needs",
                code="forge.too_many_refs",
            )
        for line in lines[1:]:
            text, _, capabilities = line.decode(errors="replace").rstrip("\n").partition("\0")
            able = able or frozenset(word.partition("=")[0] for word in capabilities.split())
            sha, _, name = text.partition(" ")
            refs[name] = sha
        return refs, able, answer.url

    def _credential(self) -> dict[str, str]:
        return {"authorization": self.authorization} if self.authorization else {}

    def _post(self, service: str, body: bytes) -> Answer:
        headers = {
            **self._credential(),
            "content-type": f"application/x-{service}-request",
            "accept": f"application/x-{service}-result",
        }
        return self.outgoing.send("POST", f"{self.url}/{service}", headers=headers, body=body, limits=LIMITS).checked(
            f"the git repository {self.shown}"
        )


def _line(text: str) -> bytes:
    data = text.encode()
    return f"{len(data) + 4:04x}".encode() + data


def _lines(body: bytes) -> Iterator[bytes]:
    """The pkt-lines of a body, flushes left out, up to what is none (a pack)."""
    position = 0
    while position + 4 <= len(body):
        head = body[position : position + 4]
        if not all(sign in b"0123456789abcdefABCDEF" for sign in head):
            return
        length = int(head, 16)
        if length >= 4:
            yield body[position + 4 : position + length]
        position += max(length, 4)
