"""Which files need not be parsed, because they hold what they held when they were last taken in.

Only files without faults are remembered, and only those whose documents depend on nothing else: no placeholders, and
no Locations, which lead to other files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import taxiway


@dataclass
class FileMemory:
    """One reading of a source. `known` are the digests of last time by location, `salt` what else counts."""

    known: Mapping[str, str]
    salt: str
    same: dict[str, str] = field(default_factory=dict)
    read: dict[str, str] = field(default_factory=dict)

    def is_same(self, location: str, content: bytes) -> bool:
        """Whether the file is as it was; it is noted as such."""
        digest = self._digest(content)
        if self.known.get(location) != digest:
            return False
        self.same[location] = digest
        return True

    def note(self, location: str, content: bytes) -> None:
        """The file was read without a fault, and depends on nothing else."""
        self.read[location] = self._digest(content)

    def good(self, faulty: Collection[str]) -> dict[str, str]:
        """What to remember: all but the files at `faulty` locations."""
        return {**self.same, **{at: digest for at, digest in self.read.items() if at not in faulty}}

    def _digest(self, content: bytes) -> str:
        salt = f"{taxiway.__version__}\0{self.salt}".encode()
        return hashlib.blake2b(content, digest_size=16, key=hashlib.blake2b(salt, digest_size=16).digest()).hexdigest()
