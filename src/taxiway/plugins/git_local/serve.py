"""Smart HTTP around `git upload-pack` and `git receive-pack`, as a raw ASGI app.

The request is streamed into the process and its answer back, so a 100 MB pack costs no memory. A client that hangs is
cut off; the process group ends with the request.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from taxiway.model.errors import ConflictError, NotAllowedError, NotFoundError, TaxiwayError
from taxiway.plugin import PluginContext
from taxiway.plugins.git_local.command import git_environment
from taxiway.plugins.git_local.forge import LocalForge
from taxiway.plugins.git_local.settings import GitLocalSettings
from taxiway.plugins.git_local.sideband import HEAD_BYTES, Insertion, is_understood

ROUTE = re.compile(r"^/([a-z0-9._-]+?)(?:\.git)?/(info/refs|git-upload-pack|git-receive-pack)$")
SERVICES = {"git-upload-pack": "upload-pack", "git-receive-pack": "receive-pack"}
STATUS: list[tuple[type[TaxiwayError], int]] = [(NotFoundError, 404), (NotAllowedError, 403), (ConflictError, 403)]
CHUNK = 65536
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Guard = tuple[Sequence[str], Mapping[str, str]]
"""Further options of git, and variables of its environment."""


class GitApp:
    """The ASGI app under `/git`. The host has authenticated; this asks it to authorize per repository."""

    def __init__(self, forge: LocalForge, settings: GitLocalSettings, ctx: PluginContext) -> None:
        self._forge = forge
        self._settings = settings
        self._ctx = ctx
        self._slots = asyncio.Semaphore(settings.concurrent_requests)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(scope.get("root_path", "")).removeprefix("/git")
        match = ROUTE.match(path)
        if match is None:
            await _answer(send, 404, "no such path: clone with the URL that the portal shows\n")
            return
        name, action = match.groups()
        service = action
        if action == "info/refs":
            service = parse_qs(scope["query_string"].decode()).get("service", [""])[0]
        if service not in SERVICES or (action != "info/refs") != (scope["method"] == "POST"):
            await _answer(send, 403, "only the smart protocol is served: use git 1.6.6 or newer\n")
            return
        try:
            permission = "repositories.write" if service == "git-receive-pack" else "repositories.read"
            scope["taxiway.authorize"](permission, self._forge.owner(name))
            async with self._slots:
                if action == "info/refs":
                    await self._advertise(scope, send, name, service)
                elif service == "git-receive-pack":
                    await self._receive_pack(scope, receive, send, name)
                else:
                    await self._exchange(scope, receive, send, self._forge.path(name), "upload-pack")
        except TaxiwayError as error:
            status = next((code for kind, code in STATUS if isinstance(error, kind)), 503)
            await _answer(send, status, error.detail + "\n")

    async def _advertise(self, scope: dict[str, Any], send: Send, name: str, service: str) -> None:
        process = await self._start(scope, SERVICES[service], self._forge.path(name), "--advertise-refs")
        out, _ = await process.communicate()
        line = f"# service={service}\n".encode()
        # The service line is part of protocol versions 0 and 1 only; clients of version 2 accept it as well.
        body = f"{len(line) + 4:04x}".encode() + line + b"0000" + out
        await _answer(send, 200, body, f"application/x-{service}-advertisement")

    async def _receive_pack(self, scope: dict[str, Any], receive: Receive, send: Send, name: str) -> None:
        principal = scope["taxiway.principal"]
        path = await asyncio.to_thread(self._forge.writable_path, name)
        branches = await asyncio.to_thread(self._forge.branches, name)

        async def announce() -> None:
            await asyncio.to_thread(self._forge.announce, name, principal.subject)

        with self._forge.rules.guarding(self._forge.uid(name), name, branches) as guard:
            await self._exchange(scope, receive, send, path, "receive-pack", guard, announce)

    async def _exchange(
        self,
        scope: dict[str, Any],
        receive: Receive,
        send: Send,
        path: Path,
        service: str,
        guard: Guard = ((), {}),
        before_end: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        process = await self._start(scope, service, path, guard=guard)
        headers = dict(scope["headers"])
        body = _body(receive, headers.get(b"content-encoding") == b"gzip", self._settings)
        sent = Sent()
        feeder = asyncio.create_task(_feed(process, body, sent))
        limit = self._settings.max_push_bytes
        insertion = Insertion(_too_large(limit)) if service == "receive-pack" else None
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": 200,
                    "headers": [
                        (b"content-type", f"application/x-git-{service}-result".encode()),
                        (b"cache-control", b"no-cache"),
                    ],
                }
            )
            assert process.stdout is not None
            while chunk := await process.stdout.read(CHUNK):
                if insertion is not None and is_understood(sent.head):
                    chunk = insertion.feed(chunk, is_due=sent.size > limit)
                await asyncio.wait_for(
                    send({"type": "http.response.body", "body": chunk, "more_body": True}), self._settings.idle_seconds
                )
            await feeder
            if before_end is not None:  # who hears of the end finds everything done
                await process.wait()
                await before_end()
            await send({"type": "http.response.body", "body": b"" if insertion is None else insertion.end()})
            await process.wait()
        finally:
            feeder.cancel()
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()

    async def _start(
        self, scope: dict[str, Any], service: str, path: Path, *options: str, guard: Guard = ((), {})
    ) -> asyncio.subprocess.Process:
        protocol = dict(scope["headers"]).get(b"git-protocol", b"").decode("latin-1")
        extra = {"GIT_PROTOCOL": protocol} if re.fullmatch(r"[a-z0-9=:.]{1,100}", protocol) else {}
        # The limit as it is set now: the repository's own setting is from the day it was made.
        limit = f"receive.maxInputSize={self._settings.max_push_bytes}"
        return await asyncio.create_subprocess_exec(
            *("git", "-c", "safe.directory=*", "-c", limit, *guard[0], service, "--stateless-rpc", *options, str(path)),
            stdin=asyncio.subprocess.DEVNULL if options else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=git_environment({**extra, **guard[1]}),
            start_new_session=True,
        )


async def _body(receive: Receive, gzipped: bool, settings: GitLocalSettings) -> AsyncIterator[bytes]:
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16) if gzipped else None
    more = True
    while more:
        message = await asyncio.wait_for(receive(), settings.idle_seconds)
        if message["type"] == "http.disconnect":
            return
        chunk, more = message.get("body", b""), message.get("more_body", False)
        if inflate is None:
            yield chunk
            continue
        while chunk and not inflate.eof:  # it would keep whatever comes behind its end
            yield inflate.decompress(chunk, CHUNK)
            chunk = inflate.unconsumed_tail


@dataclass
class Sent:
    """What the client has sent so far: the size, and the beginning."""

    size: int = 0
    head: bytes = b""

    def add(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if len(self.head) < HEAD_BYTES:
            self.head += chunk[:HEAD_BYTES]


async def _feed(process: asyncio.subprocess.Process, body: AsyncIterator[bytes], sent: Sent) -> None:
    """Write the body into the process. When the process has ended, the rest is read and dropped, so that the client
    gets to read the answer that says why."""
    assert process.stdin is not None
    open_pipe = True
    try:
        async for chunk in body:
            sent.add(chunk)
            if open_pipe and chunk:
                try:
                    process.stdin.write(chunk)
                    await process.stdin.drain()
                except (BrokenPipeError, ConnectionResetError):
                    open_pipe = False
    except (TimeoutError, zlib.error):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    finally:
        with suppress(BrokenPipeError, ConnectionResetError):
            process.stdin.close()


def _too_large(limit: int) -> str:
    return (
        f"Taxiway takes at most {limit / (1 << 20):g} MiB in one push. Push fewer commits at a time, keep large files "
        "elsewhere, or have the limit raised: plugins.git_local.max_push_bytes in taxiway.yaml"
    )


async def _answer(send: Send, status: int, body: str | bytes, content_type: str = "text/plain; charset=utf-8") -> None:
    content = body.encode() if isinstance(body, str) else body
    headers = [
        (b"content-type", content_type.encode()),
        (b"cache-control", b"no-cache"),
        (b"content-length", str(len(content)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
