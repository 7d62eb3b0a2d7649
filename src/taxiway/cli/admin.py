"""Commands beside a data folder, without a server: this module may open the store itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway.cli.errors import CliError

if TYPE_CHECKING:
    from taxiway.core.context import Platform
    from taxiway.core.operations import Feature


@contextmanager
def open_platform(data: Path, *, engines_only: bool = False) -> Iterator[Platform]:
    """The platform on a data folder, without workers or HTTP. CliError when the folder is none of Taxiway's.

    It has no plugins, because a server may be running on the folder. With `engines_only` it has them and nothing else:
    no features, and a store that is not brought to this version, so that it works on a folder of any.
    """
    from taxiway.api.platform import build_platform, close_platform
    from taxiway.core.settings import load_settings, process_environ

    loaded = load_settings(process_environ(), {"data": data})
    if loaded.settings.database_url is None and not (data / "taxiway.db").is_file():
        raise CliError(f"{data} is no data folder of Taxiway: name it with --data or TAXIWAY_DATA", 5)
    features: list[Feature] | None = [] if engines_only else None
    platform = build_platform(loaded, with_plugins=engines_only, features=features, migrated=not engines_only)
    try:
        yield platform
    finally:
        close_platform(platform)
