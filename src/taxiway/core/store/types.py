"""Column types that read the same on SQLite and PostgreSQL: JSON is text, times are integers."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import BigInteger, MetaData, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every table of the store registers here: core's in `core/store/tables.py`, a feature's in its `tables.py`."""

Time = BigInteger
"""Microseconds UTC."""


class JsonText(TypeDecorator[Any]):
    """A JSON value stored as text, so that hot reads can pass it on without parsing. Keys stay in the writer's order:
    a form asks its questions as its author wrote them. Text of equal values may differ, so it is never compared."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else orjson.dumps(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else orjson.loads(value)
