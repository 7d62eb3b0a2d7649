"""CEL over an entity, its other properties and what it is related to, bounded in time and memory.

The engine stops an evaluation after its budget of some ten thousand iterations (milliseconds). What memory one of them
may take is bounded here: texts and lists that an expression sees are cut, and an expression with a comprehension may
join few texts. Variables: `entity`, `properties`, and `related.<relation>`, a list of documents with their `ref`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

MAX_LENGTH = 1000
MAX_TEXT = 1000
MAX_ITEMS = 500
MAX_RESULT = 100
MAX_JOINS = 5
LOOPS = re.compile(r"\.\s*(map|filter|all|exists|exists_one)\s*\(")
TEXTS = re.compile(
    r"//[^\n\r]*"
    r'|[bB]?[rR](?:"""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'|"[^"\n\r]*"|\'[^\'\n\r]*\')'
    r'|"""(?:\\.|[^\\])*?"""|\'\'\'(?:\\.|[^\\])*?\'\'\''
    r'|"(?:\\.|[^"\\\n\r])*"|\'(?:\\.|[^\'\\\n\r])*\'',
    re.DOTALL,
)
"""Comments and texts as CEL's grammar has them: neither may hide code from the checks below."""
RELATED = re.compile(r"\brelated\b(?:\.([A-Za-z]\w*))?")
OWN = re.compile(r"\bproperties\.([A-Za-z]\w*)")


@dataclass(frozen=True)
class Expression:
    """A compiled expression."""

    compiled: Any

    def value(self, entity: Mapping[str, Any], properties: Mapping[str, Any], related: Mapping[str, Any]) -> Any:
        """What it comes to: a scalar or a list of them. ValueError says why there is none."""
        data = {"entity": _cut(entity), "properties": dict(properties), "related": _cut(related)}
        try:
            result = self.compiled.eval(data=data)
        except RuntimeError as error:
            raise ValueError(_clean(str(error))) from error
        kind = result.type().name() if callable(getattr(result.type(), "name", None)) else str(result.type())
        if "error" in str(kind).lower():
            raise ValueError(_clean(str(result.plain_value())))
        return _plain(result)


def compiled(text: str, type_: str) -> Expression:
    """The expression. ValueError says what is wrong with it, with the place."""
    return _compiled(text, type_)


@lru_cache(512)
def _compiled(text: str, type_: str) -> Expression:
    if len(text) > MAX_LENGTH:
        raise ValueError(f"is longer than {MAX_LENGTH} characters: split it into several properties")
    bare = _bare(text)
    if LOOPS.search(bare) and bare.count("+") > MAX_JOINS:
        raise ValueError(f"has a comprehension and more than {MAX_JOINS} '+': split it into several properties")
    if any(match[1] is None for match in RELATED.finditer(bare)):
        raise ValueError("write related.<relation>, such as related.ownedBy")
    try:
        expression = _environment().compile(text)
    except RuntimeError as error:
        raise ValueError(_clean(str(error))) from error
    _check_type(expression, type_)
    return Expression(expression)


@cache
def _environment() -> Any:
    from cel_expr_python import cel  # a large library: loaded when there is something to compute

    document = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
    documents = cel.Type.Map(cel.Type.STRING, cel.Type.List(document))
    return cel.NewEnv(variables={"entity": document, "properties": document, "related": documents})


def _check_type(expression: Any, type_: str) -> None:
    from cel_expr_python import cel

    kinds = cel.Type
    allowed = {
        "string": (kinds.STRING, kinds.INT, kinds.DOUBLE),
        "boolean": (kinds.BOOL,),
        "integer": (kinds.INT, kinds.UINT),
        "number": (kinds.INT, kinds.UINT, kinds.DOUBLE),
        "strings": (kinds.List(kinds.STRING), kinds.List(kinds.DYN)),
    }[type_]
    found = expression.return_type()
    if found != kinds.DYN and found not in allowed:
        raise ValueError(f"gives {str(found.name()).lower()}, and the property's type is {type_}: change one of them")


def used_in(text: str) -> list[str]:
    """The properties of the same entity that an expression reads."""
    return list(dict.fromkeys(OWN.findall(_bare(text))))


def related_in(text: str) -> list[str]:
    """The relations that an expression follows."""
    return [name for name in dict.fromkeys(RELATED.findall(_bare(text))) if name]


def _bare(text: str) -> str:
    """The code of an expression, without what its texts and comments say."""
    return TEXTS.sub(lambda match: " " if match[0].startswith("//") else "''", text)


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return value[:MAX_TEXT]
    if isinstance(value, Mapping):
        return {str(key)[:MAX_TEXT]: _cut(item) for key, item in list(value.items())[:MAX_ITEMS]}
    if isinstance(value, list):
        return [_cut(item) for item in value[:MAX_ITEMS]]
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        return float(value)
    return value


def _plain(result: Any) -> Any:
    # Lists are read item by item: what looks small may hold the same list many times.
    found = result.value()
    if isinstance(found, list):
        if len(found) > MAX_RESULT:
            raise ValueError(f"gives more than {MAX_RESULT} values: filter them")
        return [_scalar(item.value()) for item in found]
    return _scalar(found)


def _scalar(value: Any) -> Any:
    if value is None or not isinstance(value, str | int | float | bool):
        raise ValueError("gives no text, number, boolean or list of texts")
    return value[:MAX_TEXT] if isinstance(value, str) else value


def _clean(text: str) -> str:
    return re.sub(r"\s*\[[A-Z_]+\]$", "", text.removeprefix("INVALID_ARGUMENT: ").removeprefix("INTERNAL: "))[:500]
