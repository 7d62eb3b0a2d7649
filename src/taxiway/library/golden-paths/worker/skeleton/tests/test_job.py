import pytest

from worker import job
from worker.job import Batch, Interrupted, Stop, run
from worker.settings import Settings


def test_everything_that_is_due_is_done_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[Batch] = []
    monkeypatch.setattr(job, "do", batches.append)
    assert run(Settings(items=250, batch_size=100), Stop()) == 250
    assert [len(batch) for batch in batches] == [100, 100, 50]


def test_it_ends_between_two_batches_when_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = Stop()

    def do(batch: Batch) -> None:
        stop.asked = True

    monkeypatch.setattr(job, "do", do)
    with pytest.raises(Interrupted) as caught:
        run(Settings(items=250, batch_size=100), stop)
    assert caught.value.done == 100


def test_nothing_due_is_no_failure() -> None:
    assert run(Settings(items=0), Stop()) == 0
