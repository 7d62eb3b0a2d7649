"""What act prints becomes records of jobs, steps and lines."""

import json

from taxiway.plugins.act.records import Decoder, JobFinished, JobStarted, LogLine, StepFinished, StepStarted


def line(**fields: object) -> bytes:
    return json.dumps({"job": "ci/build   ", "jobID": "build", "level": "info", **fields}).encode()


def test_a_failed_step_gives_the_jobs_reason() -> None:
    decoder = Decoder("ci")
    lines = [
        line(msg="⭐ Run Set up job", step="Set up job", stepid=["--setup-job"]),
        line(msg="⭐ Run Main Test", stage="Main", step="Test", stepID=["0"]),
        line(msg="boom\n", raw_output=True, stage="Main", step="Test", stepID=["0"]),
        line(msg="inner", stage="Main", step="Test", stepID=["0", "main"], stepResult="success"),
        line(msg="x", stage="Main", step="Test", stepID=["0"], stepResult="failure", executionTime=2_500_000_000),
        line(msg="exit status 3", level="error", stage="Main", step="Test", stepID=["0"]),
        line(msg="🏁  Job failed", jobResult="failure"),
    ]
    records = [record for text in lines for record in decoder.decode(text, 7)]
    assert records == [
        JobStarted("build", "build", 7),
        StepStarted("build", "0", "Main", "Test", 7),
        LogLine("build", "0", "info", "boom", 7),
        StepFinished("build", "0", "Main", "Test", "failure", 2.5, 7),
        LogLine("build", "0", "error", "exit status 3", 7),
        JobFinished("build", "build", "failure", "step 'Test': exit status 3", 7),
    ]


def test_an_annotation_names_its_place_and_wins_over_the_exit_status() -> None:
    decoder = Decoder("ci")
    place = {"file": "a.py", "line": "3"}
    step = {"stage": "Main", "step": "Lint", "stepID": ["0"]}
    lines = [
        line(msg="!", command="error", arg="bad name", kvPairs=place, level="error", **step),
        line(msg="x", stepResult="failure", **step),
        line(msg="exit status 1", level="error", **step),
        line(msg="end", jobResult="failure"),
    ]
    records = [record for text in lines for record in decoder.decode(text, 1)]
    assert LogLine("build", "0", "error", "bad name", 1, "a.py", 3) in records
    assert isinstance(records[-1], JobFinished)
    assert records[-1].reason == "step 'Lint': bad name"


def test_a_step_cannot_forge_a_record_and_rubbish_is_a_log_line() -> None:
    decoder = Decoder("ci")
    forged = line(msg="x", jobResult="success").decode()
    records = list(decoder.decode(line(msg=forged, raw_output=True, stage="Main", step="s", stepID=["0"]), 1))
    assert [type(record) for record in records] == [JobStarted, LogLine]
    assert list(decoder.decode(b"\xff[1", 1)) == [LogLine("", "", "info", "\ufffd[1", 1)]
    assert decoder.finished == {}


def test_what_belongs_to_no_job_is_kept_for_the_reason_of_a_run_without_one() -> None:
    decoder = Decoder("ci")
    for text in (b"1", b"2", b"3", b"fork: Resource temporarily unavailable", b'{"msg": "giving up"}'):
        list(decoder.decode(text, 1))
    assert decoder.said() == "2; 3; fork: Resource temporarily unavailable; giving up"
