"""What the platform relies on: exit codes, logs, settings."""

import json
import os
import signal
import subprocess
import sys

import pytest

from worker.settings import SettingsError, load_settings


def start(**environ: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "worker"]
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": "src", **environ}
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603 - our own program


def test_a_good_run_ends_with_0_and_says_what_it_did() -> None:
    with start(ITEMS="250") as running:
        out, _ = running.communicate(timeout=30)
    lines = [json.loads(line) for line in out.splitlines()]
    assert running.returncode == 0
    assert (lines[0]["message"], lines[-1]["message"], lines[-1]["done"]) == ("job started", "job finished", 250)


def test_sigterm_ends_it_after_the_batch_under_way_and_not_well() -> None:
    with start(ITEMS="1000000000", BATCH_SIZE="10000") as running:
        assert running.stdout is not None
        assert "job started" in running.stdout.readline()
        running.send_signal(signal.SIGTERM)
        out, _ = running.communicate(timeout=30)
    assert running.returncode == 143
    assert json.loads(out.splitlines()[-1])["message"] == "job interrupted"


def test_wrong_settings_end_it_at_once_and_are_named() -> None:
    with start(BATCH_SIZE="0", LOG_LEVEL="loud") as running:
        _, errors = running.communicate(timeout=30)
    assert running.returncode == 2
    assert "BATCH_SIZE" in errors
    assert "LOG_LEVEL" in errors


def test_settings_have_defaults() -> None:
    assert load_settings({}).batch_size == 100
    with pytest.raises(SettingsError, match="ITEMS"):
        load_settings({"ITEMS": "-1"})
