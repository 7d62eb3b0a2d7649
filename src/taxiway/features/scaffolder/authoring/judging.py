"""What a case expects against what came of it; and its golden files."""

from __future__ import annotations

import difflib
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from taxiway.features.scaffolder.authoring.cases import Case, golden_folder
from taxiway.features.scaffolder.authoring.trying import Tried
from taxiway.kit.yaml12 import YamlError, load_all
from taxiway.model.errors import InputError

MOST_LINES = 20
EXECUTABLE = 0o755
PLAIN = 0o644


def judge(case: Case, tried: Tried) -> list[str]:
    """What differs from what the case expects, a line or more for each."""
    expect = case.expect
    found: list[str] = []
    wanted_invalid = sorted(expect.get("invalid") or [])
    if wanted_invalid or tried.invalid:
        if list(tried.invalid) != wanted_invalid:
            found.append(f"refused answers: {_list(tried.invalid)}, expected {_list(wanted_invalid)}")
        return found
    if "error" in expect:
        if expect["error"] not in tried.error:
            found.append(
                f"failed with '{tried.error}', expected '{expect['error']}'" if tried.error else "it did not fail"
            )
    elif tried.error:
        return [f"it fails: {tried.error}"]
    found += _steps(expect, tried)
    for path, wanted in (expect.get("files") or {}).items():
        found += [f"{path}: {line}" for line in _file(tried, path, wanted)]
    if "output" in expect:
        found += [f"output{line}" for line in _differs(expect["output"], tried.output)]
    return found


def _list(names: Any) -> str:
    return ", ".join(names) or "none"


def _steps(expect: Mapping[str, Any], tried: Tried) -> Iterator[str]:
    known = {step["id"]: step for step in tried.steps}
    for name, wanted in (expect.get("steps") or {}).items():
        if name not in known:
            yield f"step {name}: there is none; there are {_list(known)}"
        elif wanted != (way := "skipped" if known[name]["skipped"] else "run"):
            yield f"step {name}: {way}, expected {wanted}"
    for name, wanted in (expect.get("inputs") or {}).items():
        inputs = list(known[name]["inputs"]) if name in known else []
        if isinstance(wanted, Mapping) and len(inputs) != 1:
            yield f"step {name}: called {len(inputs)} times, expected once"
            continue
        for line in _differs(wanted, inputs if isinstance(wanted, list) else inputs[0]):
            yield f"input of {name}{line}"


def _file(tried: Tried, path: str, wanted: Any) -> Iterator[str]:
    there = tried.files.get(path)
    if wanted is None:
        if there is not None:
            yield "is written, and should not be"
        return
    if there is None:
        near = difflib.get_close_matches(path, list(tried.files), n=1)
        yield f"is not written{f' (there is {near[0]})' if near else ''}"
        return
    text = there[0].decode(errors="replace")
    if isinstance(wanted, str):
        if text != wanted:
            yield from ["differs", *_diff(wanted, text)]
        return
    for piece in _texts(wanted.get("contains")):
        if piece not in text:
            yield f"lacks {piece!r}"
    for piece in _texts(wanted.get("lacks")):
        if piece in text:
            yield f"contains {piece!r}"
    for pattern in _texts(wanted.get("matches")):
        if not _search(pattern, text):
            yield f"matches nowhere {pattern!r}"
    if wanted.get("executable", there[1]) != there[1]:
        yield "is executable" if there[1] else "is not executable"
    if "data" in wanted:
        try:
            documents = [one.value for one in load_all(text)]
            yield from _differs(wanted["data"], documents[0] if len(documents) == 1 else documents)
        except YamlError as error:
            yield f"is neither YAML nor JSON: {error}"


def _search(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text, re.MULTILINE) is not None
    except re.error as error:
        raise InputError(f"{pattern!r} is no pattern: {error}", code="scaffolder.bad_cases") from error


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


def _differs(wanted: Any, found: Any, at: str = "") -> Iterator[str]:
    """Where `found` lacks something of `wanted`; it may have more keys."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for key, value in wanted.items():
            if key in found:
                yield from _differs(value, found[key], f"{at}.{key}")
            elif value is not None:
                yield f"{at}.{key} is not there"
    elif isinstance(wanted, list) and isinstance(found, list):
        if len(wanted) != len(found):
            yield f"{at} has {len(found)} items, expected {len(wanted)}"
        for index, (left, right) in enumerate(zip(wanted, found, strict=False)):
            yield from _differs(left, right, f"{at}[{index}]")
    elif wanted != found or isinstance(wanted, bool) != isinstance(found, bool):
        yield f"{at} is {found!r}, expected {wanted!r}"


def _diff(wanted: str, found: str) -> list[str]:
    lines = list(difflib.unified_diff(wanted.splitlines(), found.splitlines(), "expected", "found", lineterm="", n=1))
    return lines[:MOST_LINES] + (["…"] if len(lines) > MOST_LINES else [])


def judge_golden(template: Path, case: Case, tried: Tried, *, update: bool) -> list[str]:
    """Compare every file with the golden ones of the case, or with `update` make these the golden ones."""
    if not case.golden or tried.error:
        return []
    folder = golden_folder(template, case)
    if update:
        _write(folder, tried)
        return []
    if not folder.is_dir():
        return [f"there are no golden files at {folder.name}: run with --update, and look at them"]
    kept = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    found = [f"{path}: is not written, and is a golden file" for path in sorted(set(kept) - set(tried.files))]
    found += [f"{path}: is written, and is no golden file" for path in sorted(set(tried.files) - set(kept))]
    for path in sorted(set(kept) & set(tried.files)):
        content, executable = tried.files[path]
        golden = kept[path].read_bytes()
        if content != golden:
            found.append(f"{path}: differs from its golden file")
            found += _diff(golden.decode(errors="replace"), content.decode(errors="replace"))
        elif executable != bool(kept[path].stat().st_mode & 0o100):
            found.append(f"{path}: {'is' if executable else 'is not'} executable, unlike its golden file")
    return found


def _write(folder: Path, tried: Tried) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    write_files(folder, tried)


def write_files(folder: Path, tried: Tried) -> None:
    """Write what a case made."""
    for path, (content, executable) in tried.files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        place.chmod(EXECUTABLE if executable else PLAIN)
