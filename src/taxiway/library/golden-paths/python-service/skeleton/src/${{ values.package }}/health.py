"""Liveness says the process runs; readiness says it should get traffic."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import PlainTextResponse

log = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)

CHECK_TIMEOUT_SECONDS = 2.0


async def always_ready() -> None:
    """The check of a service that depends on nothing."""


@dataclass
class Health:
    """Shared between the server, which starts the drain, and the readiness probe, which reports it."""

    draining: bool = False
    check: Callable[[], Awaitable[None]] = always_ready


@router.get("/healthz", response_class=PlainTextResponse)
async def live() -> str:
    return "ok"


@router.get("/readyz", response_class=PlainTextResponse)
async def ready(request: Request) -> str:
    health: Health = request.app.state.health
    if health.draining:
        raise HTTPException(503, "Shutting down.")
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
            await health.check()
    except Exception as error:
        log.warning("not ready", extra={"reason": repr(error)})
        raise HTTPException(503, "A dependency does not answer; the log says which.") from error
    return "ready"
