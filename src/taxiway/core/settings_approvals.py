"""Settings of what people are told when a run waits for them, and of the mail server that takes it to them."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from taxiway.model.entity import parse_ref
from taxiway.model.errors import InputError
from taxiway.plugin import CredentialRef

ADDRESS = re.compile(r"[!-~]+@[A-Za-z0-9.-]+", re.ASCII)
NOT_IN_ADDRESSES = frozenset('<>,;:"()[]\\')
MOST_ADDRESS = 254


def is_address(text: str) -> bool:
    """Whether mail may be sent to it: a plain ASCII address."""
    return len(text) <= MOST_ADDRESS and ADDRESS.fullmatch(text) is not None and not NOT_IN_ADDRESSES & set(text)


class MailSettings(BaseModel):
    """The SMTP server that mail goes to. Without `host` nobody gets mail, and lists of approvals say so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str | None = Field(None, description="host of the SMTP server; none: no mail is sent")
    port: int = Field(587, ge=1, le=65535, description="its port")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="starttls, tls from the first byte, or none: in clear"
    )
    user: str | None = Field(None, description="who signs in there; none: nobody does")
    password: CredentialRef | None = Field(None, description="the password of `user`, by reference")
    sender: str = Field("taxiway@localhost", description="address that mail is from")

    @field_validator("sender")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if not is_address(value):
            raise ValueError("write a plain address, such as taxiway@example.com")
        return value

    @model_validator(mode="after")
    def _no_password_in_clear(self) -> Self:
        if self.security == "none" and self.password and self.host not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError("a password is not sent in clear: set security to starttls or tls")
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password are set together")
        return self


class ApprovalSettings(BaseModel):
    """When people are told of a run that waits for their approval. Each time is an event, which webhooks carry, and
    mail to who may decide."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    remind_seconds: int = Field(86_400, ge=60, description="seconds after which who may decide is reminded, each time")
    most_reminders: int = Field(3, ge=0, le=100, description="how often they are reminded of one approval")
    escalate_seconds: int = Field(259_200, ge=60, description="seconds after which `escalate_to` is told")
    escalate_to: str | None = Field(
        None, description="group (`group:default/platform`) that is told then, and may decide as well; none: nobody"
    )

    @field_validator("escalate_to")
    @classmethod
    def _is_group(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            ref = parse_ref(value, default_kind="group")
        except InputError as error:
            raise ValueError("write a group, such as group:default/platform") from error
        if ref.kind != "group":
            raise ValueError("write a group, such as group:default/platform")
        return str(ref)
