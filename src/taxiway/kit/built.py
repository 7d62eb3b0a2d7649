"""Where the files are that the build of `web` makes: inside the package, or in a checkout."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def built_web() -> Path | None:
    """The folder that holds the portal's `index.html`; None when the portal was not built."""
    for folder in (PACKAGE / "web", PACKAGE.parents[1] / "web" / "dist"):
        if (folder / "index.html").is_file():
            return folder
    return None
