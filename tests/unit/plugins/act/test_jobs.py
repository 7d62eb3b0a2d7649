"""Records of a run become jobs and steps with states and ids that stay."""

from taxiway.plugins.act.jobs import Jobs
from taxiway.plugins.act.log import RunLog
from taxiway.plugins.act.records import JobFinished, JobStarted, LogLine, Record, StepFinished, StepStarted
from taxiway.plugins.act.workflow import parse

WORKFLOW = parse(
    b"""
on: push
jobs:
  build:
    name: Build it
    steps: [{uses: actions/checkout@v4}, {id: t, name: Test, run: pytest}, {run: "late"}]
  matrix:
    strategy: {matrix: {os: [a, b]}}
    steps: [{run: x}]
  after: {needs: build, steps: [{run: y}]}
""",
    "ci.yml",
)


def states(jobs: Jobs) -> list[tuple[str, str, str, list[tuple[str, str]]]]:
    return [(job.id, job.name, job.state, [(step.name, step.state) for step in job.steps]) for job in jobs.all()]


def test_jobs_are_pending_from_the_start_in_the_order_of_the_workflow() -> None:
    assert states(Jobs(WORKFLOW)) == [
        (
            "build",
            "Build it",
            "pending",
            [("actions/checkout@v4", "pending"), ("Test", "pending"), ("late", "pending")],
        ),
        ("matrix", "matrix", "pending", [("x", "pending")]),
        ("after", "after", "pending", [("y", "pending")]),
    ]


def test_a_failed_step_ends_its_job_and_skips_what_is_left() -> None:
    jobs = Jobs(WORKFLOW)
    records: list[Record] = [
        JobStarted("Build it", "build", 1_000_000),
        StepStarted("Build it", "0", "Pre", "Check out", 1_000_000),
        StepStarted("Build it", "0", "Main", "Check out", 1_000_000),
        StepFinished("Build it", "0", "Main", "Check out", "success", 1.0, 2_000_000),
        StepStarted("Build it", "t", "Main", "Test", 2_000_000),
        StepFinished("Build it", "t", "Main", "Test", "failure", 1.0, 3_000_000),
        JobFinished("Build it", "build", "failure", "step 'Test': exit status 1", 4_000_000),
        JobStarted("matrix-1", "matrix", 1_000_000),
        JobStarted("matrix-2", "matrix", 1_000_000),
        StepStarted("matrix-2", "0", "Main", "x", 1_000_000),
        JobFinished("matrix-1", "matrix", "success", "", 5_000_000),
        JobFinished("matrix-2", "matrix", "cancelled", "cancelled", 5_000_000),
        JobFinished("after", "after", "skipped", "its `needs` did not succeed", 5_000_000),
    ]
    changed = [jobs.add(record) for record in records]
    assert changed == [True, False, *[True] * 11]
    assert states(jobs) == [
        ("build", "Build it", "failed", [("Check out", "succeeded"), ("Test", "failed"), ("late", "skipped")]),
        ("matrix-1", "matrix-1", "succeeded", [("x", "skipped")]),
        ("matrix-2", "matrix-2", "cancelled", [("x", "cancelled")]),
        ("after", "after", "skipped", [("y", "skipped")]),
    ]
    build, *_, after = jobs.all()
    assert (build.reason, build.started_at, build.ended_at) == ("step 'Test': exit status 1", 1_000_000, 4_000_000)
    assert (build.steps[1].started_at, build.steps[1].ended_at) == (2_000_000, 3_000_000)
    assert (after.started_at, after.ended_at) == (None, None)


def test_lines_name_their_job_and_are_bounded() -> None:
    lines: list[tuple[str, str]] = []
    log = RunLog(lambda text, stream: lines.append((text, stream)), 4)
    log.add(LogLine("build", "0", "info", "hello", 1))
    log.add(LogLine("build", "0", "error", "bad name", 1, "a.py", 3))
    for _ in range(5):
        log.add(LogLine("", "", "info", "more", 1))
    assert lines == [
        ("[build] hello", "stdout"),
        ("[build] error: a.py:3: bad name", "stderr"),
        ("more", "stdout"),
        ("More than 4 lines: the rest is not kept.", "stderr"),
    ]
