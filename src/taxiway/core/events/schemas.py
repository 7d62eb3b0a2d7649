"""Judges the data of each event before it is stored: its type is known, and the data has the shape of that type.

Ours are in `model/event_types`; plugins declare theirs at the point `event_type`. A fault here is a fault of the
emitter, so the transaction does not commit. Validators are compiled at the first event of a type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from taxiway.core.registry import Registry
from taxiway.kit.pointer import pointer
from taxiway.model.errors import InternalError
from taxiway.model.event_types import SCHEMAS, Shape
from taxiway.plugin import EventType

Declared = Callable[[str], Shape | None]


def declared_in(registry: Registry) -> Declared:
    """The types that plugins contribute."""

    def find(kind: str) -> Shape | None:
        declared: list[EventType] = registry.all("event_type")
        return next((item.schema for item in declared if item.key == kind), None)

    return find


class EventSchemas:
    """Validators by event type. `declared` gives the schema of a type that is not ours, None when nobody has it."""

    def __init__(self, declared: Declared = lambda kind: None) -> None:
        self._declared = declared
        self._validators: dict[str, Any] = {}

    def check(self, kind: str, data: Mapping[str, Any]) -> None:
        """InternalError, which names the type and the place in the data, when an event must not be stored."""
        validator = self._validators.get(kind) or self._compile(kind)
        try:
            if validator.is_valid(data):
                return
            first = next(iter(validator.iter_errors(data)))
            where, what = pointer(list(first.instance_path)) or "the data", first.message
        except ValueError as error:  # a value that JSON does not have
            where, what = "the data", str(error)
        raise InternalError(f"the event {kind} is not as its schema says, at {where}", internal=what)

    def _compile(self, kind: str) -> Any:
        import jsonschema_rs

        schema = SCHEMAS.get(kind) or self._declared(kind)
        if schema is None:
            raise InternalError(
                f"the event type {kind} is not known: declare it (a plugin: at the point event_type)",
                internal=kind,
            )
        validator = self._validators[kind] = jsonschema_rs.Draft202012Validator(dict(schema))
        return validator
