"""Writes `openapi.json`, from which the TypeScript client is generated, and the CLI's index of operations.

`python -m taxiway.api.openapi`, in a checkout.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import taxiway
from taxiway.api.app import create_app
from taxiway.api.platform import build_platform
from taxiway.core.settings import load_settings

INDEX = Path(taxiway.__file__).parent / "cli" / "operations.json"
STREAMS = "x-taxiway-streams"


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


def render_index() -> str:
    """What `taxiway api` reads: by operation id its method, path, parameters, summary, and whether it streams."""
    index: dict[str, Any] = {}
    for path, operations in describe_api()["paths"].items():
        for method, operation in operations.items():
            parameters = {
                item["name"]: item["in"] for item in operation.get("parameters", []) if item["in"] != "header"
            }
            entry = {"method": method.upper(), "path": path, "parameters": parameters, "summary": operation["summary"]}
            index[operation["operationId"]] = {**entry, **({"streams": True} if operation.get(STREAMS) else {})}
    return json.dumps(index, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path("openapi.json").write_text(render())
    INDEX.write_text(render_index())
