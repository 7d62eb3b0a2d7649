"""Commands beside a data folder, without a server: this module may open the store itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway.cli.errors import CliError

if TYPE_CHECKING:
    from taxiway.core.context import Platform


@contextmanager
def open_platform(data: Path, *, with_plugins: bool = False) -> Iterator[Platform]:
    """The platform on a data folder, without workers or HTTP. CliError when the folder is none of Taxiway's.

    Plugins are loaded only where a command needs them: a server may be running on the folder.
    """
    from taxiway.api.platform import build_platform, close_platform
    from taxiway.core.settings import load_settings, process_environ

    loaded = load_settings(process_environ(), {"data": data})
    if loaded.settings.database_url is None and not (data / "taxiway.db").is_file():
        raise CliError(f"{data} is no data folder of Taxiway: name it with --data or TAXIWAY_DATA", 5)
    platform = build_platform(loaded, with_plugins=with_plugins)
    try:
        yield platform
    finally:
        close_platform(platform)
