"""Names of other portals as names, tags, labels and annotation keys that Backstage's validators accept."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from taxiway.features.catalog.validation import TAG, is_label_key, is_name

LONGEST = 63


def name_for(text: str) -> str:
    """A valid entity name, the text itself where it is one already."""
    if is_name(text):
        return text
    name = re.sub(r"[^A-Za-z0-9_.]+", "-", text).strip("-_.")
    if not name:
        return f"x-{_digest(text)}"
    if len(name) > LONGEST:
        return f"{name[: LONGEST - 9].rstrip('-_.')}-{_digest(text)}"
    return name


def tag_for(text: str) -> str | None:
    """A valid tag, or None where nothing of the text would be left."""
    tag = re.sub(r"-{2,}", "-", re.sub(r"[^a-z0-9:+#]+", "-", text.lower())).strip("-")[:LONGEST].rstrip("-")
    return tag if tag and TAG.fullmatch(tag) else None


def key_for(prefix: str, text: str) -> str:
    """A valid annotation or label key `<prefix>/<name>`."""
    key = f"{prefix}/{text}"
    return key if is_label_key(key) else f"{prefix}/{name_for(text)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:8]


@dataclass
class Names:
    """Gives each foreign identifier one reference. Two identifiers never share one."""

    _refs: dict[str, str] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)

    def claim(self, key: str, kind: str, identifier: str) -> tuple[str, str]:
        """(reference, how the name came about) for a foreign key, which must be new; the note is empty for a name that
        was taken as it is."""
        name, note = name_for(identifier), ""
        if name != identifier:
            note = f"'{identifier[:100]}' is not a valid name"
        if f"{kind}:default/{name}".lower() in self._taken:
            note = f"the name {name} is taken by another one of this import"
            name = f"{name[: LONGEST - 9].rstrip('-_.')}-{_digest(key)}"
        self._taken.add(f"{kind}:default/{name}".lower())
        ref = f"{kind}:default/{name}"
        self._refs[key] = ref
        return ref, note

    def alias(self, key: str, ref: str) -> None:
        """Let another foreign key stand for a reference, unless it stands for one already."""
        self._refs.setdefault(key, ref)

    def find(self, key: str) -> str | None:
        """The reference of a foreign key, or None."""
        return self._refs.get(key)

    def __contains__(self, key: str) -> bool:
        return key in self._refs


def name_of(ref: str) -> str:
    """The name in a reference made by `Names`."""
    return ref.partition("/")[2]
