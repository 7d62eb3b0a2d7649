"""The job: what is to be done, in batches. Replace `due_work` and `do` with your own.

A run may be ended at any moment and started again, so each batch must be safe to do twice: remember what was done where
the work is, in the same transaction.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .settings import Settings

log = logging.getLogger(__name__)
Batch = Sequence[int]


@dataclass
class Stop:
    """Whether somebody asked the job to end."""

    asked: bool = False


class Interrupted(Exception):  # noqa: N818 - it is no error of the job
    """The job was asked to end before its work was done; `done` is how much of it was."""

    def __init__(self, done: int) -> None:
        super().__init__(f"asked to end after {done} items")
        self.done = done


def run(settings: Settings, stop: Stop) -> int:
    """Do what is due; how many items were done. Raises Interrupted between two batches when asked to stop."""
    done = 0
    for batch in due_work(settings):
        if stop.asked:
            raise Interrupted(done)
        do(batch)
        done += len(batch)
        log.info("batch done", extra={"done": done})
    return done


def due_work(settings: Settings) -> Iterator[Batch]:
    """What is due now, in batches. The example counts: a real job reads a queue or a table."""
    numbers = range(settings.items)
    for start in range(0, len(numbers), settings.batch_size):
        yield numbers[start : start + settings.batch_size]


def do(batch: Batch) -> None:
    """Do one batch. What it raises fails the run, which is then tried again."""
    log.debug("adding up", extra={"sum": sum(batch)})
