"""Webhooks of other systems: they are checked by the plugin of their source, and lead to a run that reads what changed.

Whoever calls is nobody to us. What is wrong with a call is told in one sentence that does not say which sources exist.
"""

from __future__ import annotations

from collections.abc import Mapping

from taxiway.core.context import Platform
from taxiway.features.catalog.service.configured import named, opened, start_reading
from taxiway.model.errors import NotAllowedError, TaxiwayError
from taxiway.plugin import HookedSource, HookRequest

MAX_BODY = 5_000_000


def receive(platform: Platform, name: str, headers: Mapping[str, str], body: bytes) -> str | None:
    """Take a webhook in. The run that it set off, or None when it is of no interest. NotAllowedError when it is not
    signed with the source's secret."""
    refused = NotAllowedError(
        "this webhook was not accepted: check its address, and that its secret is the one of the source's settings",
        code="catalog.hook_refused",
    )
    if len(body) > MAX_BODY:
        raise refused
    try:
        settings = named(platform, name)
        source, options = opened(platform, settings)
        if not isinstance(source, HookedSource):
            raise refused
        hints = source.receive(HookRequest(name, options, headers, body))
    except TaxiwayError as error:
        platform.log.warning("catalog.hook_refused", source=name, problem=error.detail)
        raise refused from error
    if not hints:
        return None
    return start_reading(platform.system(f"hook-{name}"), settings, hints, changed=True)
