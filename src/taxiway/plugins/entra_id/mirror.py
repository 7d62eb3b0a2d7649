"""What a tenant holds, kept so that changes can be applied to it: delta queries tell only what changed. No network.

It lies in the plugin's cache folder, which may be emptied at any time: then everything is read again. It holds what the
catalog shows, and no secret.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

USER_FIELDS = ("displayName", "mail", "userPrincipalName", "jobTitle", "accountEnabled", "userType")
GROUP_FIELDS = ("displayName", "description", "mail", "mailNickname", "securityEnabled")


@dataclass
class Mirror:
    """People and groups by id; groups have `members`. `links` are where each delta query goes on."""

    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def apply(self, kind: str, item: Mapping[str, Any]) -> bool:
        """Take in one item of a delta query of `users` or `groups`. False when it is of no use."""
        identifier = item.get("id")
        if not isinstance(identifier, str) or not identifier:
            return False
        kept = self.users if kind == "users" else self.groups
        if "@removed" in item:
            return kept.pop(identifier, None) is not None
        names = USER_FIELDS if kind == "users" else GROUP_FIELDS
        # Only what changed is told; what became empty is told as null.
        found = kept.setdefault(identifier, {})
        found.update({name: item[name] for name in names if name in item})
        if kind == "groups":
            members = set(found.get("members", ()))
            for member in item.get("members@delta") or ():
                if isinstance(member, Mapping) and isinstance(member.get("id"), str):
                    (members.discard if "@removed" in member else members.add)(member["id"])
            found["members"] = sorted(members)
        return True

    def saved(self) -> bytes:
        """As bytes; equal mirrors are equal bytes."""
        return json.dumps([self.users, self.groups, self.links], sort_keys=True).encode()


def load(path: Path, digest: str | None) -> Mirror | None:
    """The mirror at `path`, if it is the one of `digest`; None when it is not there, or another one."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if digest is None or sha256(content).hexdigest() != digest:
        return None
    users, groups, links = json.loads(content)
    return Mirror(users, groups, links)


def save(path: Path, mirror: Mirror) -> str:
    """Write it whole or not at all, for nobody else to read; its digest."""
    content = mirror.saved()
    part = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    part.replace(path)
    return sha256(content).hexdigest()
