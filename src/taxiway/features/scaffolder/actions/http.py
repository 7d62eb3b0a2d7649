"""`http:backstage:request`, `http:request` and `notify`: requests of golden paths to this installation and to others.

Requests to others go through the bounded client, which refuses private addresses unless `scaffolder.http_hosts` names
the host. What changes something carries an `Idempotency-Key` that is the same when the step is done again, and is not
sent in a dry run. Undo has nothing to do: what the other side did is its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from taxiway.core.context import Platform
from taxiway.features.access import service as access
from taxiway.model.access import ROLES
from taxiway.model.errors import ConflictError, InputError, NotAllowedError
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema

if TYPE_CHECKING:
    from taxiway.plugin.outgoing import Answer, Outgoing

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "UPDATE", "DELETE", "PUT", "PATCH")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FRAMING = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "expect", "te", "trailer"})
"""Headers that say where a request goes and where it ends, which is not a template's to say."""
MOST_SECONDS = 120.0
MOST_BYTES = 5_000_000
TOKEN_SECONDS = 300
OBJECT = {"type": "object"}
BOOLEAN = {"type": "boolean"}
Values = Mapping[str, Any]
Factory = Callable[[Any], "Outgoing"]
REQUEST: dict[str, Any] = {
    "method": {"type": "string", "enum": list(METHODS)},
    "headers": {**OBJECT, "description": "Headers of the request"},
    "params": {**OBJECT, "description": "Parameters of its query"},
    "body": {"description": "Its body: text, or a value that is sent as JSON"},
    "logRequestPath": {**BOOLEAN, "description": "Whether the log tells the path; default true"},
    "continueOnBadResponse": {**BOOLEAN, "description": "Go on when the answer is 400 or above"},
    "timeout": {"type": "number", "minimum": 1, "description": "Milliseconds; default 60000"},
}
ANSWER = schema(
    code={"type": "integer", "description": "Status of the answer"},
    headers={**OBJECT, "description": "Headers of the answer"},
    body={"description": "The answer: a value where it is JSON, else {message: text}"},
)


def http_actions(platform: Platform) -> list[FunctionAction]:
    """The actions of this module."""
    return [
        FunctionAction(
            key="http:backstage:request",
            description="Call the API of this installation with the rights of who started the run",
            function=lambda ctx, values: _own(platform, ctx, values),
            input_schema=schema(
                ["path", "method"],
                path="Path of the API, such as /catalog/entities or /api/catalog/entities",
                useBackstageToken=BOOLEAN,
                idempotencyKey="A key of your own; the step has one anyway",
                **REQUEST,
            ),
            output_schema=ANSWER,
        ),
        FunctionAction(
            key="http:request",
            description="Send a request to another system",
            function=lambda ctx, values: _other(platform, ctx, values),
            input_schema=schema(["url", "method"], url="Where to", **REQUEST),
            output_schema=ANSWER,
        ),
        FunctionAction(
            key="notify",
            description="Tell a webhook (of Slack, Mattermost, Teams …) what happened",
            function=lambda ctx, values: _notify(platform, ctx, values),
            input_schema=schema(
                ["url", "title"],
                url="The webhook",
                title="What happened",
                info="More about it",
                link="Where to look",
                severity={"type": "string", "enum": ["low", "normal", "high", "critical"]},
            ),
            output_schema=schema(code={"type": "integer"}),
        ),
    ]


def _own(platform: Platform, ctx: StepContext, values: Values) -> Values:
    from taxiway.plugin.outgoing import Hosts

    base = platform.public_url()
    path = _path(str(values["path"]))
    if _is_skipped(ctx, values, path):
        return {}
    place = urlsplit(base).netloc
    headers = {} if _has(values, "authorization") else {"authorization": f"Bearer {_token(platform, ctx)}"}
    with_key = {**values, "idempotencyKey": values.get("idempotencyKey") or ctx.idempotency_key}
    return send(ctx, with_key, base + path, headers, Hosts([_with_port(base, place)], only=True), path)


def _with_port(base: str, place: str) -> str:
    return place if ":" in place else f"{place}:{443 if base.startswith('https') else 80}"


def _path(given: str) -> str:
    """A path of our API. InputError for a whole URL, or one that leads out of it."""
    path, mark, query = ("/" + given.lstrip("/")).partition("?")
    if "://" in given or ".." in path or "\\" in path:
        raise InputError(f"'{given}' is no path of the API: use http:request for other systems", code="scaffolder.path")
    return (path if path.startswith("/api/") else f"/api{path}") + mark + query


def _token(platform: Platform, ctx: StepContext) -> str:
    """A token of some minutes for who started the run."""
    roles = [role for role in ROLES if role in ctx.principal.roles]
    if not roles:
        raise NotAllowedError(f"{ctx.principal.subject} has no role, so it cannot call the API")
    system = platform.system("scaffolder")
    scopes = None if ctx.principal.scopes is None else sorted(ctx.principal.scopes)
    granted = access.grant_token(
        system, f"run {ctx.run_id}", roles[-1], TOKEN_SECONDS, subject=ctx.principal.subject, scopes=scopes
    )
    return granted.value


def _other(platform: Platform, ctx: StepContext, values: Values) -> Values:
    from taxiway.plugin.outgoing import Hosts, shown

    url = str(values["url"])
    if _is_skipped(ctx, values, shown(url)):
        return {}
    hosts = Hosts(platform.settings.scaffolder.http_hosts)
    return send(ctx, {**values, "idempotencyKey": ctx.idempotency_key}, url, {}, hosts, shown(url))


def _is_skipped(ctx: StepContext, values: Values, where: str) -> bool:
    if ctx.is_dry_run and values["method"] not in SAFE:
        ctx.log(f"a dry run sends no {values['method']} to {where}")
        return True
    return False


def send(ctx: StepContext, values: Values, url: str, headers: Mapping[str, str], hosts: Any, told: str) -> Values:
    """Send a request within bounds: {code, headers, body}. `values` are the inputs of `http:request`, with
    `idempotencyKey`, and maybe `idempotencyHeader` and `responseBytes`; `told` is how the log calls `url`."""
    from taxiway.plugin.outgoing import Limits, Outgoing

    method = str(values["method"])
    seconds = min(float(values.get("timeout") or 60_000) / 1000, MOST_SECONDS)
    sent = {**headers, **{str(name): str(value) for name, value in (values.get("headers") or {}).items()}}
    if framing := sorted(FRAMING & {name.lower() for name in sent}):
        raise InputError(f"a request has its own {framing[0]}: leave it out of its headers", code="scaffolder.header")
    key = str(values.get("idempotencyHeader") or "Idempotency-Key").lower()
    if method not in SAFE and not _has(values, key):
        sent[key] = str(values["idempotencyKey"])
    if values.get("params"):
        url += ("&" if "?" in url else "?") + urlencode(values["params"], doseq=True)
    body = _body(values.get("body"), sent)
    ctx.log(f"{method} {told}" if values.get("logRequestPath", True) else method)
    most = min(int(values.get("responseBytes") or MOST_BYTES), MOST_BYTES)
    limits = replace(Limits(), read_seconds=seconds, total_seconds=seconds, body_bytes=most)
    client = Outgoing(hosts=hosts, limits=limits, stop=ctx.cancelled)
    try:
        answer = client.send(method, url, headers=sent, body=body)
    finally:
        client.close()
    if answer.status >= 400 and not values.get("continueOnBadResponse"):
        raise ConflictError(f"{method} {told} answered {answer.status}: {_excerpt(answer)}", code="scaffolder.http")
    return {"code": answer.status, "headers": dict(answer.headers), "body": _answer(answer)}


def _has(values: Values, header: str) -> bool:
    return any(str(name).lower() == header for name in values.get("headers") or {})


def _body(given: Any, headers: dict[str, str]) -> bytes | None:
    if given is None or isinstance(given, str):
        return None if given is None else given.encode()
    if not any(name.lower() == "content-type" for name in headers):
        headers["content-type"] = "application/json"
    return json.dumps(given).encode()


def _answer(answer: Answer) -> Any:
    text = answer.body.decode(errors="replace")
    if "json" in answer.headers.get("content-type", "") and text.strip():
        try:
            return json.loads(text)
        except ValueError:
            pass  # it is not what it says: told as text
    return {"message": text}


def _excerpt(answer: Answer) -> str:
    return " ".join(answer.body[:500].decode(errors="replace").split()) or "nothing"


def _notify(platform: Platform, ctx: StepContext, values: Values) -> Values:
    lines = [str(values[key]) for key in ("title", "info", "link") if values.get(key)]
    body = {"text": "\n".join(lines), **{key: value for key, value in values.items() if key != "url"}}
    request = {"url": values["url"], "method": "POST", "body": body, "logRequestPath": False}
    return {"code": _other(platform, ctx, request).get("code", 0)}
