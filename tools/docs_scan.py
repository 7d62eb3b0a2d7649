"""Reads the source for what the reference pages list: error codes, event types, who uses a contribution point.

It parses, and imports nothing of what it reads. A type that it cannot work out ends it: a page must not miss one.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeGuard

SOURCE = Path(__file__).parents[1] / "src" / "taxiway"


@dataclass(frozen=True, order=True)
class Code:
    """An error code: its kind, what the message says (… for what is filled in), and the module."""

    code: str
    kind: str
    message: str
    module: str


@dataclass(frozen=True, order=True)
class Emitted:
    """An event type, its subject and the keys of its data as written, and the module that emits it."""

    type: str
    subject: str
    keys: tuple[str, ...]
    module: str


@dataclass(frozen=True)
class Module:
    """A module of the product: its dotted name, its tree, and every node of that."""

    name: str
    tree: ast.Module
    nodes: tuple[ast.AST, ...]


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the product, in order; read once."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        inside = path.relative_to(SOURCE)
        if inside.parts[0] != "library":
            tree = ast.parse(path.read_text())
            name = ".".join(inside.with_suffix("").parts).removesuffix(".__init__")
            found.append(Module(name, tree, tuple(ast.walk(tree))))
    return tuple(found)


def codes(kinds: Mapping[str, str]) -> list[Code]:
    """Every error code. `kinds` maps the base classes' names to kinds; subclasses are found here."""
    known = dict(kinds)
    classes = [node for module in modules() for node in module.nodes if isinstance(node, ast.ClassDef)]
    for node in classes * 2:
        bases = [known[name] for base in node.bases if (name := _name(base)) in known]
        known.setdefault(node.name, bases[0]) if bases else None
    found = set()
    for module in modules():
        for node in module.nodes:
            if not isinstance(node, ast.Call):
                continue
            for word in node.keywords:
                if word.arg == "code" and isinstance(word.value, ast.Constant) and isinstance(word.value.value, str):
                    message = _text(node.args[0]) if node.args else ""
                    found.add(Code(word.value.value, known.get(_name(node.func), "internal"), message, module.name))
    return sorted(found)


def events() -> list[Emitted]:
    """Every event type that an EventDraft is made with."""
    found = set()
    for module in modules():
        if not any(_makes_event(node) for node in module.nodes):
            continue
        for function in (node for node in module.nodes if isinstance(node, ast.FunctionDef)):
            for node in ast.walk(function):
                if _makes_event(node):
                    subject = _text(node.args[1])
                    keys = _keys(node, function)
                    for event_type in _types(node.args[0], module.tree, function, module.name):
                        found.add(Emitted(event_type, subject, keys, module.name))
    return sorted(found)


def users(points: Mapping[str, object]) -> dict[str, list[str]]:
    """Contribution point → plugins and features that contribute to it."""
    found: dict[str, set[str]] = {point: set() for point in points}
    for module in modules():
        parts = module.name.split(".")
        if len(parts) < 2 or parts[0] not in ("plugins", "features"):
            continue
        owner = parts[1] if parts[0] == "plugins" else f"feature {parts[1]}"
        for node in module.nodes:
            first: ast.expr | None = None
            if isinstance(node, ast.Tuple) and len(node.elts) == 2 and parts[0] == "plugins":
                first = node.elts[0]
            elif isinstance(node, ast.Call) and _name(node.func) == "add" and len(node.args) == 3:
                first = node.args[0]
            if isinstance(first, ast.Constant) and first.value in found:
                found[first.value].add(owner)
    return {point: sorted(names) for point, names in found.items()}


def readers(points: Mapping[str, object]) -> dict[str, list[str]]:
    """Contribution point → parts of the host that ask the registry for what was contributed to it."""
    found: dict[str, set[str]] = {point: set() for point in points}
    for module in modules():
        parts = module.name.split(".")
        owner = f"feature {parts[1]}" if parts[0] == "features" and len(parts) > 1 else parts[0]
        for node in module.nodes:
            asked: ast.expr | None = None
            if isinstance(node, ast.Call) and _name(node.func) in ("all", "get") and node.args:
                asked = node.args[0] if "registry" in ast.unparse(node.func) else None
            elif isinstance(node, ast.Compare) and ast.unparse(node.left).endswith(".point"):
                asked = node.comparators[0]
            if isinstance(asked, ast.Constant) and asked.value in found:
                found[asked.value].add(owner)
    return {point: sorted(names) for point, names in found.items()}


def _makes_event(node: ast.AST) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and _name(node.func) == "EventDraft"


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _text(node: ast.expr) -> str:
    """A string as written, with … for what is filled in."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    if isinstance(node, ast.BinOp):
        return _text(node.left) + _text(node.right)
    return "…"


def _keys(call: ast.Call, function: ast.FunctionDef | None) -> tuple[str, ...]:
    data: ast.expr | None = call.args[2] if len(call.args) > 2 else None
    if isinstance(data, ast.Name) and function is not None:
        values = [node.value for node in ast.walk(function) if _assigns(node, data.id)]
        data = next((value for value in values if isinstance(value, ast.Dict)), None)
    if not isinstance(data, ast.Dict):
        return ()
    return tuple(str(key.value) for key in data.keys if isinstance(key, ast.Constant))


def _assigns(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.AnnAssign):
        return _name(node.target) == name
    return isinstance(node, ast.Assign) and any(_name(target) == name for target in node.targets)


def _types(node: ast.expr, tree: ast.Module, function: ast.FunctionDef | None, module: str) -> list[str]:
    if isinstance(node, ast.Name):
        values = [item.value for item in tree.body if _assigns(item, node.id)]
        return [text for value in values for text in _types(value, tree, function, module)]
    if isinstance(node, ast.Subscript):  # one of those in a table
        return _types(node.value, tree, function, module)
    if isinstance(node, ast.Dict):
        return [text for value in node.values for text in _types(value, tree, function, module)]
    if isinstance(node, ast.JoinedStr) and function is not None:
        texts = [""]
        for part in node.values:
            choices = _choices(part, tree, function)
            texts = [text + choice for text in texts for choice in choices]
        if texts and all("…" not in text for text in texts):
            return texts
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    raise SystemExit(f"taxiway.{module}, line {node.lineno}: the type of this event cannot be worked out")


def _choices(part: ast.expr, tree: ast.Module, function: ast.FunctionDef) -> list[str]:
    """What a part of an f-string can be: its text, or what callers pass for the parameter that it names."""
    if isinstance(part, ast.Constant):
        return [str(part.value)]
    assert isinstance(part, ast.FormattedValue)
    names = [argument.arg for argument in function.args.args]
    if not isinstance(part.value, ast.Name) or part.value.id not in names:
        return ["…"]
    position = names.index(part.value.id) - (names[0] == "self")
    found: set[str] = set()
    for caller in ast.walk(tree):
        if isinstance(caller, ast.FunctionDef):
            for node in ast.walk(caller):
                if isinstance(node, ast.Call) and _name(node.func) == function.name and len(node.args) > position:
                    found |= _constants(node.args[position], caller)
    return sorted(found) or ["…"]


def _constants(node: ast.expr, caller: ast.FunctionDef) -> set[str]:
    if isinstance(node, ast.Constant):
        return {str(node.value)}
    if isinstance(node, ast.IfExp):
        return _constants(node.body, caller) | _constants(node.orelse, caller)
    if isinstance(node, ast.Name):
        values = [item.value for item in ast.walk(caller) if isinstance(item, ast.Assign) and _assigns(item, node.id)]
        # A closure's value that another function computes is not a text of its own.
        return {text for value in values if not isinstance(value, ast.Call) for text in _constants(value, caller)}
    return {"…"}
