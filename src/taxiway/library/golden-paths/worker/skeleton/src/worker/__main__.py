"""The console command: read settings, wire logs, run the job once. The exit code says how it went."""

import logging
import signal
import sys
import time
from types import FrameType

from .job import Interrupted, Stop, run
from .logs import configure_logging
from .settings import SettingsError, load_settings

log = logging.getLogger(__name__)
WRONG_SETTINGS, FAILED, INTERRUPTED = 2, 1, 143


def main() -> None:
    began = time.monotonic()
    try:
        settings = load_settings()
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - logs are not configured yet
        sys.exit(WRONG_SETTINGS)
    configure_logging(settings.log_level)
    stop = Stop()

    def ask(number: int, frame: FrameType | None) -> None:
        stop.asked = True

    # The time is over or the machine goes down: the batch under way is finished, the next run does the rest.
    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    log.info("job started", extra={"batch_size": settings.batch_size})
    try:
        done = run(settings, stop)
    except Interrupted as error:
        log.warning("job interrupted", extra={"done": error.done})
        sys.exit(INTERRUPTED)
    except Exception:
        log.exception("job failed")
        sys.exit(FAILED)
    log.info("job finished", extra={"done": done, "seconds": round(time.monotonic() - began, 3)})


if __name__ == "__main__":
    main()
