"""The rendering process: reads requests from stdin, renders, writes answers to stdout. It touches no file.

It evaluates JSONata as well, by the language's own package, and says which files globs name: what a pattern costs is as
little known as what a template does.

Started by `rendering/client.py` with limits on memory and CPU and, under root, as another user. Each message is a
4-byte big-endian length and JSON. Expressions are run by Backstage's own engine in an embedded JavaScript interpreter
(ADR 0014); templates are data to it, and no JavaScript of theirs is run.
"""

from __future__ import annotations

import json
import os
import resource
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import bracex
import quickjs
from wcmatch import glob

MAX_MESSAGE = 64 * 1024 * 1024
MAX_FILES = MAX_MESSAGE // 4
SCRIPTS = [Path(__file__).with_name(name) for name in ("parsed.js", "templating.js", "outline.js")]
MOST_PATTERNS = 1_000
JSONATA, TRANSFORMING = "jsonata.js", Path(__file__).with_name("transforming.js")
# The engine asks for random numbers in its filter `random` only.
RANDOM = """
globalThis.crypto = {
  getRandomValues(words) {
    for (let i = 0; i < words.length; i += 1) words[i] = Math.floor(Math.random() * 4294967296);
    return words;
  },
};
"""
Answer = Callable[[str], str]


def load(engine: Path, memory_bytes: int) -> Answer:
    """A function from a request to its answer, both JSON text: {"value": …} or {"error": {message, at}}."""
    context = quickjs.Context()
    context.set_memory_limit(memory_bytes)
    context.eval(RANDOM)
    context.module("\n".join(path.read_text() for path in (engine, *SCRIPTS)))
    call, transform = context.get("answer"), _transforming(engine.with_name(JSONATA), memory_bytes // 2)

    def answer(request: str) -> str:
        try:
            found = call(request)
            if found is None:
                return transform(request) if json.loads(request)["op"] == "jsonata" else _named(request)
            return str(found)
        except quickjs.JSException as error:
            return _failed(str(error).splitlines()[0] if str(error) else "the engine gave up")

    return answer


def _transforming(package: Path, memory_bytes: int) -> Answer:
    """Like `load`, for JSONata: requests are {expression, data}."""
    # Read now: the user that requests are answered as may not be able to.
    source = package.read_text() if package.is_file() else None
    script = TRANSFORMING.read_text()

    def answer(request: str) -> str:
        if source is None:
            return _failed("JSONata is not built in this checkout: run `make web`, then try again")
        context = quickjs.Context()
        context.set_memory_limit(memory_bytes)
        context.eval(f"globalThis.window = globalThis;\n{source}")
        context.eval(script)
        context.get("begin")(request)
        while context.execute_pending_job():
            pass
        return str(context.get("settled")())

    return answer


def _named(request: str) -> str:
    """Like `load`, for {patterns, names, dotfiles}: which of the names the globs name."""
    asked = json.loads(request)
    flags = glob.GLOBSTAR | glob.EXTGLOB | glob.NEGATE | (glob.DOTGLOB if asked["dotfiles"] else 0)
    patterns: list[str] = []
    try:
        for pattern in asked["patterns"]:
            patterns += bracex.expand(pattern, keep_escapes=True, limit=MOST_PATTERNS)
    except bracex.ExpansionLimitException:
        return _failed("patterns of files stand for too many: name a folder instead")
    return json.dumps({"value": [glob.globmatch(name, patterns, flags=flags, limit=0) for name in asked["names"]]})


def _failed(message: str) -> str:
    reason = "it needs more memory than the limit" if "out of memory" in message else message
    return json.dumps({"error": {"message": reason, "at": ""}})


def serve(stdin: BinaryIO, stdout: BinaryIO, answer: Answer) -> None:
    """Answer until stdin ends."""
    while len(header := stdin.read(4)) == 4:
        (length,) = struct.unpack(">I", header)
        body = answer(stdin.read(length).decode()).encode()
        if len(body) > MAX_MESSAGE:
            body = _failed("the rendered output is larger than the limit").encode()
        stdout.write(struct.pack(">I", len(body)) + body)
        stdout.flush()


def main(engine: str, memory_bytes: int, cpu_seconds: int, uid: int, gid: int) -> None:
    """Serve as user `uid` (negative: stay who we are).

    The user changes only here, after everything was loaded, since that user need not be able to read the installation.
    """
    answer = load(Path(engine), memory_bytes // 2)
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
    serve(sys.stdin.buffer, sys.stdout.buffer, answer)


if __name__ == "__main__":
    main(sys.argv[1], *(int(argument) for argument in sys.argv[2:6]))
