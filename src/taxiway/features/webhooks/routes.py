"""Operations of webhooks, for administrators."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Header, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import etag, expected_version, json_bytes, json_list
from taxiway.core.operations import Operations
from taxiway.features.webhooks.model import Delivery, Webhook
from taxiway.features.webhooks.service import keeping
from taxiway.features.webhooks.service.keeping import MANAGE, Wanted
from taxiway.kit.paging import MAX_LIMIT

operations = Operations("webhooks")
BASE = "/api/webhooks/v1/webhooks"
Id = Annotated[str, Path(max_length=100)]
Cursor = Annotated[str | None, Query(max_length=500)]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]
IfMatch = Annotated[str | None, Header()]
Type = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9._-]*$", max_length=200)]
Filter = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class WebhookRequest(BaseModel):
    """A subscription. `types` are beginnings of event types (`dev.taxiway.entity.`), none: every event. `filters` are
    written as the catalog's (`kind=component,spec.type=service`), one of them must take the entity that an event is
    about; none: every event."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")]
    url: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    types: list[Type] = Field([], max_length=50)
    filters: list[Filter] = Field([], max_length=20)
    enabled: bool = True


class WebhookView(BaseModel):
    """A webhook. `reason` says why it is disabled; `failing_since` and `next_at` are set while it fails."""

    id: str
    name: str
    url: str
    types: list[str]
    filters: list[str]
    enabled: bool
    reason: str | None
    attempts: int
    failing_since: int | None
    next_at: int | None
    created_by: str
    created_at: int
    version: int


class CreatedWebhook(WebhookView):
    """A new webhook with its secret, which is told here only."""

    secret: str


class Webhooks(BaseModel):
    """A page of webhooks."""

    items: list[WebhookView]
    next_cursor: str | None


class Secret(BaseModel):
    """A new secret, which is told here only."""

    secret: str


class DeliveryView(BaseModel):
    """One event on its way: `waiting` is tried again, `failed` was given up. `status` is the other side's."""

    id: str
    seq: int
    event_id: str
    type: str
    subject: str
    state: str
    attempts: int
    status: int | None
    error: str | None
    resend: bool
    created_at: int
    attempted_at: int


class Deliveries(BaseModel):
    """A page of deliveries, newest first."""

    items: list[DeliveryView]
    next_cursor: str | None


@operations.get(BASE, MANAGE, response=Webhooks)
def list_webhooks(ctx: Ctx, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """List webhooks."""
    page = keeping.webhooks(ctx, limit, cursor)
    return json_list([_view(one) for one in page.items], page.next_cursor)


@operations.post(BASE, MANAGE, status=201, response=CreatedWebhook)
def create_webhook(ctx: Ctx, body: WebhookRequest) -> Response:
    """Subscribe a URL to events from now on. The secret is in this answer only."""
    made, secret = keeping.create(ctx, _wanted(body))
    headers = {"cache-control": "no-store", "location": f"{BASE}/{made.id}", "etag": etag(made.version)}
    return json_bytes({**_view(made), "secret": secret}, status=201, headers=headers)


@operations.get(f"{BASE}/{{id}}", MANAGE, response=WebhookView)
def get_webhook(ctx: Ctx, id: Id) -> Response:
    """Show a webhook."""
    found = keeping.find(ctx, id)
    return json_bytes(_view(found), headers={"etag": etag(found.version)})


@operations.put(f"{BASE}/{{id}}", MANAGE, response=WebhookView)
def update_webhook(ctx: Ctx, id: Id, body: WebhookRequest, if_match: IfMatch = None) -> Response:
    """Change a webhook; enabling it sends what it missed, in order."""
    made = keeping.update(ctx, id, _wanted(body), expected_version(if_match))
    return json_bytes(_view(made), headers={"etag": etag(made.version)})


@operations.delete(f"{BASE}/{{id}}", MANAGE, status=204)
def delete_webhook(ctx: Ctx, id: Id) -> Response:
    """Unsubscribe, and forget the deliveries."""
    keeping.delete(ctx, id)
    return Response(status_code=204)


@operations.post(f"{BASE}/{{id}}/secret", MANAGE, response=Secret)
def renew_webhook_secret(ctx: Ctx, id: Id) -> Response:
    """Make a new secret; the old one signs nothing more. It is in this answer only."""
    return json_bytes({"secret": keeping.renew_secret(ctx, id)}, headers={"cache-control": "no-store"})


@operations.get(f"{BASE}/{{id}}/deliveries", MANAGE, response=Deliveries)
def list_deliveries(
    ctx: Ctx,
    id: Id,
    state: Annotated[Literal["delivered", "waiting", "failed"] | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """List what was sent to a webhook in the last 30 days, newest first."""
    page = keeping.deliveries(ctx, id, state, limit, cursor)
    return json_list([_delivery(one) for one in page.items], page.next_cursor)


@operations.post(f"{BASE}/{{id}}/deliveries/{{delivery_id}}/resend", MANAGE, status=202, media=())
def resend_delivery(ctx: Ctx, id: Id, delivery_id: Annotated[str, Path(max_length=100)]) -> Response:
    """Send a delivery once more, under the same id."""
    keeping.resend(ctx, id, delivery_id)
    return Response(status_code=202)


def _wanted(body: WebhookRequest) -> Wanted:
    return Wanted(body.name, body.url, body.types, body.filters, body.enabled)


def _view(hook: Webhook) -> dict[str, Any]:
    return {name: getattr(hook, name) for name in WebhookView.model_fields}


def _delivery(one: Delivery) -> dict[str, Any]:
    return {name: getattr(one, name) for name in DeliveryView.model_fields}
