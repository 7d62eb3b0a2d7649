"""Values of the items resource."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

# Control characters are refused: PostgreSQL cannot store NUL, and nobody wants the others in a name.
_TEXT = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"


class NewItem(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")
    ]
    description: Annotated[str, StringConstraints(max_length=1000, pattern=_TEXT)] = ""


class Item(NewItem):
    id: int
    created_at: datetime


class ItemPage(BaseModel):
    items: list[Item]
    next_after: int | None
    """Give this as `after` to get the next page; null on the last one."""


class DuplicateNameError(Exception):
    """An item of that name exists."""
