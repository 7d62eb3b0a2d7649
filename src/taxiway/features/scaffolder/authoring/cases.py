"""Cases of a template's tests: `template.test.yaml` beside `template.yaml`, read and checked.

A case gives answers, and says what is to come of them. The format is ours, since the field has none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from taxiway.features.scaffolder.validation import schema_errors
from taxiway.kit.yaml12 import YamlError, load
from taxiway.model.errors import FieldError, InputError

TEXTS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
OBJECT = {"type": "object"}
FILE = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "contains": TEXTS,
        "lacks": TEXTS,
        "matches": TEXTS,
        "data": {},
        "executable": {"type": "boolean"},
    },
}
EXPECT = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "invalid": {"type": "array", "items": {"type": "string"}},
        "error": {"type": "string"},
        "steps": {"type": "object", "additionalProperties": {"enum": ["run", "skipped"]}},
        "inputs": {"type": "object", "additionalProperties": {"type": ["object", "array"]}},
        "files": {"type": "object", "additionalProperties": {"anyOf": [{"type": ["string", "null"]}, FILE]}},
        "output": OBJECT,
    },
}
CASE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "parameters": OBJECT,
        "secrets": {"type": "object", "additionalProperties": {"type": "string"}},
        "user": {"type": "string"},
        "entities": {"type": "array", "items": OBJECT},
        "outputs": {"type": "object", "additionalProperties": OBJECT},
        "golden": {"type": "boolean"},
        "expect": EXPECT,
    },
}
SCHEMA = {
    "type": "object",
    "required": ["cases"],
    "additionalProperties": False,
    "properties": {"cases": {"type": "array", "minItems": 1, "items": CASE}},
}


@dataclass(frozen=True)
class Case:
    """One case. `outputs` are what steps give that are not tried; `golden` compares every file with a kept copy."""

    name: str
    values: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    user: str = "user:default/author"
    entities: Sequence[Mapping[str, Any]] = ()
    outputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    golden: bool = False
    expect: Mapping[str, Any] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        """The name of its folder with golden files."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-") or "case"


def cases_file(template: Path) -> Path:
    """Where the cases of a template are."""
    return template.with_name(f"{template.stem}.test.yaml")


def golden_folder(template: Path, case: Case) -> Path:
    """Where the golden files of a case are."""
    return template.with_name(f"{template.stem}.golden") / case.slug


def read_cases(template: Path) -> list[Case]:
    """The cases beside a template, none where there is no such file. InputError says what is wrong with it."""
    file = cases_file(template)
    if not file.is_file():
        return []
    try:
        document = load(file.read_bytes())
    except YamlError as error:
        raise InputError(f"{file.name}: {error}", code="scaffolder.bad_cases") from error
    faults = schema_errors(SCHEMA, document)
    if not faults:
        cases = [_case(raw) for raw in document["cases"]]
        places = [case.slug if case.golden else case.name for case in cases]
        faults = [
            FieldError("/cases", f"two cases are named '{case.name}', or their golden files would be in one folder")
            for index, case in enumerate(cases)
            if places[index] in places[:index] or case.name in [one.name for one in cases[:index]]
        ]
    if faults:
        detail = f"{file.name} is not usable: {faults[0].pointer or '/'}: {faults[0].detail}"
        raise InputError(detail, code="scaffolder.bad_cases", errors=faults)
    return [_case(raw) for raw in document["cases"]]


def _case(raw: Mapping[str, Any]) -> Case:
    given = {key: value for key, value in raw.items() if key != "parameters"}
    return Case(values=raw.get("parameters") or {}, **given)
