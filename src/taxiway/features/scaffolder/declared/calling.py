"""An `Action` entity's HTTP call: its request is made of expressions, sent within bounds, and its outputs are read from
the answer.

Every expression in the path of a URL is one segment of it, whatever it holds: nothing that a template gives leads to
another place of the other system, and the host is always written out. Used by `declared/action.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from taxiway.core.context import Platform
from taxiway.core.runs.redact import MASK
from taxiway.features.scaffolder.actions.http import send
from taxiway.features.scaffolder.declared.model import Declared
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.model.errors import ConflictError, InputError
from taxiway.plugin import StepContext

EXPRESSION = re.compile(r"(\$\{\{.*?\}\})", re.DOTALL)
GONE = (404, 410)
Values = Mapping[str, Any]


def call(
    platform: Platform, renderer: Renderer, ctx: StepContext, action: Declared, values: Values, secrets: Values
) -> Values:
    """Send the request of an action; its outputs."""
    given = {"input": values, "secrets": secrets}
    answer = _send(platform, renderer, ctx, action.how, given, key=ctx.idempotency_key)
    if answer["code"] >= 400:
        raise _refused(action.how, answer)
    response = {"status": answer["code"], "headers": answer["headers"], "body": answer["body"]}
    return dict(renderer.value(action.how.get("outputs") or {}, {**given, "response": response}))


def take_back(
    platform: Platform, renderer: Renderer, ctx: StepContext, undo: Values, given: Values, secrets: Values
) -> None:
    """Send the undo request. What is gone already is no failure."""
    scope, parts = {**given, "secrets": secrets}, {key: undo[key] for key in ("url", "query", "body") if key in undo}
    refuse_masked(renderer.value(parts, scope))
    answer = _send(platform, renderer, ctx, undo, scope, key=f"{ctx.idempotency_key}/undo")
    if answer["code"] >= 400 and answer["code"] not in GONE:
        raise _refused(undo, answer)


def refuse_masked(rendered: Values) -> None:
    """ConflictError when an undo would use a secret of then: inventories keep none."""
    if MASK in json.dumps(rendered):
        raise ConflictError(
            "this undo needs a secret that is not kept: take it back by hand, and let the action have the secret below "
            "`spec.secrets`",
            code="scaffolder.undo_secret",
        )


def _send(
    platform: Platform, renderer: Renderer, ctx: StepContext, how: Values, scope: Values, *, key: str
) -> dict[str, Any]:
    from taxiway.plugin.outgoing import Hosts, shown

    url = _url(renderer, str(how["url"]), scope)
    parts = {name: how[name] for name in ("query", "headers", "body") if name in how}
    rendered = renderer.value(parts, scope)
    request = {
        "method": how["method"],
        "headers": rendered.get("headers"),
        "params": rendered.get("query"),
        "body": rendered.get("body"),
        "timeout": float(how.get("timeoutSeconds") or 60) * 1000,
        "idempotencyKey": key,
        "idempotencyHeader": how.get("idempotencyHeader"),
        "responseBytes": how.get("responseBytes"),
        "continueOnBadResponse": True,
    }
    hosts = Hosts(platform.settings.scaffolder.http_hosts)
    return dict(send(ctx, request, url, {}, hosts, shown(url)))


def _url(renderer: Renderer, text: str, scope: Values) -> str:
    pieces = EXPRESSION.split(text)
    rendered = renderer.value({"expressions": pieces[1::2]}, scope)["expressions"]
    for index, value in enumerate(rendered):
        segment = "" if value is None else str(value)
        if isinstance(value, Mapping | list) or segment in ("", ".", ".."):
            raise InputError(
                f"'{pieces[2 * index + 1]}' gives {json.dumps(value)[:80]}, which is no part of a path: give a text",
                code="scaffolder.path",
            )
        pieces[2 * index + 1] = quote(segment, safe="")
    return "".join(pieces)


def _refused(how: Values, answer: Values) -> ConflictError:
    body = answer["body"]
    told = body.get("message") if isinstance(body, Mapping) and isinstance(body.get("message"), str) else None
    text = " ".join((told or json.dumps(body))[:500].split()) or "nothing"
    where = EXPRESSION.sub("…", str(how["url"])).partition("?")[0]
    return ConflictError(f"{how['method']} {where} answered {answer['code']}: {text}", code="scaffolder.http")
