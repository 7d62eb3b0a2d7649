"""What the API's description says of refusals: the bodies that `problems` writes, for every operation.

FastAPI would describe a 422 of its own making, which nobody is ever answered. Called by the assembly in `api`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import models_json_schema

from taxiway.core.http.problems import Style
from taxiway.core.operations import Operation

REFERENCE = "#/components/schemas/{model}"


class FaultyField(BaseModel):
    """Where in a body or among parameters something is wrong (a JSON pointer), and what."""

    pointer: str
    detail: str


class ProblemDetails(BaseModel):
    """A refusal (RFC 9457): `detail` says what to do next, `code` is for programs, `request_id` finds it in logs."""

    model_config = ConfigDict(extra="allow")
    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    retryable: bool
    errors: list[FaultyField]


class NamedError(BaseModel):
    """Kind and words of an error."""

    name: str
    message: str


class RefusedRequest(BaseModel):
    """The request, below its router."""

    method: str
    url: str


class RefusedStatus(BaseModel):
    """The status, once more."""

    statusCode: int


class BackstageError(BaseModel):
    """A refusal on Backstage's paths, in its own form."""

    error: NamedError
    request: RefusedRequest
    response: RefusedStatus


BODIES: dict[Style, tuple[str, type[BaseModel]]] = {
    "problem": ("application/problem+json", ProblemDetails),
    "backstage": ("application/json", BackstageError),
}
OF_FASTAPI = ("HTTPValidationError", "ValidationError")


def describe_refusals(document: dict[str, Any], operations: Iterable[tuple[str, Operation]]) -> None:
    """Say in an OpenAPI document how each operation, at its path there, answers when it refuses."""
    for path, operation in operations:
        described = document["paths"].get(path, {}).get(operation.method.lower())
        if described is None:
            continue  # a hidden one
        media, body = BODIES[operation.errors]
        content = {media: {"schema": {"$ref": REFERENCE.format(model=body.__name__)}}}
        described["responses"].pop("422", None)
        described["responses"]["default"] = {"description": "Refused", "content": content}
    schemas = document["components"]["schemas"]
    for name in OF_FASTAPI:
        schemas.pop(name, None)
    mode: Literal["serialization"] = "serialization"
    _, more = models_json_schema([(body, mode) for _, body in BODIES.values()], ref_template=REFERENCE)
    schemas.update(more["$defs"])
