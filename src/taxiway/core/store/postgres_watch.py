"""One question to PostgreSQL that the event loop may ask: it has its answer within milliseconds, or none.

Used by `watch`. The connection is its own. It is opened, and each statement prepared, in a thread of its own; what a
server that hangs still owes is taken when it comes, and until then nothing else is asked.
"""

from __future__ import annotations

import threading
import time
from select import POLLIN, poll
from typing import Any

from sqlalchemy import URL

WAIT_SECONDS = 0.05
"""So long the caller waits for an answer; on a server that is well it takes a fifth of a millisecond."""
AGAIN_SECONDS = 2.0
"""After a failure, before another connection is tried."""
CONNECT_SECONDS = 10


class PostgresQuestion:
    """Statements without parameters that answer one whole number. For one caller at a time."""

    def __init__(self, url: URL) -> None:
        self._conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection: Any = None
        self._names: dict[str, bytes] = {}
        self._is_owed = False
        self._opening: threading.Thread | None = None
        self._not_before = 0.0

    def ask(self, statement: str) -> int | None:
        """The answer; None when there is none yet, whatever the reason."""
        if self._opening is not None and self._opening.is_alive():
            return None
        name = self._names.get(statement)
        if self._connection is None or name is None:
            self._prepare_aside(statement)
            return None
        try:
            return self._asked(name)
        except Exception:  # whatever the driver says: the declared way explains it, with a connection of its own
            self.close()
            self._not_before = time.monotonic() + AGAIN_SECONDS
            return None

    def close(self) -> None:
        """Close the connection; a later question opens another one."""
        if self._opening is not None and self._opening is not threading.current_thread():
            self._opening.join(CONNECT_SECONDS)  # else it would leave one behind
        connection, self._connection = self._connection, None
        self._names, self._is_owed = {}, False
        if connection is not None:
            connection.close()

    def _asked(self, name: bytes) -> int | None:
        driver = self._connection.pgconn
        if self._is_owed and self._answer(driver, 0) is None:
            return None
        driver.send_query_prepared(name, None)
        driver.flush()
        self._is_owed = True
        return self._answer(driver, WAIT_SECONDS)

    def _answer(self, driver: Any, seconds: float) -> int | None:
        end, answer, arrival = time.monotonic() + seconds, None, poll()
        arrival.register(driver.socket, POLLIN)
        while True:
            while not driver.is_busy():
                result = driver.get_result()
                if result is None:
                    self._is_owed = False
                    return answer
                answer = int(result.get_value(0, 0))
            if not arrival.poll(1000 * max(0.0, end - time.monotonic())):
                return None
            driver.consume_input()

    def _prepare_aside(self, statement: str) -> None:
        if time.monotonic() >= self._not_before:
            self._opening = threading.Thread(target=self._prepare, args=(statement,), name="commit-watch", daemon=True)
            self._opening.start()

    def _prepare(self, statement: str) -> None:
        import psycopg

        try:
            if self._connection is None:
                self._connection = psycopg.connect(self._conninfo, autocommit=True, connect_timeout=CONNECT_SECONDS)
            name = f"look_{len(self._names)}".encode()
            self._connection.pgconn.prepare(name, statement.encode())
            self._names[statement] = name
        except psycopg.Error:
            self.close()
            self._not_before = time.monotonic() + AGAIN_SECONDS
