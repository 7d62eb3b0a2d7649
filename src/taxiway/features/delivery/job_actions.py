"""The scaffolder action `job:run`: starts a scheduled workload now and waits for its end, holding no thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taxiway.core.context import Platform
from taxiway.features.delivery.engines import op_context
from taxiway.features.delivery.environment_actions import EnvironmentAction
from taxiway.features.environments.service import jobs
from taxiway.model.errors import ConflictError, InternalError
from taxiway.plugin import StepContext

TEXT = {"type": "string"}
LOOK_SECONDS = 1.0
LOG_LINES = 500
Values = Mapping[str, Any]


def job_action(platform: Platform) -> EnvironmentAction:
    """The action. What a job did outside cannot be taken back, so undo leaves it."""
    return EnvironmentAction(
        "job:run",
        "Run a scheduled workload now and wait until its job has succeeded",
        lambda ctx, values: _run(platform, ctx, values),
        {
            "type": "object",
            "required": ["entityRef", "environment"],
            "properties": {
                "entityRef": {**TEXT, "title": "The workload's entity reference"},
                "environment": {**TEXT, "title": "Name of the environment"},
            },
        },
        {
            "type": "object",
            "properties": {
                "job": TEXT,
                "state": TEXT,
                "exitCode": {"type": "integer"},
                "attempts": {"type": "integer"},
            },
        },
    )


def _run(platform: Platform, ctx: StepContext, values: Values) -> Values:
    op = op_context(platform, ctx)

    def begin() -> str:
        key = f"{ctx.idempotency_key}:{ctx.attempt}"
        return jobs.run_job(op, values["entityRef"], values["environment"], key)[1].id

    job_id = ctx.checkpoint(f"job:{ctx.attempt}", begin)
    runner, job = jobs.get_job(op, job_id)
    if job.state not in ("succeeded", "failed"):
        ctx.wait_for(f"job:{job_id}", LOOK_SECONDS)
        raise InternalError("waiting for a topic returned")
    for line in runner.logs(job_id, 0, LOG_LINES):
        ctx.log(line.text, "stdout")
    if job.state == "failed":
        raise ConflictError(f"the job {job_id} failed: {job.message}. Correct the workload and push again")
    return {"job": job_id, "state": job.state, "exitCode": job.exit_code, "attempts": job.attempts}
