"""Untrusted programs on this host, without a container: limits, a user of their own, and an end that nothing survives.

For pipelines and for commands of golden paths. Linux.
"""

from taxiway.plugin.confined.command import Command, Ended, run_command
from taxiway.plugin.confined.limits import SYSTEM_PATH, Limits, User, limited

__all__ = ["SYSTEM_PATH", "Command", "Ended", "Limits", "User", "limited", "run_command"]
