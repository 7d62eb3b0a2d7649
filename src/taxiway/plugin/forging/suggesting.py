"""What a form's pickers suggest while somebody fills them in: owners, groups, projects, repositories, branches.

Asked with the token of the person, never with that of the settings: nobody is shown what only the installation may see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from taxiway.model.errors import InputError
from taxiway.plugin.points.reading import Suggestion

MOST = 2000
Context = Mapping[str, str]
Ask = Callable[[Any, Context], Iterable[Suggestion]]


@dataclass(frozen=True)
class ForgeSuggestions:
    """An `Autocompleter` on the hosts of a forge's plugin. `resources` has what can be asked for, by name: a function
    of the host's client, which acts with the person's token, and the context."""

    key: str
    clients: Callable[[], Any]
    hosts: Sequence[str]
    resources: Mapping[str, Ask]

    def autocomplete(self, resource: str, token: str, context: Context) -> Sequence[Suggestion]:
        """The suggestions, so many at most. InputError for what is not suggested, and for a context without a part."""
        ask = self.resources.get(resource)
        if ask is None:
            there = ", ".join(sorted(self.resources))
            raise InputError(f"{self.key} suggests no '{resource}'; it suggests {there}", code="forge.autocomplete")
        host = context.get("host") or next(iter(self.hosts), "")
        client = self.clients().of(host).acting(token)
        return list(islice(ask(client, context), MOST))


def part(context: Context, name: str) -> str:
    """A part of the context. InputError when it is missing."""
    value = context.get(name)
    if not value:
        raise InputError(f"Missing {name} context parameter", code="forge.autocomplete_context")
    return value


def named(items: Iterable[Mapping[str, Any]], *keys: str) -> Iterable[Suggestion]:
    """Suggestions that are the first of `keys` that an item has."""
    for item in items:
        name = next((str(item[key]) for key in keys if item.get(key)), "")
        if name:
            yield Suggestion(name, name)
