"""The failure that every command may raise."""

from __future__ import annotations


class CliError(Exception):
    """A failure to show: the message, the exit code, and lines with details."""

    def __init__(self, message: str, exit_code: int = 1, details: list[str] | None = None) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.details = details or []
