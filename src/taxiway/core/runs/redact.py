"""Keeps secret values out of logs and results: what was resolved or stored meanwhile, private keys, obvious tokens."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any

from taxiway.plugin import Secrets

MASK = "********"
SHORTEST = 6
"""Values below this length are not masked: they would blot out ordinary text."""
_TOKENS = re.compile(
    r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|AKIA[0-9A-Z]{16}|xox[abposr]-[\w-]{10,}"
    r"|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,})|(?i:(?<=bearer )[\w.~+/-]{12,}=*)|(?<=://)[^\s/:@]{1,100}:[^\s/@]{1,200}(?=@)"
)
_KEY_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")
_KEY_END = re.compile(r"-----END [A-Z0-9 ]*PRIVATE KEY-----")


class Redactor:
    """What one step must not show. `line` keeps state: a private key may span lines."""

    def __init__(self) -> None:
        self._values: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        self._inside_key = False

    def add(self, value: str) -> None:
        """Mask `value`, and each of its lines, from now on."""
        new = {part for part in (value, *value.splitlines()) if len(part.strip()) >= SHORTEST} - self._values
        if new:
            self._values |= new
            longest_first = sorted(self._values, key=len, reverse=True)
            self._pattern = re.compile("|".join(re.escape(part) for part in longest_first))

    def values(self, text: str) -> str:
        """`text` without the known values."""
        return self._pattern.sub(MASK, text) if self._pattern is not None else text

    def line(self, text: str) -> str:
        """A log line that may be stored."""
        if self._inside_key or _KEY_BEGIN.search(text):
            self._inside_key = not _KEY_END.search(text)
            return MASK
        return _TOKENS.sub(MASK, self.values(text))

    def document(self, value: Any) -> Any:
        """A JSON value without the known values."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self.values(value)
        if isinstance(value, Mapping):
            return {self.values(key): self.document(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.document(item) for item in value]
        return value


class Redactions:
    """The redactors of the steps that run in this process. A secret that any of them sees is masked in all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: set[Redactor] = set()

    def open(self) -> Redactor:
        """A new active redactor."""
        redactor = Redactor()
        with self._lock:
            self._active.add(redactor)
        return redactor

    def close(self, redactor: Redactor) -> None:
        """The step ended."""
        with self._lock:
            self._active.discard(redactor)

    def add(self, value: str) -> None:
        """Mask `value` in every step that runs now."""
        with self._lock:
            for redactor in self._active:
                redactor.add(value)


class ObservedSecrets:
    """`Secrets` that tells the redactions of every value that passes through."""

    def __init__(self, inner: Secrets, redactions: Redactions) -> None:
        self._inner, self._redactions = inner, redactions

    def put(self, name: str, value: str) -> str:
        self._redactions.add(value)
        return self._inner.put(name, value)

    def get(self, reference: str) -> str:
        value = self._inner.get(reference)
        self._redactions.add(value)
        return value

    def delete(self, reference: str) -> None:
        self._inner.delete(reference)
