"""The reference page of the catalog's sources: each type that a plugin here reads, with what its settings may say."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

import taxiway.plugins
from taxiway.core.settings_sources import SourceSettings

Table = Callable[[Sequence[str], Any], str]


def sources_page(table: Table, type_name: Callable[[Any], str], shown: Callable[[Any], str]) -> str:
    """Every type of source. The functions are those of the other pages."""

    def fields(model: type[BaseModel]) -> str:
        rows = [
            (f"`{name}`", type_name(item.annotation), _default(item, shown), item.description or "")
            for name, item in model.model_fields.items()
        ]
        return table(("key", "type", "default", "meaning"), rows)

    text = "# Sources of the catalog\n\nEach entry of `catalog.sources` in `taxiway.yaml` is a source. All of them "
    text += "have:\n\n"
    text += fields(SourceSettings)
    text += (
        "\nCredentials are named, not written: `env:NAME` or `secret://<store>/<name>`. What else an entry says "
        "depends on its `type`:\n"
    )
    for source in _sources():
        text += f"\n## {source.key}\n\n{inspect.getdoc(source)}\n\n{_about(source.options)}\n\n{fields(source.options)}"
        for name, model in _inner(source.options):
            text += f"\nIn `{name}`: {_about(model)}\n\n{fields(model)}"
    return text


def _sources() -> list[Any]:
    found: dict[str, Any] = {}
    for plugin in pkgutil.iter_modules(taxiway.plugins.__path__):
        try:
            module = importlib.import_module(f"taxiway.plugins.{plugin.name}.source")
        except ModuleNotFoundError as error:
            if error.name != f"taxiway.plugins.{plugin.name}.source":
                raise
            continue
        for value in vars(module).values():
            if inspect.isclass(value) and value.__module__ == module.__name__ and hasattr(value, "options"):
                found[value.key] = value
    return [found[key] for key in sorted(found)]


def _inner(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    for name, item in model.model_fields.items():
        for kind in (item.annotation, *get_args(item.annotation)):
            if inspect.isclass(kind) and issubclass(kind, BaseModel):
                yield name, kind


def _about(model: type[BaseModel]) -> str:
    return " ".join((inspect.getdoc(model) or "").split())


def _default(item: Any, shown: Callable[[Any], str]) -> str:
    if item.is_required():
        return "(needed)"
    value = item.get_default(call_default_factory=True)
    if value is PydanticUndefined or isinstance(value, BaseModel):
        return "as below"
    return "empty" if value == "" else shown(value)
