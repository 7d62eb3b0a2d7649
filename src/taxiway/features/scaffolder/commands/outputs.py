"""What a command gives back: a JSON object on its standard output, or the file named by `TAXIWAY_OUTPUT`.

The file holds a JSON object, or lines in the form that GitHub's `GITHUB_OUTPUT` has: `name=value`, and for values of
several lines `name<<END`, the lines, `END`. Read only when no process of the command is left.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

from taxiway.model.errors import InputError, TooLargeError

MOST_BYTES = 1024 * 1024
CODE = "scaffolder.command_output"


def json_object(text: str) -> dict[str, Any]:
    """The object that a command printed."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            "the command's standard output is no JSON: print one object there, and the rest to the error output",
            code=CODE,
        ) from error
    if not isinstance(found, dict):
        raise InputError("the command's standard output is no JSON object: print {…}", code=CODE)
    return found


def read_outputs(path: Path) -> dict[str, Any]:
    """The outputs in the file. InputError for a link, a device, or what is in neither form."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _no_file() from error
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
            raise _no_file()
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise TooLargeError(f"the command's outputs are larger than {MOST_BYTES} bytes: write what matters into files")
    text = content.decode(errors="replace")
    return json_object(text) if text.lstrip().startswith("{") else parse_lines(text)


def parse_lines(text: str) -> dict[str, str]:
    """Outputs in the form of `GITHUB_OUTPUT`."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        if not line.strip():
            continue
        name, mark, end = line.partition("<<")
        if mark and "=" not in name:
            value: list[str] = []
            for inner in lines:
                if inner == end:
                    break
                value.append(inner)
            else:
                raise InputError(f"the output '{name}' has no end: its last line must be '{end}'", code=CODE)
            found[name.strip()] = "\n".join(value)
            continue
        name, mark, rest = line.partition("=")
        if not mark or not name.strip():
            raise InputError(f"'{line[:80]}' is no output: write name=value, or a JSON object", code=CODE)
        found[name.strip()] = rest
    return found


def _no_file() -> InputError:
    return InputError("what the command left as its outputs is no plain file: write to $TAXIWAY_OUTPUT", code=CODE)
