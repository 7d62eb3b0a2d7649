"""Scalars as the text that filters compare, written as JavaScript writes them. Pure."""

from __future__ import annotations

from decimal import Decimal


def text_of(value: str | bool | int | float) -> str:
    """`true`, `6` for 6.0, `0.00001` for 1e-05, `1e+21`; text as it is."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, float):
        return str(value)
    size = abs(value)
    if value.is_integer() and size < 1e21:
        return str(int(value))
    if 1e-6 <= size < 1e21:
        return format(Decimal(repr(value)), "f")
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa}e{int(exponent):+d}" if exponent else mantissa
