"""The runs of the platform, as features see them. The engine behind it is in this folder's other modules."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from taxiway.core.runs.handler import RunHandler
from taxiway.core.runs.schedules import Schedules
from taxiway.core.store.database import Tx
from taxiway.kit.paging import Page
from taxiway.model.access import Principal, Scope
from taxiway.model.errors import Changed
from taxiway.model.run import Run, RunSpec
from taxiway.model.workload import LogLine

if TYPE_CHECKING:
    from taxiway.core.context import OpContext
    from taxiway.core.runs.follow import Follower


class Runs(Protocol):
    """Start, watch and steer runs."""

    schedules: Schedules
    """Work that repeats; features register theirs when the platform is assembled."""

    def register(self, kind: str, handler: RunHandler) -> None:
        """Add the handler of a kind, when the platform is assembled."""
        ...

    def start(self, tx: Tx, principal: Principal, spec: RunSpec) -> str:
        """Insert the run in the caller's transaction; a worker takes it after the commit. Returns the run's id.

        With a `request_key` that was used before within the kind, the id of that run is returned and nothing starts.
        """
        ...

    def get(self, run_id: str) -> Run:
        """The run with its steps. NotFoundError when there is none."""
        ...

    def head(self, run_id: str) -> Run:
        """Like `get`, without the steps."""
        ...

    def list(self, scope: Scope, *, filters: Mapping[str, Any], limit: int, cursor: str | None) -> Page[Run]:
        """Newest first, without steps. Filters: state, kind, subject, parent_id, created_by."""
        ...

    def waiting_for_approval(self, limit: int, before: str | None = None) -> Sequence[Run]:
        """Runs that wait for an approval, newest first, with their steps; those that were made `before` a run."""
        ...

    def search_logs(
        self, scope: Scope, text: str, *, filters: Mapping[str, Any], limit: int, cursor: str | None
    ) -> Page[tuple[Mapping[str, Any], str, LogLine]]:
        """(run_id, title, kind, state and subject of the run; step id; line) of the lines that hold `text`, newest run
        first. A page may be empty and not be the last: only so many runs are looked through for one."""
        ...

    def logs(self, run_id: str, *, step: str | None, after: int, limit: int) -> Sequence[tuple[str, LogLine]]:
        """(step id, line) behind `after`, in order."""
        ...

    def cancel(self, ctx: OpContext, run_id: str) -> Run:
        """Cancel it and its child runs. What a worker works on becomes `cancelling` first.

        This and the other operations raise ConflictError in the wrong state. The caller has authorized them.
        """
        ...

    def retry(self, ctx: OpContext, run_id: str) -> Run:
        """Go on from the first step that did not succeed, in a new segment; steps behind it start afresh."""
        ...

    def resume(self, ctx: OpContext, run_id: str) -> Run:
        """Answer `needs_attention`: the interrupted step is taken as not done and runs again."""
        ...

    def undo(self, ctx: OpContext, run_id: str, confirmed: Collection[str] = ()) -> Run:
        """Take back what the steps created, last step first. ChangedSinceError, and nothing is taken back, while what
        others changed since is not `confirmed` by name."""
        ...

    def changed_since(self, run_id: str) -> Sequence[Changed]:
        """What would have to be confirmed by name to undo the run. ConflictError when undo would be refused anyhow."""
        ...

    def decide(self, ctx: OpContext, run_id: str, decision: str, comment: str) -> Run:
        """Answer a run whose step called `ctx.wait_for("approval", None)`: `approved` or `rejected`.

        The approver must be another than the run's creator."""
        ...

    def signal(self, ctx: OpContext, run_id: str, name: str, data: Mapping[str, Any]) -> Run:
        """Tell a run what it waits for by `ctx.wait_for("signal:<name>", …)`. ConflictError when it does not wait for
        it (yet): send it again."""
        ...

    def follow(self, run_id: str, after: int = 0) -> Follower:
        """The run as it stands, then log lines behind `after` and changes as they come, until it ended.

        Iterate it in a thread, or with `async for` in an event loop.
        """
        ...

    def wake(self, tx: Tx, topic: str) -> int:
        """Queue every run that waits for `topic`; returns how many."""
        ...
