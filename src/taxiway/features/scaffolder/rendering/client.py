"""Rendering in a bounded process: `Renderer` keeps a few workers warm, and kills one that takes too long.

Templates are untrusted: a worker has its own memory and CPU limits, no file access of ours (another user under root,
an empty environment), and a wall-clock limit per request.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from taxiway.features.scaffolder.rendering.planned import Files, PlannedRenders
from taxiway.kit.built import built_web
from taxiway.model.errors import InputError, TimedOutError, TooLargeError, UnavailableError
from taxiway.plugin import Identity

WORKER = Path(__file__).with_name("worker.py")
ENGINE = Path("templating", "nunjitsu.js")
"""The engine in the folder of the built portal."""
MARKS = re.compile(r"\{[{%#]|[%#}]\}")
MOST_RENDERED = 16 * 1024 * 1024
"""Characters of rendered files together."""
MEMORY_BYTES = 512 * 1024 * 1024
CPU_SECONDS = 120
REQUEST_SECONDS = 10.0
IDLE_SECONDS = 20.0
MAX_REQUEST = 32 * 1024 * 1024


class RenderError(InputError):
    """A template could not be rendered. The message has the file, the line and the reason."""


class _Worker:
    def __init__(self, engine: Path, identity: Identity) -> None:
        uid, gid = (-1, -1) if identity.uid is None else (identity.uid, identity.gid or identity.uid)
        # -I keeps the environment and the current folder out.
        self.process = subprocess.Popen(
            [sys.executable, "-I", str(WORKER), str(engine), str(MEMORY_BYTES), str(CPU_SECONDS), str(uid), str(gid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            cwd="/",
            start_new_session=True,
        )
        self.used_at = time.monotonic()

    def ask(self, request: bytes, seconds: float) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        deadline = time.monotonic() + seconds
        self.process.stdin.write(struct.pack(">I", len(request)) + request)
        self.process.stdin.flush()
        (length,) = struct.unpack(">I", self._read(4, deadline))
        answer = json.loads(self._read(length, deadline))
        self.used_at = time.monotonic()
        assert isinstance(answer, dict)
        return answer

    def _read(self, count: int, deadline: float) -> bytes:
        assert self.process.stdout is not None
        descriptor, parts = self.process.stdout.fileno(), bytearray()
        while len(parts) < count:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimedOutError("rendering the template took too long: look for a loop without an end")
            chunk = os.read(descriptor, min(count - len(parts), 1 << 20))
            if not chunk:
                raise RenderError("rendering the template was stopped: it needs more memory or time than the limit")
            parts += chunk
        return bytes(parts)

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for stream in filter(None, (self.process.stdin, self.process.stdout)):
            with contextlib.suppress(OSError):
                stream.close()


def _has_expressions(value: Any) -> bool:
    """Whether the rendering process would find anything to do in `value`, by the marks that it looks for."""
    if isinstance(value, str):
        return MARKS.search(value) is not None
    if isinstance(value, Mapping):
        return any(_has_expressions(item) for pair in value.items() for item in pair)
    return isinstance(value, list | tuple) and any(_has_expressions(item) for item in value)


def _body(request: Mapping[str, Any]) -> bytes:
    body = json.dumps(request).encode()
    if len(body) > MAX_REQUEST:
        raise TooLargeError(f"the template's files are larger than {MAX_REQUEST} bytes together")
    return body


class Renderer:
    """Renders values and files. Safe to call from many threads; each call has a worker to itself.

    `lenient` keeps the raw text of a value that cannot be rendered, as Backstage does; else that is a RenderError.
    """

    def __init__(self, identity: Identity, *, lenient: bool = False, keep: int = 2) -> None:
        self._identity, self._lenient, self._keep = identity, lenient, keep
        self._idle: list[_Worker] = []
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._planned = PlannedRenders()

    def value(self, value: Any, context: Mapping[str, Any], *, failed: bool = False) -> Any:
        """`value` with every expression inside replaced; a whole-string expression keeps its type. What renders to
        nothing is left out of its object. `failed` is what `failure()` says."""
        if not _has_expressions(value):
            return value
        request = {"op": "value", "value": value, "context": dict(context), "failed": failed, "lenient": self._lenient}
        return self._ask(request)

    def files(
        self,
        files: Sequence[tuple[str, str | None]],
        context: Mapping[str, Any],
        options: Mapping[str, Any],
        *,
        is_plan: bool = False,
    ) -> Files:
        """(path, text) pairs with path and text rendered; text None renders the path only. The run of a plan gets
        what the plan rendered (`is_plan`), where nothing that it depends on is different."""
        request = {"op": "files", "files": list(files), "context": dict(context), "options": dict(options)}
        body = _body({**request, "most": MOST_RENDERED})
        found = self._planned.find(body, is_plan=is_plan)
        if found is None:
            found = [(path, text) for path, text in self._answer(body)]
            if is_plan:
                self._planned.keep(body, found)
        return found

    def outline(self, texts: Sequence[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
        """What each (text, options) refers to: paths, filters, calls, conditions, or the error of its syntax."""
        asked = [{"text": text, "options": dict(options)} for text, options in texts]
        return list(self._ask({"op": "outline", "texts": asked}))

    def decide(
        self, texts: Sequence[str], contexts: Sequence[Sequence[Mapping[str, Any]]], options: Mapping[str, Any]
    ) -> list[list[dict[str, Any]]]:
        """{value} or {error} of each text in each of its contexts."""
        contexts = [list(each) for each in contexts]
        return list(self._ask({"op": "decide", "texts": list(texts), "contexts": contexts, "options": dict(options)}))

    def filters(self) -> list[str]:
        """The names of every filter."""
        return list(self._ask({"op": "filters"}))

    def close(self) -> None:
        """End every idle worker."""
        with self._lock:
            idle, self._idle = self._idle, []
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        for worker in idle:
            worker.close()

    def _ask(self, request: Mapping[str, Any]) -> Any:
        return self._answer(_body(request))

    def _answer(self, body: bytes) -> Any:
        worker = self._take()
        try:
            answer = worker.ask(body, REQUEST_SECONDS)
        except BaseException as error:
            worker.close()
            if isinstance(error, (OSError, json.JSONDecodeError, struct.error)):
                raise UnavailableError("the rendering process ended unexpectedly: try again") from error
            raise
        self._give(worker)
        if "error" in answer:
            at = f"{answer['error']['at']}: " if answer["error"]["at"] else ""
            detail = f"{at}{answer['error']['message']}"
            if answer["error"].get("syntax"):
                raise RenderError(detail, code="scaffolder.syntax")
            raise RenderError(detail, code="scaffolder.render")
        return answer["value"]

    def _take(self) -> _Worker:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.process.poll() is None:
                    return worker
                worker.close()
        web = built_web()
        if web is None or not (web / ENGINE).is_file():
            raise UnavailableError("the template engine is not built in this checkout: run `make web`, then try again")
        return _Worker(web / ENGINE, self._identity)

    def _give(self, worker: _Worker) -> None:
        with self._lock:
            if len(self._idle) < self._keep:
                self._idle.append(worker)
                if self._timer is None:
                    self._timer = threading.Timer(IDLE_SECONDS, self._expire)
                    self._timer.daemon = True
                    self._timer.start()
                return
        worker.close()

    def _expire(self) -> None:
        with self._lock:
            self._timer = None
            limit = time.monotonic() - IDLE_SECONDS
            old = [w for w in self._idle if w.used_at < limit]
            self._idle = [w for w in self._idle if w.used_at >= limit]
            if self._idle:
                self._timer = threading.Timer(IDLE_SECONDS, self._expire)
                self._timer.daemon = True
                self._timer.start()
        for worker in old:
            worker.close()
