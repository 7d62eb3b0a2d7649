"""Writes `openapi.json`, from which the TypeScript client is generated: `python -m taxiway.api.openapi [FILE]`."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from taxiway.api.app import create_app
from taxiway.api.platform import build_platform
from taxiway.core.settings import load_settings


def describe_api() -> dict[str, Any]:
    """The OpenAPI document of the product without outside plugins."""
    with tempfile.TemporaryDirectory() as folder:
        platform = build_platform(load_settings({}, {"data": folder}), with_plugins=False)
        try:
            document = create_app(platform).openapi()
        finally:
            platform.store.close()
    # The version of the package changes with every release; the description is compared without it.
    document["info"]["version"] = "v1"
    return document


def render() -> str:
    """The document as the committed file has it."""
    return json.dumps(describe_api(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else "openapi.json").write_text(render())
