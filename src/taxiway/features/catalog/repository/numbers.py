"""Values as numbers, for orders by number: facets are texts. SQL, on either store, and Python judge a text alike."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import ColumnElement, Double
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

_NUMBER = r"-?(0|[1-9][0-9]*)(\.[0-9]+)?(e[+-]?[0-9]{1,2})?"
"""As JSON writes them, in lower case, and no larger than a double holds: a facet has at most 200 characters."""
_MATCHES = re.compile(_NUMBER)


def number_of(folded: str) -> float | None:
    """The number that a text is; None for any other text."""
    return float(folded) if _MATCHES.fullmatch(folded) else None


class number(FunctionElement[float]):
    """The same of a column of texts: NULL where it is no number."""

    type = Double()
    inherit_cache = True
    name = "number"


def number_in(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """The expression for the number in a column of texts in lower case."""
    return number(text)


@compiles(number, "sqlite")
def _sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    text = compiler.process(element.clauses, **kw)
    return (
        f"CASE WHEN NOT json_valid({text}) OR {text} GLOB '*e*[0-9][0-9][0-9]*' THEN NULL "
        f"WHEN json_type({text}) IN ('integer', 'real') THEN CAST({text} AS REAL) END"
    )


@compiles(number, "postgresql")
def _postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    text = compiler.process(element.clauses, **kw)
    return f"CASE WHEN {text} ~ '^{_NUMBER}$' THEN CAST({text} AS double precision) END"
