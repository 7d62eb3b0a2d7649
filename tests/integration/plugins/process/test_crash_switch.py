"""A switch killed at random moments ends with exactly one process set and loses no request."""

import runpy
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration
ROUNDS = 8


def test_a_switch_killed_at_random_moments_ends_with_one_process_set(tmp_path: Path) -> None:
    script = runpy.run_path(str(Path(__file__).with_name("crash_switch.py")))
    result = script["run_rounds"](tmp_path, ROUNDS, seed=3)
    assert result["killed_in_the_middle"] >= ROUNDS // 2
    assert result["requests"] > 50
