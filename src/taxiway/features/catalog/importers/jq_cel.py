"""jq to CEL, where both say exactly the same of every entity: with null, missing fields and errors. Pure.

jq knows null where CEL has no such field. A term therefore carries `there`, the condition under which it is not null;
what jq makes of null (nothing added, less than all, not true) is written out with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from taxiway.features.catalog.cel import MAX_ITEMS, MAX_LENGTH, MAX_TEXT
from taxiway.features.catalog.importers.jq_syntax import COMPARED, Node, NotExactError, parse

NEUTRAL = {"string": '""', "number": "0.0", "boolean": "false"}
FAILING = {"string": '[""][1]', "number": "[0.0][1]", "boolean": "[false][1]"}
"""What gives no value: CEL has no null of a type."""


@dataclass(frozen=True)
class Term:
    """A part of an expression. `type` is string, number, boolean, list or null; `there` is empty where it is never
    null; `fails` says that it may be an error, in jq as in CEL. `is_read`: it is an error by itself when it is null."""

    cel: str
    type: str
    there: str = ""
    fails: bool = False
    is_read: bool = False

    @property
    def strict(self) -> str:
        """It, an error where it is null."""
        return f"({self.there} ? {self.cel} : {FAILING[self.type]})" if self.there and not self.is_read else self.cel


Resolve = Callable[[tuple[str, ...]], Term]
"""What a path reads. NotExactError where that cannot be said."""


def translate(text: str, type_: str, resolve: Resolve) -> str:
    """The CEL of a jq expression that gives a value of `type_`, no value where jq gives null. NotExactError."""
    try:
        found = _term(parse(text), resolve)
    except RecursionError as error:
        raise NotExactError("it is nested too deeply") from error
    if found.type != type_:
        raise NotExactError(f"it gives {found.type}, and the property is {type_}")
    return found.strict


def quoted(text: str) -> str:
    """A text as a literal of CEL, which knows JSON's escapes but for those of two halves of a character."""
    return json.dumps(text, ensure_ascii=False)


def _term(node: Node, resolve: Resolve) -> Term:
    found = _translated(node, resolve)
    # A condition is written out where it is asked for again: without a bound the text doubles with each level.
    if len(found.cel) + len(found.there) > 4 * MAX_LENGTH:
        raise NotExactError(f"its CEL is much longer than {MAX_LENGTH} characters")
    return found


def _translated(node: Node, resolve: Resolve) -> Term:
    match node:
        case ("path", keys):
            return resolve(keys)
        case ("value", value):
            return _value(value)
        case ("text", parts):
            return _text(parts, resolve)
        case ("if", test, then, other):
            return _if(_term(test, resolve), _term(then, resolve), _term(other, resolve))
        case ("call", name, argument, of):
            return _call(name, argument, _term(of, resolve))
        case (sign, left, right):
            return _binary(sign, left, _term(left, resolve), right, _term(right, resolve))
    raise NotExactError("it has no equal in CEL")


def _value(value: Any) -> Term:
    if value is None:
        return Term("null", "null", "false")
    if isinstance(value, bool):
        return Term(json.dumps(value), "boolean")
    return Term(repr(float(value)), "number")


def _text(parts: tuple[Any, ...], resolve: Resolve) -> Term:
    found = []
    fails = False
    for part in parts:
        if isinstance(part, str):
            found.append(quoted(part))
            continue
        term = _term(part, resolve)
        if term.type != "string":
            raise NotExactError(f"a {term.type} in a text is written otherwise in CEL")
        fails = fails or term.fails
        found.append(f'({term.there} ? {term.cel} : "null")' if term.there else term.cel)
    return Term(found[0] if len(found) == 1 else f"({' + '.join(found)})", "string", fails=fails)


def _binary(sign: str, left_node: Node, left: Term, right_node: Node, right: Term) -> Term:
    if sign in ("and", "or"):
        if left.fails or right.fails:
            raise NotExactError(f"an error beside '{sign}' is no error in CEL")
        return Term(f"({_truth(left)} {'&&' if sign == 'and' else '||'} {_truth(right)})", "boolean")
    if sign == "//":
        return _alternative(left, right)
    if sign in COMPARED:
        return replace(_compared(sign, left, right), fails=left.fails or right.fails)
    return _calculated(sign, left, right, right_node)


def _calculated(sign: str, left: Term, right: Term, right_node: Node) -> Term:
    if left.type != right.type or left.type not in ("string", "number"):
        raise NotExactError(f"'{sign}' of {left.type} and {right.type} is not the same in CEL")
    fails = left.fails or right.fails
    if sign == "+":
        there = f"({left.there} || {right.there})" if left.there and right.there else ""
        return Term(f"({_or_neutral(left)} + {_or_neutral(right)})", left.type, there, fails)
    if left.type == "string":
        raise NotExactError(f"'{sign}' of texts has no equal in CEL")
    if sign == "/" and not (right_node[0] == "value" and right_node[1]):
        raise NotExactError("a division by what may be 0 is an error in jq, and none in CEL")
    return Term(f"({left.strict} {sign} {right.strict})", "number", "", fails or bool(left.there or right.there))


def _or_neutral(term: Term) -> str:
    return f"({term.there} ? {term.cel} : {NEUTRAL[term.type]})" if term.there else term.cel


def _alternative(left: Term, right: Term) -> Term:
    if left.fails or left.type != right.type or left.type not in ("string", "number"):
        raise NotExactError(f"'//' of {left.type} and {right.type} is not the same in CEL")
    if not left.there:
        return left
    there = f"({left.there} || {right.there})" if right.there else ""
    return Term(f"({left.there} ? {left.cel} : {right.cel})", left.type, there, right.fails)


def _compared(sign: str, left: Term, right: Term) -> Term:
    if (left.fails or right.fails) and (left.there or right.there):
        raise NotExactError(f"an error beside '{sign}' of what may be null is none in CEL")
    if "null" in (left.type, right.type) and sign in ("==", "!="):
        other = right if left.type == "null" else left
        there = other.there or "true"
        return Term(f"!{there}" if sign == "==" else there, "boolean")
    if left.type != right.type or left.type not in ("string", "number", "boolean"):
        raise NotExactError(f"'{sign}' of {left.type} and {right.type} is not the same in CEL")
    if sign in ("==", "!="):
        same = f"{left.cel} == {right.cel}"
        if left.there and right.there:
            same = f"({left.there} && {right.there} ? {same} : {left.there} == {right.there})"
        elif left.there or right.there:
            same = f"({left.there or right.there} && {same})"
        else:
            same = f"({same})"
        return Term(same if sign == "==" else f"!{same}", "boolean")
    if left.type == "boolean" or (left.there and right.there):
        raise NotExactError(f"'{sign}' of what may be null has no equal in CEL")
    plain = f"{left.cel} {sign} {right.cel}"
    if left.there:  # null is less than everything
        plain = f"!{left.there} || {plain}" if sign in ("<", "<=") else f"{left.there} && {plain}"
    if right.there:
        plain = f"{right.there} && {plain}" if sign in ("<", "<=") else f"!{right.there} || {plain}"
    return Term(f"({plain})", "boolean")


def _truth(term: Term) -> str:
    """Whether jq takes it for true: all but null and false."""
    if term.type == "boolean":
        return f"({term.there} && {term.cel})" if term.there else term.cel
    if term.fails:
        raise NotExactError("an error that is taken for true or not is none in CEL")
    return term.there or "true"


def _if(test: Term, then: Term, other: Term) -> Term:
    type_ = other.type if then.type == "null" else then.type
    if type_ not in NEUTRAL or {then.type, other.type} - {type_, "null"}:
        raise NotExactError(f"'if' gives {then.type} or {other.type}: CEL needs one type")
    truth = _truth(test)
    ends = [NEUTRAL[type_] if end.type == "null" else end.cel for end in (then, other)]
    there = ""
    if then.there or other.there:
        there = f"({truth} ? {then.there or 'true'} : {other.there or 'true'})"
    fails = test.fails or then.fails or other.fails
    return Term(f"({truth} ? {ends[0]} : {ends[1]})", type_, there, fails)


def _call(name: str, argument: Node | None, of: Term) -> Term:
    if name == "not" and argument is None:
        return Term(f"!({_truth(of)})", "boolean", fails=of.fails)
    if name == "tostring" and argument is None and of.type == "string":
        return Term(f'({of.there} ? {of.cel} : "null")' if of.there else of.cel, "string", fails=of.fails)
    if name == "length" and argument is None and of.type in ("string", "list"):
        # An expression sees no more of a text or a list than this: what reaches it has no value.
        most = MAX_TEXT if of.type == "string" else MAX_ITEMS
        size = f"(size({of.cel}) < {most} ? double(size({of.cel})) : [0.0][1])"
        return Term(f"({of.there} ? {size} : 0.0)" if of.there else size, "number", fails=True)
    texts = argument is not None and argument[0] == "text" and all(isinstance(part, str) for part in argument[1])
    if name in ("contains", "startswith", "endswith") and texts and of.type == "string":
        assert argument is not None
        # Of null these are an error, as is a field that is not there in CEL.
        method = {"startswith": "startsWith", "endswith": "endsWith"}.get(name, name)
        wanted = quoted("".join(argument[1]))
        return Term(f"{of.strict}.{method}({wanted})", "boolean", fails=of.fails or bool(of.there))
    raise NotExactError(f"'{name}' of {of.type} has no exact equal in CEL")
