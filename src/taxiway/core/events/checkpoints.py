"""Signed checkpoints of the chain, kept outside the store: who changes the store alone is found out.

A line of `<data>/audit/checkpoints.jsonl` is {seq, hash, at, signature}, with `pruned` where retention removed that
event and what came before; the Ed25519 key is `checkpoint.key` beside it, mode 0600. Whoever has this key can
forge: keep a copy of the lines elsewhere where that matters.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway.kit.canonical import canonical_json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True)
class Checkpoint:
    """At `at` (microseconds UTC) the event at `seq` had `hash`. `pruned`: it and all before it were removed then,
    because they were older than is kept."""

    seq: int
    hash: str
    at: int
    signature: str = ""
    pruned: bool = False

    def body(self) -> bytes:
        """What is signed."""
        pruned = {"pruned": True} if self.pruned else {}
        return canonical_json({"at": self.at, "hash": self.hash, "seq": self.seq, **pruned}).encode()


class BadCheckpointError(Exception):
    """A line that is no checkpoint, or whose signature is wrong."""


def folder(data: Path) -> Path:
    """Where checkpoints and their key are."""
    return data / "audit"


def write_checkpoint(data: Path, seq: int, hash_: str, at: int, *, pruned: bool = False) -> None:
    """Sign and append one line, durably."""
    unsigned = Checkpoint(seq, hash_, at, pruned=pruned)
    signature = base64.b64encode(_key(data).sign(unsigned.body())).decode()
    fields = {"seq": seq, "hash": hash_, "at": at, "signature": signature, **({"pruned": True} if pruned else {})}
    line = json.dumps(fields, sort_keys=True)
    with (folder(data) / "checkpoints.jsonl").open("a") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_checkpoints(data: Path) -> Iterator[Checkpoint]:
    """Every checkpoint, its signature checked. Raises BadCheckpointError with the line's number.

    A last line without its end is what a crash leaves, and is passed over.
    """
    path = folder(data) / "checkpoints.jsonl"
    if not path.exists():
        return
    public = _key(data).public_key()
    lines = path.read_text(errors="replace").split("\n")
    for number, line in enumerate(lines[:-1], 1):
        try:
            fields = json.loads(line)
            pruned = fields.get("pruned") is True
            told = (int(fields["seq"]), str(fields["hash"]), int(fields["at"]), fields["signature"])
            checkpoint = Checkpoint(*told, pruned)
            public.verify(base64.b64decode(checkpoint.signature), checkpoint.body())
        except Exception as error:
            raise BadCheckpointError(f"line {number} of {path} is not a checkpoint that this key signed") from error
        yield checkpoint


def last_checkpoint(data: Path) -> int:
    """The highest seq that a checkpoint names, 0 without one; signatures are not looked at."""
    path = folder(data) / "checkpoints.jsonl"
    try:
        lines = [json.loads(line) for line in path.read_text(errors="replace").split("\n")[:-1] if line]
        return int(next((line for line in reversed(lines) if not line.get("pruned")), {"seq": 0})["seq"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _key(data: Path) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = folder(data) / "checkpoint.key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(Ed25519PrivateKey.generate().private_bytes_raw())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)  # fails when another process was first: its key counts
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
