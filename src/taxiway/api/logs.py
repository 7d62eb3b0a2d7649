"""Structured logs on stderr: text on a terminal, JSON elsewhere. Values that look like our secrets are blanked."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import orjson
import structlog

from taxiway.core.settings import TelemetrySettings

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_SECRET = re.compile(r"txw_[A-Za-z0-9_-]{20,}|(?<=://)[^/@\s:]+:[^/@\s]+(?=@)")


class _Forgiving:
    """A stream that loses lines rather than fail those who write them: it may be a file on a disk that is full."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()


def configure_logs(settings: TelemetrySettings) -> None:
    """Set up structlog for this process. Called once by `serve` and by a worker's start."""
    is_text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    renderer: Any = (
        structlog.dev.ConsoleRenderer(
            # Plain tracebacks: the pretty ones print the values of variables, secrets among them.
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,
        )
        if is_text
        else structlog.processors.JSONRenderer(serializer=lambda value, **_: orjson.dumps(value, default=str).decode())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS.get(settings.log_level, 20)),
        logger_factory=structlog.PrintLoggerFactory(_Forgiving(sys.stderr)),  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )


def plugin_logger(name: str) -> Any:
    """The log of the plugin `name`."""
    return structlog.get_logger("taxiway").bind(plugin=name)


def _redact(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in fields.items():
        if isinstance(value, str) and _SECRET.search(value):
            fields[key] = _SECRET.sub("********", value)
    return fields
