"""An entity in the making: takes fields from a foreign mapping, and writes down what became of each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from taxiway.features.catalog.importers.naming import Names, key_for, name_for, name_of, tag_for
from taxiway.features.catalog.importers.report import Fate, Item, Note
from taxiway.features.catalog.kinds import Kinds
from taxiway.features.catalog.validation import is_label_value, is_url, validate
from taxiway.kit.pointer import pointer
from taxiway.model.errors import InputError

API_VERSION = "backstage.io/v1alpha1"
MAX_ANNOTATION = 10_000
UNKNOWN = "unknown"
Path = str | tuple[str | int, ...]


@dataclass
class Draft:
    """One entity. `vendor` is the domain of annotations, `section` the field of spec for what has no equal here. It is
    judged by `kinds`, or by the ones that ship.

    Every field of `source` must be spoken for by `take`, `told` or `keep_rest`, so that nothing is lost without a word.
    """

    document: str
    at: str
    source: Mapping[str, Any]
    ref: str
    vendor: str
    section: str
    line: int = 1
    api_version: str = API_VERSION
    kinds: Kinds | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    spec: dict[str, Any] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    @property
    def kind(self) -> str:
        return self.ref.partition(":")[0]

    def told(self, key: Path, fate: Fate, to: str | None = None, note: str = "") -> None:
        """Say what became of a field: a key, or a path of keys and indexes."""
        path = (key,) if isinstance(key, str) else key
        self.seen.add(str(path[0]))
        self.notes.append(Note(self.at + pointer(path), fate, to, note))

    def take(self, key: str) -> Any:
        """A field's value for somebody who tells of it himself; None when there is none or it is empty."""
        if key not in self.source:
            return None
        value = self.source[key]
        if value is None or value == "" or value == [] or value == {}:
            self.told(key, "not_carried", None, "it is empty")
            return None
        self.seen.add(key)
        return value

    def identify(self, key: str, identifier: str, name_note: str) -> None:
        """Set the name, and keep the foreign identifier as an annotation."""
        self.metadata["name"] = name_of(self.ref)
        annotation = self.annotate("identifier", identifier)
        name_note = name_note or ("" if name_of(self.ref) == identifier else "a part of it")
        if name_note:
            self.told(key, "changed", "/metadata/name", f"{name_note}: the original is the annotation {annotation}")
        else:
            self.told(key, "carried", "/metadata/name", f"also the annotation {annotation}")

    def text(self, key: str, *path: str, default: str | None = None, note: str = "") -> str | None:
        """Carry a text field to `path`; other values are kept as text. `default` is set when there is none."""
        value = self.take(key)
        if value is None:
            if default is not None:
                self.put(default, *path)
            return None
        if isinstance(value, str):
            self.put(value, *path)
            self.told(key, "changed" if note else "carried", pointer(path), note)
            return value
        if isinstance(value, (dict, list)):
            self.keep(key, value, "it is no text")
            if default is not None:
                self.put(default, *path)
            return None
        shown = json.dumps(value)
        self.put(shown, *path)
        self.told(key, "changed", pointer(path), "as text")
        return shown

    def put(self, value: Any, *path: str) -> None:
        """Set a value below `metadata` or `spec`."""
        place = self.metadata if path[0] == "metadata" else self.spec
        for part in path[1:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = value

    def annotate(self, name: str, value: Any, *, full_key: str | None = None) -> str:
        """Add an annotation and return its key."""
        key = full_key or key_for(self.vendor, name)
        self.metadata.setdefault("annotations", {})[key] = as_text(value)
        return key

    def annotation(self, key: str, name: str | None = None, *, full_key: str | None = None) -> None:
        """Carry a field as an annotation."""
        value = self.take(key)
        if value is None:
            return
        if len(as_text(value)) > MAX_ANNOTATION:
            self.keep(key, value, "it is too long for an annotation")
            return
        kept = self.annotate(name or key, value, full_key=full_key)
        fate: Fate = "carried" if isinstance(value, str) else "changed"
        self.told(key, fate, pointer(["metadata", "annotations", kept]), "" if fate == "carried" else "as text")

    def keep(self, key: str, value: Any, why: str = "nothing of Backstage's model means the same") -> None:
        """Keep a field as it is in the foreign section of spec."""
        self.spec.setdefault(self.section, {})[key] = value
        self.told(key, "changed", pointer(["spec", self.section, key]), f"kept as it is: {why}")

    def keep_rest(self) -> None:
        """Keep every field that nobody spoke for."""
        for key in self.source:
            if key not in self.seen:
                value = self.take(key)
                if value is not None:
                    self.keep(key, value)

    def left(self, path: tuple[str | int, ...], value: Any, used: Iterable[str], why: str) -> None:
        """Say of each key of a mapping beside those that were used that it is not carried."""
        for key in sorted(set(value) - set(used), key=str) if isinstance(value, dict) else ():
            self.told((*path, str(key)), "not_carried", None, why)

    def tag(self, path: Path, text: Any) -> None:
        """Add a tag for a text, and tell of it at `path`."""
        found = tag_for(text) if isinstance(text, str) else None
        if found is None:
            self.told(path, "not_carried", None, f"{as_text(text)[:80]!r} cannot be a tag")
            return
        tags = self.metadata.setdefault("tags", [])
        if found not in tags:
            tags.append(found)
        changed = found != text
        self.told(path, "changed" if changed else "carried", "/metadata/tags", f"as {found}" if changed else "")

    def label(self, path: Path, key: str, value: str) -> None:
        """Add a label where the value allows it, else an annotation, and tell of it at `path`."""
        labels = self.metadata.setdefault("labels", {})
        full = key_for(self.vendor, key)
        if is_label_value(value) and full not in labels:
            labels[full] = value
            same = full == f"{self.vendor}/{key}"
            said = "" if same else f"'{key[:80]}' cannot be the key of a label"
            self.told(path, "carried" if same else "changed", pointer(["metadata", "labels", full]), said)
            return
        annotations = self.metadata.setdefault("annotations", {})
        why = "it cannot be the value of a label" if not is_label_value(value) else "the label has a value already"
        annotations[full] = f"{annotations[full]},{value}" if full in annotations else value
        self.told(path, "changed", pointer(["metadata", "annotations", full]), f"as an annotation: {why}")

    def link(self, path: Path, url: Any, title: str | None = None, type: str | None = None) -> bool:
        """Add a link and tell of it at `path`; False, and nothing told, when it is no URL."""
        if not is_url(url):
            return False
        link = {"url": url, **({"title": title} if title else {}), **({"type": type} if type else {})}
        links = self.metadata.setdefault("links", [])
        if link not in links:
            links.append(link)
        self.told(path, "carried", pointer(["metadata", "links", links.index(link)]))
        return True

    def relate(self, field_name: str, refs: Iterable[str]) -> None:
        """Add references to a list field of spec."""
        found = self.spec.setdefault(field_name, [])
        found.extend(ref for ref in refs if ref not in found)

    def settle(self, **defaults: Any) -> None:
        """Set fields of spec that the kind must have and the source lacks, and say so."""
        for key, value in defaults.items():
            if not self.spec.get(key) and self.spec.get(key) != []:
                self.spec[key] = value
                if value == UNKNOWN:
                    self.notes.append(Note(self.at, "added", f"/spec/{key}", f"the source has no {key}"))

    def finish(self, source: str) -> Item:
        """The entity, judged as the catalog will judge it; refused with the reason when it is not valid."""
        for part in ("annotations", "labels", "tags", "links"):
            if not self.metadata.get(part, True):
                del self.metadata[part]
        entity = {"apiVersion": self.api_version, "kind": self.kind, "metadata": self.metadata, "spec": self.spec}
        item = Item(self.document, self.at, source, "entity", self.notes, ref=self.ref.lower(), entity=entity)
        return judged(item, self.line, self.kinds)


def judged(item: Item, line: int = 1, kinds: Kinds | None = None) -> Item:
    """The item, refused when its entity is not valid: none of its fields is carried then."""
    try:
        validate(item.entity, kinds)
    except InputError as error:
        notes = [
            note if note.fate == "not_carried" else Note(note.field, "not_carried", None, "the entity is refused")
            for note in item.notes
            if note.fate != "added"
        ]
        return replace(item, outcome="refused", notes=notes, reason=error.detail, entity=None, line=line)
    return replace(item, line=line)


def as_text(value: Any) -> str:
    """A value as the text of an annotation: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def ref_for(names: Names, keys: Iterable[str], kind: str, identifier: str) -> tuple[str, bool]:
    """(reference, known) of a foreign identifier: one of this import's, else what it would be called as `kind`."""
    for key in keys:
        found = names.find(key)
        if found is not None:
            return found.lower(), True
    return f"{kind}:default/{name_for(identifier)}".lower(), False
