"""Settings of one source of the catalog. What its type needs beside these is judged by the plugin that reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from taxiway.plugin import check_credential

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
SECRET = re.compile(r"(^|_)(token|secret|password|credential|private_key|api_key)$")


def seconds_of(value: Any) -> Any:
    """Seconds of `30m`, `12h`, `1d`, `90s` or a number."""
    if isinstance(value, str) and (match := re.fullmatch(r"\s*(\d+)\s*([smhd]?)\s*", value)):
        return int(match[1]) * UNITS[match[2] or "s"]
    return value


class SourceSettings(BaseModel):
    """A source of the catalog: who it is and how often it is read. Further keys are those of its type."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str = Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$", description="its name, once in the file")
    type: str = Field(description="what it reads, such as github or gitlab: a plugin brings it")
    every: Annotated[int, BeforeValidator(seconds_of)] = Field(
        1800, ge=10, le=30 * 86_400, description="how often it is read whole: 90s, 30m, 12h, 1d"
    )
    trusted: bool = Field(
        False, description="its files may bring people, teams, templates and the platform's own kinds"
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
