"""The column type of documents: text on this side, packed in the store."""

from __future__ import annotations

from typing import Any

from sqlalchemy import LargeBinary
from sqlalchemy.types import TypeDecorator

from taxiway.features.catalog.packing import pack, unpack


class PackedText(TypeDecorator[str]):
    """A column of packed texts."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> bytes | None:
        return None if value is None else pack(value.encode())

    def process_result_value(self, value: bytes | None, dialect: Any) -> str | None:
        return None if value is None else unpack(bytes(value))
