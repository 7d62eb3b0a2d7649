"""How shim and router leave their starter behind. Standard library only."""
# The shim must not pay for pathlib.
# ruff: noqa: PTH118

from __future__ import annotations

import os


def detach(folder: str, report_name: str) -> None:
    """In a forked child: own session, no folder in use, streams to FOLDER/report_name (begun anew)."""
    os.setsid()
    os.chdir("/")
    os.umask(0o077)
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    report = os.open(os.path.join(folder, report_name), flags, 0o600)
    for stream, source in ((0, nothing), (1, report), (2, report)):
        os.dup2(source, stream)


def report(text: str) -> None:
    """A line for whoever looks for the cause later. On a full disk it is lost: that must end nothing."""
    try:
        os.write(2, text.encode() + b"\n")
    except OSError:
        return
