"""What an identity provider pushed, kept as records: people and groups by id, and who has which userName.

Called by the routes (one call, one change) and by the source that the catalog reads. Changes are compare-and-set, so
that two pushes at once never lose one of them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from taxiway.model.errors import ConflictError, NotFoundError, PreconditionError, TooLargeError
from taxiway.plugin import Clock, NewId, Record, Records
from taxiway.plugins.scim.filters import Judge
from taxiway.plugins.scim.patching import patched
from taxiway.plugins.scim.resources import kept
from taxiway.plugins.scim.schemas import TYPES, ResourceType

TRIES = 8
PAGE = 1000
NAMED = re.compile(r'\s*userName\s+eq\s+"(?P<name>[^"\\]*)"\s*', re.IGNORECASE)


class NotUnique(ConflictError):
    """Another resource has that name (`uniqueness`)."""


@dataclass(frozen=True)
class Resource:
    """A stored user or group. `version` grows with every change; times are microseconds UTC."""

    kind: ResourceType
    id: str
    body: Mapping[str, Any]
    created_at: int
    changed_at: int
    version: int

    @property
    def etag(self) -> str:
        """Its entity tag, weak as RFC 7644 section 3.14 has it."""
        return f'W/"{self.version}"'

    def shown(self, base: str, groups: Mapping[str, list[tuple[str, str]]]) -> dict[str, Any]:
        """As clients read it. `groups` has (id, displayName) of the groups of each member."""
        body = dict(self.body)
        where = f"{base}/{self.kind.endpoint}/{self.id}"
        if self.kind.name == "User":
            found = groups.get(self.id, [])
            if found:
                body["groups"] = [
                    {"value": one, "$ref": f"{base}/Groups/{one}", "display": name, "type": "direct"}
                    for one, name in found
                ]
        extensions = [urn for urn in self.kind.extensions if urn in body]
        meta = {
            "resourceType": self.kind.name,
            "created": _iso(self.created_at),
            "lastModified": _iso(self.changed_at),
            "location": where,
            "version": self.etag,
        }
        return {"schemas": [self.kind.schema, *extensions], "id": self.id, **body, "meta": meta}


@dataclass(frozen=True)
class Directory:
    """All of one identity provider's people and groups. `most` bounds each of the two."""

    records: Records
    clock: Clock
    new_id: NewId
    most: int = 50_000
    _counts: dict[str, int] = field(default_factory=dict)

    def get(self, kind: ResourceType, identifier: str) -> Resource:
        """One resource. NotFoundError."""
        record = self.records.get(f"{kind.endpoint}/{identifier}")
        if record is None:
            raise NotFoundError(f"there is no {kind.name} {identifier[:100]}", code="scim.no_resource")
        return _resource(kind, record)

    def all(self, kind: ResourceType) -> Iterator[Resource]:
        """Every resource, oldest first."""
        prefix, after = f"{kind.endpoint}/", ""
        while page := self.records.list(prefix, after, PAGE):
            yield from (_resource(kind, record) for record in page)
            after = page[-1].key

    def matching(
        self, kind: ResourceType, text: str, judge: Judge | None, show: Callable[[Resource], Any]
    ) -> list[Any]:
        """What a filter selects, shown. The question for one userName is answered without reading the others."""
        named = NAMED.fullmatch(text) if kind.name == "User" else None
        if named is not None:
            record = self.records.get(_name_key(named["name"]))
            found = self.records.get(f"Users/{record.value['id']}") if record else None
            return [show(_resource(kind, found))] if found else []
        shown = (show(one) for one in self.all(kind))
        return [one for one in shown if judge is None or judge(one)]

    def groups_by_member(self) -> dict[str, list[tuple[str, str]]]:
        """(id, displayName) of the groups that each member is directly in."""
        found: dict[str, list[tuple[str, str]]] = {}
        for group in self.all(TYPES["Groups"]):
            for member in group.body.get("members", ()):
                found.setdefault(str(member.get("value")), []).append((group.id, str(group.body["displayName"])))
        return found

    def create(self, kind: ResourceType, body: Mapping[str, Any]) -> Resource:
        """A new resource. NotUnique when its name is taken."""
        wanted, now = kept(kind, body), self.clock.now()
        self._check_room(kind)
        identifier = self.new_id()
        self._claim(kind, wanted, identifier)
        created = self._write(Resource(kind, identifier, wanted, now, now, 0))
        if (count := self._counts.get(kind.name)) is not None:  # a removal at the same time has it counted anew
            self._counts[kind.name] = count + 1
        return created

    def replace(self, kind: ResourceType, identifier: str, body: Mapping[str, Any], expect: str | None) -> Resource:
        """Put another body in its place. `expect` is the entity tag that it must have."""
        return self._change(kind, identifier, lambda current: kept(kind, body), expect)

    def patch(self, kind: ResourceType, identifier: str, body: Any, expect: str | None) -> Resource:
        """Change parts of it: all of the operations, or none."""
        return self._change(kind, identifier, lambda current: kept(kind, patched(kind, current, body)), expect)

    def delete(self, kind: ResourceType, identifier: str, expect: str | None) -> None:
        """Remove it, and from the groups that it is a member of."""
        found = self.get(kind, identifier)
        _check_tag(found, expect)
        self.records.delete(f"{kind.endpoint}/{identifier}")
        self._counts.pop(kind.name, None)
        if kind.name == "User":
            self._release(found.body, identifier)
        gone = {"op": "remove", "path": f'members[value eq "{identifier}"]'}
        for group in list(self.all(TYPES["Groups"])):
            if any(member.get("value") == identifier for member in group.body.get("members", ())):
                self.patch(TYPES["Groups"], group.id, {"Operations": [gone]}, None)

    def _change(
        self,
        kind: ResourceType,
        identifier: str,
        change: Callable[[Mapping[str, Any]], dict[str, Any]],
        expect: str | None,
    ) -> Resource:
        for _ in range(TRIES):
            current = self.get(kind, identifier)
            _check_tag(current, expect)
            body = change(current.body)
            if body == current.body:
                return current
            self._claim(kind, body, identifier)
            try:
                changed = self._write(replace(current, body=body, changed_at=self.clock.now()))
            except ConflictError:
                continue  # somebody else was faster: again from what they left
            if kind.name == "User" and _name_key(body["userName"]) != _name_key(current.body["userName"]):
                self._release(current.body, identifier)
            return changed
        raise ConflictError(f"the {kind.name} {identifier} keeps changing: try again", code="scim.busy")

    def _write(self, resource: Resource) -> Resource:
        value = {"body": dict(resource.body), "created_at": resource.created_at, "changed_at": resource.changed_at}
        record = self.records.put(f"{resource.kind.endpoint}/{resource.id}", value, expect=resource.version)
        return replace(resource, version=record.version)

    def _claim(self, kind: ResourceType, body: Mapping[str, Any], identifier: str) -> None:
        if kind.name != "User":
            return
        key = _name_key(body["userName"])
        found = self.records.get(key)
        if found is not None and found.value["id"] != identifier:
            holder = self.records.get(f"Users/{found.value['id']}")
            if holder is not None and _name_key(holder.value["body"]["userName"]) == key:
                raise NotUnique(f"the userName {body['userName']} is taken", code="scim.not_unique")
        try:
            self.records.put(key, {"id": identifier}, expect=found.version if found else 0)
        except ConflictError as error:
            raise NotUnique(f"the userName {body['userName']} is taken", code="scim.not_unique") from error

    def _release(self, body: Mapping[str, Any], identifier: str) -> None:
        key = _name_key(body["userName"])
        found = self.records.get(key)
        if found is not None and found.value["id"] == identifier:
            self.records.delete(key)

    def _check_room(self, kind: ResourceType) -> None:
        # Counted once, and then kept in step: a bound for a provider that runs wild needs no more.
        if kind.name not in self._counts:
            self._counts[kind.name] = sum(1 for _ in self.all(kind))
        if self._counts[kind.name] >= self.most:
            raise TooLargeError(
                f"there are {self.most} {kind.endpoint} already: raise plugins.scim.most_resources",
                code="scim.too_many",
            )


def _resource(kind: ResourceType, record: Record) -> Resource:
    value = record.value
    identifier = record.key.partition("/")[2]
    return Resource(kind, identifier, value["body"], value["created_at"], value["changed_at"], record.version)


def _check_tag(resource: Resource, expect: str | None) -> None:
    if expect is None or expect.strip() == "*":
        return
    if resource.etag.removeprefix("W/") not in {one.strip().removeprefix("W/") for one in expect.split(",")}:
        raise PreconditionError(f"it is at version {resource.etag}: read it again", code="scim.changed")


def _name_key(name: str) -> str:
    return f"name/{hashlib.sha256(name.casefold().encode(errors='replace')).hexdigest()}"


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1e6, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
