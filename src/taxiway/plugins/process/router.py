"""The HTTP router of the laptop: `python -I -S -E router.py DIR PORT`.

Standalone (standard library only), one per data folder, a daemon in a session of its own, so services answer while
Taxiway is down. It listens on 127.0.0.1:PORT only and forwards by Host header and path to workloads on 127.0.0.1, as
DIR/routes.json says. That file is replaced atomically by `routes.set_routes`, which sends SIGHUP; it is also looked at
twice a second and when a workload refuses a connection. DIR/lock is held for life: never two routers for a folder.

`http://router.localhost:PORT/healthz` tells the version of the table in use and the requests in flight per workload,
so that a switch knows when an old instance is drained; `/metrics` has counters per host. It keeps no connections to
workloads: on loopback they cost 50 µs, and none can go stale during a switch. It connects only where a process of the
workload itself listens (`owner`), never to a stranger that took the port meanwhile. Entries `port:<number>` of the
table make it listen on further ports: the stable addresses by which workloads reach each other.
"""
# The router must not pay for pathlib.
# ruff: noqa: PTH100, PTH110, PTH118, PTH120

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taxiway.plugins.process import answers, daemon, exchange, files, http1, owner, procs, table
else:
    # The router speaks no TLS; asyncio runs without it and 4 MB smaller.
    sys.modules["ssl"] = None
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import answers
    import daemon
    import exchange
    import files
    import http1
    import owner
    import procs
    import table

import asyncio
import json
import signal
from collections.abc import Callable

OWN_HOST = "router.localhost"
LOCKED_EXIT = 75
PORT_IN_USE_EXIT = 98
RELOAD_SECONDS = 0.5
KEEP_ALIVE_SECONDS = 75.0
HEAD_SECONDS = 15.0
CLIENTS = 2000
START = (
    "import sys; sys.modules['ssl'] = None; sys.path.insert(0, sys.argv[1]); import router; "
    "router.serve(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))"
)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Reader(asyncio.StreamReader):
    """Tells when a request begins, and when the client closed: an idle event stream must not hold its workload."""

    on_eof: Callable[[], None] | None = None
    on_data: Callable[[], None] | None = None

    def feed_data(self, data: Any) -> None:
        super().feed_data(data)
        if self.on_data is not None:
            self.on_data()

    def feed_eof(self) -> None:
        super().feed_eof()
        if self.on_eof is not None:
            self.on_eof()


class Router:
    """All clients of one listening socket."""

    def __init__(self, folder: str) -> None:
        self.table = table.Table(os.path.join(folder, "routes.json"))
        self.table.refresh()
        self.in_flight: dict[str, int] = {}
        self.counters: dict[str, answers.Counters] = {}
        self.clients: set[asyncio.Task[None]] = set()
        self.servers: dict[int, asyncio.Server] = {}
        self.changed = asyncio.Event()
        self.guard = owner.Guard()

    def protocol(self) -> asyncio.StreamReaderProtocol:
        """A protocol object for a new client."""
        return asyncio.StreamReaderProtocol(Reader(limit=http1.HEAD_BYTES), self.accept)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The life of a client's connection."""
        task = asyncio.current_task()
        if task is None or len(self.clients) >= CLIENTS:
            writer.close()
            return
        self.clients.add(task)
        try:
            while await self.one_request(reader, writer):
                pass
        except (OSError, http1.BadMessage):
            pass  # The client is gone or its stream is unusable after an answer was begun: nothing is left to say.
        finally:
            self.clients.discard(task)
            writer.close()

    async def one_request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; True when another may follow on this connection."""
        try:
            head = await self.next_head(reader)
            if head is None:
                return False
            length = http1.body_length(head, head.start[2] == b"HTTP/1.0")
            host, target = destination(head)
        except http1.BadMessage as error:
            return await answers.answer_problem(writer, error.status, "The request was refused", error.detail)
        except TimeoutError:
            return await answers.answer_problem(
                writer, 408, "The request came too slowly", "Send the header within 15 s."
            )
        port = int(writer.get_extra_info("sockname", ("", 0))[1])
        if port in self.servers:
            host = f"{table.PORT_HOST}{port}"
        if host == OWN_HOST:
            return await self.own_page(target, writer)
        client = str(writer.get_extra_info("peername", ("127.0.0.1",))[0])
        asked = exchange.Exchange(head, length, client, host)
        return await self.forward(asked, target, (reader, writer))

    async def next_head(self, reader: asyncio.StreamReader) -> http1.Head | None:
        """Wait for a request to begin (keep-alive), then for its whole header. TimeoutError for a slow one."""
        source: Any = reader
        loop = asyncio.get_running_loop()
        began = False
        try:
            async with asyncio.timeout(KEEP_ALIVE_SECONDS) as limit:

                def begin() -> None:
                    nonlocal began
                    if not began:
                        began = True
                        limit.reschedule(loop.time() + HEAD_SECONDS)

                source.on_data = begin
                head = await http1.read_head(reader)
        except TimeoutError:
            if began:
                raise
            return None
        finally:
            source.on_data = None
        if head is not None and head.start[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
            raise http1.BadMessage("only HTTP/1.1 and HTTP/1.0 are understood", 505)
        return head

    async def forward(self, asked: exchange.Exchange, target: str, client: Streams) -> bool:
        """Pass a request to its workload, with the errors that the client shall see."""
        route = self.table.find(asked.host, target)
        if route is None:
            detail = f"No service answers for {asked.host}. Check the address, or deploy the service first."
            return await answers.answer_problem(client[1], 404, "Unknown service", detail)
        counters = self.counters.setdefault(asked.host, answers.Counters())
        counters.requests += 1
        try:
            await self.relay(asked, route, target, client)
        except exchange.UpstreamError as error:
            return await self.failed(asked, client[1], error.status, f"{asked.host}: {error.detail}.")
        except http1.BadMessage as error:
            return await self.failed(asked, client[1], error.status, error.detail)
        except TimeoutError:
            return await self.failed(asked, client[1], 408, "No data came for 60 s. Send the request again.")
        finally:
            counters.errors += asked.status >= 500 or asked.status == 0
            counters.bytes_in += asked.bytes_in
            counters.bytes_out += asked.bytes_out
        return asked.keep

    async def failed(self, asked: exchange.Exchange, writer: asyncio.StreamWriter, status: int, detail: str) -> bool:
        """Answer with a problem when nothing was answered yet; else cut the connection, so that the cut is seen."""
        if asked.is_answered:
            writer.transport.abort()
            return False
        asked.status = status
        title = "The service did not answer" if status >= 500 else "The request was refused"
        return await answers.answer_problem(writer, status, title, detail)

    async def relay(self, asked: exchange.Exchange, route: table.Route, target: str, client: Streams) -> None:
        """Connect (once more on the fresh table when refused) and run the exchange, counted as in flight."""
        # No await stands between the lookup and the count: a new table is in use only with correct counts.
        self.count(route, 1)
        try:
            try:
                upstream = await self.connect(route)
            except OSError as error:
                self.table.refresh()
                fresh = self.table.find(asked.host, target)
                if fresh is None:
                    raise exchange.UpstreamError("the service was removed") from error
                self.count(route, -1)
                route = fresh
                self.count(route, 1)
                upstream = await self.connect_again(route)
            await self.run(asked, client, upstream)
        finally:
            self.count(route, -1)

    async def connect(self, route: table.Route) -> Streams:
        """A fresh connection to a workload; OSError (TimeoutError included) when it does not listen itself."""
        if not self.guard.allows(route.folder, route.port):
            raise ConnectionRefusedError("the workload does not listen on its port")
        async with asyncio.timeout(exchange.CONNECT_SECONDS):
            return await asyncio.open_connection("127.0.0.1", route.port, limit=http1.HEAD_BYTES)

    async def connect_again(self, route: table.Route) -> Streams:
        try:
            return await self.connect(route)
        except OSError as error:
            detail = "its process does not accept connections; see its logs, or try again when it restarted"
            raise exchange.UpstreamError(detail) from error

    async def run(self, asked: exchange.Exchange, client: Streams, upstream: Streams) -> None:
        """Run the exchange, ended when the client closes after its whole request was sent."""
        task = asyncio.create_task(asked.run(client, upstream))
        reader: Any = client[0]

        def client_closed() -> None:
            if asked.is_sent and asked.status != 101:
                task.cancel()

        reader.on_eof = client_closed
        try:
            await task
        except asyncio.CancelledError:
            if not task.cancelled():
                raise
            asked.status = asked.status or 499
            raise ConnectionResetError("the client closed the connection") from None
        finally:
            reader.on_eof = None
            task.cancel()
            upstream[1].close()

    async def listen_further(self) -> None:
        """Open and close the ports that the table names. One that is taken is tried again at the next look."""
        wanted = self.table.ports()
        for port in self.servers.keys() - wanted:
            self.servers.pop(port).close()
        for port in wanted - self.servers.keys():
            try:
                self.servers[port] = await asyncio.get_running_loop().create_server(
                    self.protocol, "127.0.0.1", port, backlog=512
                )
            except OSError as error:
                self.table.problem = f"port {port} of a service cannot be opened: {error.strerror}"

    def reload(self) -> None:
        """The table was replaced: use it now."""
        self.table.refresh()
        self.changed.set()

    def count(self, route: table.Route, change: int) -> None:
        left = self.in_flight.get(route.upstream, 0) + change
        if left:
            self.in_flight[route.upstream] = left
        else:
            self.in_flight.pop(route.upstream, None)

    async def own_page(self, target: str, writer: asyncio.StreamWriter) -> bool:
        """Health and metrics of the router itself."""
        if target == "/healthz":
            health = {
                "status": "ok" if not self.table.problem else "degraded",
                "pid": os.getpid(),
                "version": self.table.version,
                "problem": self.table.problem,
                "in_flight": self.in_flight,
            }
            return await answers.answer(writer, 200, b"application/json", json.dumps(health).encode())
        if target == "/metrics":
            return await answers.answer(
                writer, 200, b"text/plain; version=0.0.4", answers.metrics_text(self.counters).encode()
            )
        return await answers.answer_problem(writer, 404, "Unknown page", "The router has /healthz and /metrics.")


def destination(head: http1.Head) -> tuple[str, str]:
    """(host without port in lower case, target in origin form) of a request; the head's target is put in that form."""
    method, target, version = head.start
    hosts = head.all(b"host")
    if not http1.TOKEN.issuperset(method) or method == b"CONNECT":
        raise http1.BadMessage("the method is not supported", 501)
    if len(hosts) > 1 or (not hosts and version == b"HTTP/1.1"):
        raise http1.BadMessage("exactly one Host header is needed")
    host = hosts[0] if hosts else b""
    if target.lower().startswith(b"http://"):
        host, slash, rest = target[7:].partition(b"/")
        target = slash + rest or b"/"
        head.headers[:] = [pair for pair in head.headers if pair[0].lower() != b"host"] + [(b"Host", host)]
        head.start = (method, target, version)
    if not target.startswith(b"/") and not (target == b"*" and method == b"OPTIONS"):
        raise http1.BadMessage("the request target is malformed")
    name = host.rsplit(b":", 1)[0] if b":" in host else host
    if not http1.TOKEN.issuperset(name):
        raise http1.BadMessage("the Host header is malformed")
    return name.decode("latin-1").lower().rstrip("."), target.decode("latin-1")


async def listen(folder: str, port: int, ready: int) -> None:
    """Serve until SIGTERM. Writes DIR/router.json once it listens, then `ready` gets a byte."""
    router = Router(folder)
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()

    def stop() -> None:
        stopped.set()
        router.changed.set()

    loop.add_signal_handler(signal.SIGTERM, stop)
    loop.add_signal_handler(signal.SIGHUP, router.reload)
    try:
        server = await loop.create_server(router.protocol, "127.0.0.1", port, backlog=512)
    except OSError as error:
        os.write(ready, f"port {port}: {error.strerror}".encode())
        sys.exit(PORT_IN_USE_EXIT)
    found = procs.process(os.getpid())
    state = {
        "pid": os.getpid(),
        "start_ticks": found.start_ticks if found else None,
        "port": server.sockets[0].getsockname()[1],
    }
    files.write_json(os.path.join(folder, "router.json"), state, 0o644)
    os.write(ready, b"ok")
    os.close(ready)
    # Without its folder nobody could ever find or stop this router again.
    while not stopped.is_set() and os.path.exists(os.path.join(folder, "lock")):
        router.changed.clear()
        router.table.refresh()
        await router.listen_further()
        try:
            async with asyncio.timeout(RELOAD_SECONDS):
                await router.changed.wait()
        except TimeoutError:
            continue
    for one in (server, *router.servers.values()):
        one.close()
    if router.clients:
        await asyncio.wait(router.clients, timeout=3)


def serve(folder: str, port: int, ready: int) -> None:
    """The daemon's life. `ready` is the pipe to the one who started it."""
    lock = files.try_lock(os.path.join(folder, "lock"))
    if lock is None:
        os.write(ready, b"locked")
        sys.exit(LOCKED_EXIT)
    found = procs.process(os.getpid())
    files.write_holder(lock, os.getpid(), found.start_ticks if found else 0)
    raise_file_limit()
    asyncio.run(listen(folder, port, ready))


def raise_file_limit() -> None:
    """Two descriptors per request in flight, so take what the system allows."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536) if hard > 0 else 65_536, hard))


def daemonize(folder: str, port: int) -> int:
    """Leave a daemon behind; prints what went wrong. Exit code: 0 it listens, 75 there is one, 98 port taken."""
    folder = os.path.abspath(folder)
    reader, writer = os.pipe()
    if os.fork():
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            said = pipe.read(4096).decode()
        if said in ("ok", "locked"):
            return 0 if said == "ok" else LOCKED_EXIT
        print(said or f"see {folder}/router.log", file=sys.stderr, flush=True)
        return PORT_IN_USE_EXIT if said else 1
    daemon.detach(folder, "router.log")
    os.set_inheritable(writer, True)
    here = os.path.dirname(os.path.abspath(__file__))
    arguments = ["-I", "-S", "-E", "-c", START, here, folder, str(port), str(writer)]
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606 - no shell is wanted
    return 1


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: router.py DIR PORT")
    os._exit(daemonize(sys.argv[1], int(sys.argv[2])))
