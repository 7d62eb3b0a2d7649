"""The rendering process: reads requests from stdin, renders, writes answers to stdout. It touches no file.

Started by `rendering/client.py` with limits on memory and CPU and, under root, as another user. Each message is a
4-byte big-endian length and JSON. Expressions are nunjucks as Backstage templates use it, run by minijinja: JavaScript
spellings that templates really contain are rewritten first, inside delimiters only.
"""

from __future__ import annotations

import json
import os
import re
import resource
import struct
import sys
from typing import Any, BinaryIO

import minijinja

FUEL = 5_000_000
MAX_MESSAGE = 64 * 1024 * 1024
SEGMENT = re.compile(r"(\{%-?\s*raw\s*-?%\}.*?\{%-?\s*endraw\s*-?%\})|(\{#.*?#\})|(\$\{\{.*?\}\}|\{%.*?%\})", re.DOTALL)
WHOLE = re.compile(r"^\s*\$\{\{((?:(?!\}\}).)*)\}\}\s*$", re.DOTALL)
STRING = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""")
REWRITES = [
    (re.compile(r"!=="), "!="),
    (re.compile(r"==="), "=="),
    (re.compile(r"&&"), " and "),
    (re.compile(r"\|\|"), " or "),
    (re.compile(r"!(?!=)"), " not "),
    (re.compile(r"\.replaceAll\("), ".replace("),
    (re.compile(r"\.length\b(?!\s*\()"), "|length"),
    (re.compile(r"\b(null|undefined)\b"), "none"),
    (re.compile(r"([{,]\s*)([A-Za-z_$][\w$]*)(\s*:)"), r'\1"\2"\3'),
]


def rewrite(source: str) -> str:
    """`source` with JavaScript spellings inside expressions and tags replaced; text outside stays as it is."""

    def segment(match: re.Match[str]) -> str:
        return match[0] if match[3] is None else _rewrite_expression(match[0])

    return SEGMENT.sub(segment, source)


def _rewrite_expression(text: str) -> str:
    opening = 3 if text.startswith("${{") else 2
    inner, head, tail = text[opening:-2], text[:opening], text[-2:]
    parts = STRING.split(inner)
    for index in range(0, len(parts), 2):
        for pattern, replacement in REWRITES:
            parts[index] = pattern.sub(replacement, parts[index])
    return head + "".join(parts) + tail


def to_text(value: Any) -> Any:
    """How nunjucks prints a value: nothing for none, comma lists for arrays."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ",".join("" if item is None else str(to_text(item)) for item in value)
    if isinstance(value, dict):
        return "[object Object]"
    return value


def parse_repo_url(value: str) -> dict[str, Any]:
    """Backstage's `parseRepoUrl`: host, owner, repo and the other query parameters of `host?owner=o&repo=r`."""
    from urllib.parse import parse_qs

    host, _, query = str(value).partition("?")
    return {"host": host, **{key: values[0] for key, values in parse_qs(query).items()}}


def parse_entity_ref(value: str, options: dict[str, Any] | None = None, **named: Any) -> dict[str, str]:
    """Backstage's `parseEntityRef`: kind, namespace, name."""
    chosen = {**(options or {}), **named}
    kind, colon, rest = str(value).partition(":")
    if not colon:
        kind, rest = chosen.get("defaultKind") or "", str(value)
    namespace, slash, name = rest.partition("/")
    if not slash:
        namespace, name = chosen.get("defaultNamespace") or "default", rest
    if not kind or not name:
        raise ValueError(f"'{value}' is not an entity reference with a kind")
    return {"kind": kind, "namespace": namespace, "name": name}


def project_slug(value: str) -> str:
    """Backstage's `projectSlug`: owner/repo of a repository URL."""
    parts = parse_repo_url(value)
    return f"{parts.get('owner', '')}/{parts.get('repo', '')}"


def pick(value: Any, key: str) -> Any:
    """Backstage's `pick`: a property of an object."""
    return value.get(key) if isinstance(value, dict) else None


def environment(*, trim_blocks: bool = False, lstrip_blocks: bool = False) -> Any:
    """A minijinja environment with Backstage's delimiters and filters, bounded by fuel."""
    env = minijinja.Environment(
        variable_start_string="${{",
        variable_end_string="}}",
        keep_trailing_newline=True,
        trim_blocks=trim_blocks,
        lstrip_blocks=lstrip_blocks,
        auto_escape_callback=lambda name: False,
        finalizer=to_text,
        filters={
            "parseRepoUrl": parse_repo_url,
            "parseEntityRef": parse_entity_ref,
            "projectSlug": project_slug,
            "pick": pick,
            "dump": lambda value, indent=None: json.dumps(
                value, indent=indent, ensure_ascii=False, separators=None if indent else (",", ":")
            ),
        },
    )
    env.fuel = FUEL
    # A string that a loop doubles inside a namespace would only be stopped by the memory limit; nunjucks has none.
    env.remove_global("namespace")
    return env


def render_value(env: Any, value: Any, context: dict[str, Any]) -> Any:
    """Render every string inside a JSON value; a string that is one whole expression keeps the expression's type."""
    if isinstance(value, str):
        if "${{" not in value and "{%" not in value:
            return value
        whole = WHOLE.match(value)
        if whole:
            return env.eval_expr(_rewrite_expression("${{" + whole[1] + "}}")[3:-2].strip(), **context)
        return env.render_str(rewrite(value), **context)
    if isinstance(value, list):
        return [render_value(env, item, context) for item in value]
    if isinstance(value, dict):
        return {str(render_value(env, key, context)): render_value(env, item, context) for key, item in value.items()}
    return value


def plain(value: Any) -> Any:
    """A value of the engine as JSON; what has no JSON form becomes text, undefined becomes null."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return None if type(value).__name__ == "Undefined" else str(value)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The answer to one request: {"value": …} or {"error": {message, at}}."""
    at = ""
    try:
        options = request.get("options", {})
        env = environment(
            trim_blocks=options.get("trimBlocks", False), lstrip_blocks=options.get("lstripBlocks", False)
        )
        context = request["context"]
        if request["op"] == "value":
            return {"value": plain(render_value(env, request["value"], context))}
        rendered, budget = [], int(request.get("max_bytes", MAX_MESSAGE // 4))
        for path, content in request["files"]:
            at = path
            name = env.render_str(rewrite(path), **context)
            text = None if content is None else env.render_str(rewrite(content), **context)
            budget -= len(text or "")
            if budget < 0:
                return {"error": {"message": "the rendered files are larger than the limit", "at": path}}
            rendered.append([name, text])
        return {"value": rendered}
    except MemoryError:
        return {"error": {"message": "rendering needs more memory than the limit", "at": at}}
    except Exception as error:
        return {"error": {"message": _message(error), "at": at}}


def _message(error: Exception) -> str:
    detail = getattr(error, "detail", None) or str(error).splitlines()[0]
    line = getattr(error, "line", None)
    text = str(detail) + (f" (line {line})" if line else "")
    return "it loops or expands too long" if "fuel" in text else text


def main(stdin: BinaryIO, stdout: BinaryIO, memory_bytes: int, cpu_seconds: int, uid: int, gid: int) -> None:
    """Serve until stdin ends, as user `uid` (negative: stay who we are).

    The user changes only here, after the imports, since that user need not be able to read the installation.
    """
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
    while len(header := stdin.read(4)) == 4:
        (length,) = struct.unpack(">I", header)
        body = json.dumps(answer(json.loads(stdin.read(length)))).encode()
        if len(body) > MAX_MESSAGE:
            body = json.dumps({"error": {"message": "the rendered output is larger than the limit", "at": ""}}).encode()
        stdout.write(struct.pack(">I", len(body)) + body)
        stdout.flush()


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer, *(int(argument) for argument in sys.argv[1:5]))
