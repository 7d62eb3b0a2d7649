"""Typed settings, read once at start from environment variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class SettingsError(Exception):
    """Names each variable that is missing or wrong."""


@dataclass(frozen=True)
class Settings:
    """All settings of the job."""

    log_level: str = "INFO"
    items: int = 250
    """How many items the example has to do."""
    batch_size: int = 100
    """How many are done at a time."""


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings; SettingsError names every wrong one at once."""
    problems: list[str] = []

    def number(name: str, usual: int, least: int, most: int) -> int:
        text = environ.get(name) or str(usual)
        if not text.isdecimal() or not least <= int(text) <= most:
            problems.append(f"{name}: it must be a number from {least} to {most}")
            return usual
        return int(text)

    level = (environ.get("LOG_LEVEL") or Settings.log_level).upper()
    if level not in LEVELS:
        problems.append(f"LOG_LEVEL: it must be one of {', '.join(LEVELS)}")
    found = Settings(
        level, number("ITEMS", Settings.items, 0, 10**9), number("BATCH_SIZE", Settings.batch_size, 1, 10_000)
    )
    if problems:
        raise SettingsError("Settings are not valid; set these environment variables:\n  " + "\n  ".join(problems))
    return found
