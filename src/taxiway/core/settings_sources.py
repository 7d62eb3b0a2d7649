"""Settings of one source of the catalog. What its type needs beside these is judged by the plugin that reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from taxiway.plugin import check_credential

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
NAME = r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"
SECRET = re.compile(r"(^|_)(token|secret|password|credential|private_key|api_key)$")


def seconds_of(value: Any) -> Any:
    """Seconds of `30m`, `12h`, `1d`, `90s` or a number."""
    if isinstance(value, str) and (match := re.fullmatch(r"\s*(\d+)\s*([smhd]?)\s*", value)):
        return int(match[1]) * UNITS[match[2] or "s"]
    return value


FIELD = re.compile(r"(metadata|spec)(\.[^.\s\0]+)+")
IDENTITY = ("metadata.name", "metadata.namespace", "metadata.uid", "metadata.etag")
"""Fields that say which entity it is: nobody but its own source writes them."""


class OverlaySettings(BaseModel):
    """What a source may add to entities of other sources. It owns none itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: tuple[str, ...] = Field(
        min_length=1,
        max_length=100,
        description="what it may write, such as `metadata.annotations.*` or `spec.lifecycle`, each with all below it; "
        "`*` stands for a key or the rest of one",
    )
    precedence: int = Field(
        10,
        ge=-1000,
        le=1000,
        description="the highest wins; the entity's own source stands at 0, so below 0 it only fills what is missing",
    )
    lists: Literal["union", "replace"] = Field(
        "union", description="a list on both sides: union keeps the items of both, replace those of the higher"
    )
    undeclared: Literal["problem", "ignore"] = Field(
        "problem", description="what becomes of its other fields: each is told, or left out unsaid (whole entities)"
    )

    @field_validator("fields")
    @classmethod
    def _writable(cls, found: tuple[str, ...]) -> tuple[str, ...]:
        for field in found:
            if len(field) > 300 or FIELD.fullmatch(field) is None:
                raise ValueError(
                    f"'{field}' is no field: write a path such as metadata.annotations.* or spec.lifecycle"
                )
            if field in IDENTITY:
                raise ValueError(f"'{field}' says which entity it is: leave it out")
        return found

    @field_validator("precedence")
    @classmethod
    def _above_or_below(cls, found: int) -> int:
        if found == 0:
            raise ValueError("0 is where the entity's own source stands: take a number above or below it")
        return found


class PushedSettings(BaseModel):
    """What a pushed source may do. One that is not named here brings entities of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=NAME, description="the name under which it is pushed")
    overlay: OverlaySettings = Field(description="it adds fields to entities of other sources")


class SourceSettings(BaseModel):
    """A source of the catalog: who it is and how often it is read. Further keys are those of its type."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str = Field(pattern=NAME, description="its name, once in the file")
    type: str = Field(description="what it reads, such as github or gitlab: a plugin brings it")
    every: Annotated[int, BeforeValidator(seconds_of)] = Field(
        1800, ge=10, le=30 * 86_400, description="how often it is read whole: 90s, 30m, 12h, 1d"
    )
    trusted: bool = Field(
        False, description="its files may bring people, teams, templates and the platform's own kinds"
    )
    overlay: OverlaySettings | None = Field(
        None, description="it adds fields to entities of other sources, and brings none of its own"
    )

    @property
    def options(self) -> Mapping[str, Any]:
        """What the source's type is told."""
        return dict(self.model_extra or {})

    @model_validator(mode="after")
    def _only_references(self) -> SourceSettings:
        _check(self.options)
        return self


def _check(value: Any) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(item, str) and SECRET.search(str(key)):
                try:
                    check_credential(item)
                except ValueError as error:
                    raise ValueError(f"{key}: {error}") from None
            _check(item)
    elif isinstance(value, list):
        for item in value:
            _check(item)
