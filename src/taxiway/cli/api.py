"""`taxiway api`: every operation of the API by its id, from the same description that the server publishes."""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from typing import Annotated, Any
from urllib.parse import quote

from cyclopts import Parameter

from taxiway.cli.client import Client, find_session
from taxiway.cli.errors import CliError
from taxiway.cli.output import Output, show


def operations() -> dict[str, dict[str, Any]]:
    """The index of operations: id to method, path, parameters (name to `path` or `query`), and summary."""
    index: dict[str, dict[str, Any]] = json.loads((files("taxiway.cli") / "operations.json").read_text())
    return index


def api(
    operation: str | None = None,
    *,
    body: str | None = None,
    output: Output = "json",
    **parameters: Annotated[str, Parameter(allow_leading_hyphen=True)],
) -> None:
    """Call OPERATION, such as environments.list_deployments, with its parameters as options; without one, list all.

    Parameters
    ----------
    operation
        Id of the operation.
    body
        JSON body, or `-` to read it from standard input.
    """
    index = operations()
    if operation is None:
        rows = [
            {"operation": name, "method": item["method"], "summary": item["summary"]} for name, item in index.items()
        ]
        show(rows, "table" if output == "json" else output, ["operation", "method", "summary"])
        return
    if operation not in index:
        near = [name for name in index if operation.split(".")[0] in name]
        raise CliError(f"there is no operation '{operation}'", 2, near[:10])
    item = index[operation]
    given = {key.replace("-", "_"): value for key, value in parameters.items()}
    path = item["path"]
    for name, place in item["parameters"].items():
        if place == "path":
            if name not in given:
                raise CliError(f"{operation} needs --{name}", 2)
            path = path.replace("{" + name + "}", quote(given.pop(name), safe="/" if name == "path" else ""))
    unknown = sorted(set(given) - set(item["parameters"]))
    if unknown:
        raise CliError(
            f"{operation} takes {', '.join(item['parameters']) or 'no parameters'}, not {', '.join(unknown)}", 2
        )
    client = Client(find_session())
    if item.get("streams"):
        for event, data in client.stream(path, given):
            print(json.dumps({"event": event, "data": data}), flush=True)
        return
    text = sys.stdin.read() if body == "-" else body
    try:
        content = json.loads(text) if text else None
    except ValueError as error:
        raise CliError(f"--body is not JSON: {error}", 2) from error
    answer = client.call(item["method"], path, query=given, body=content)
    if isinstance(answer, str):
        sys.stdout.write(answer)
    elif answer is not None:
        show(answer, output)
