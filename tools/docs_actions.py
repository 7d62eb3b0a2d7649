"""The reference page of scaffolder actions, from the actions that the product registers."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from taxiway.api.platform import build_platform, close_platform
from taxiway.core.settings import load_settings
from taxiway.plugin import Action

Table = Callable[[Sequence[str], Iterable[Sequence[Any]]], str]
HEAD = (
    "# Actions\n\nWhat the steps of a golden path can do with the plugins that ship; those of a forge need it in "
    "the settings of its plugin ([how to](../how-to/golden-paths-on-forges.md)). `*` marks what must be given. "
    "**dry run**: whether plans and dry runs call it (they change nothing outside of a scratch folder), or make up its "
    "output. **when done again**: what becomes of a step that was interrupted: it runs again (`idempotent`), the "
    "action is asked what happened (`probe`), or a person is (`manual`). **undo**: whether it takes back what it made."
    "\n\n"
)


def actions_page(table: Table) -> str:
    """Every action with its inputs and outputs, by id."""
    with tempfile.TemporaryDirectory() as folder:
        platform = build_platform(load_settings({}, {"data": folder}), migrated=False)
        try:
            return HEAD + table(
                ("action", "what it does", "inputs", "outputs", "dry run", "when done again", "undo"),
                [
                    _row(platform.registry.get("action", item.key, Action))
                    for item in platform.registry.contributions()
                    if item.point == "action"
                ],
            )
        finally:
            close_platform(platform)


def _row(action: Action) -> list[str]:
    takes_back = getattr(action, "take_back", action.undo) is not None
    return [
        f"`{action.key}`",
        action.description,
        _fields(action.input_schema),
        _fields(action.output_schema),
        "yes" if action.supports_dry_run else "no",
        action.recovery,
        "yes" if takes_back else "nothing to do",
    ]


def _fields(schema: Mapping[str, Any]) -> str:
    required = schema.get("required") or []
    return ", ".join(f"{name}{'*' if name in required else ''}" for name in schema.get("properties") or {}) or "-"
