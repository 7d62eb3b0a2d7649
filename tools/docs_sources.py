"""The reference page of the catalog's sources: each type that a plugin here reads, with what its settings may say."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

import taxiway.plugins
from taxiway.core.settings_sources import OverlaySettings, SourceSettings
from taxiway.features.catalog.sources.oidc import OidcSource

OPTIONS = re.compile(r"^    options(: type\[\w+\])? = ", re.MULTILINE)
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
    text += f"\nIn `overlay`: {_about(OverlaySettings)}\n\n{fields(OverlaySettings)}"
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
    """The classes of the sources that ship: those with `key` and a model as `options`."""
    found: dict[str, Any] = {OidcSource.key: OidcSource}
    for folder in taxiway.plugins.__path__:
        for file in sorted(Path(folder).glob("*/*.py")):
            if not OPTIONS.search(file.read_text()):
                continue
            module = importlib.import_module(f"taxiway.plugins.{file.parent.name}.{file.stem}")
            for value in vars(module).values():
                own = inspect.isclass(value) and value.__module__ == module.__name__
                if own and inspect.isclass(getattr(value, "options", None)):
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
