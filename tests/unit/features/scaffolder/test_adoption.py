"""Reading answers back out of rendered files, and the traces that tools leave."""

from __future__ import annotations

from collections.abc import Mapping
from time import process_time
from typing import Any

import pytest

from taxiway.features.scaffolder.adoption.inferring import MOST_RENDERS, MOST_SECONDS, fields_of, infer
from taxiway.features.scaffolder.adoption.marking import likeness, mark_of, votes_of
from taxiway.features.scaffolder.adoption.run import fitting
from taxiway.features.scaffolder.adoption.traces import plain_address, subject_of, traces_of
from taxiway.features.scaffolder.model import Version, parse_template
from taxiway.model.errors import InputError


def draw(version: Version) -> dict[str, bytes]:
    """A template in Python: what a version makes of its answers."""
    values = version.values
    made = {
        "catalog-info.yaml": f"metadata:\n  name: {values['name']}\nspec:\n  owner: {values['owner']}\n",
        f"src/{values['name'].replace('-', '_')}/app.py": f"NAME = '{values['name']}'\nPORT = {values['port']}\n",
        "ci.yaml": "with: cache\n" if values.get("cache") else "without\n",
    }
    if values.get("database") == "postgres":
        made["db.sql"] = f"create schema {values.get('schema', 'public')};\n"
    if version.document["metadata"].get("generation") == 2:
        made["new.txt"] = "new\n" * 5
    return {path: text.encode() for path, text in made.items()}


FORM = {
    "required": ["name", "owner"],
    "properties": {
        "name": {"type": "string"},
        "owner": {"type": "string", "ui:field": "OwnerPicker"},
        "port": {"type": "integer", "default": 80},
        "cache": {"type": "boolean"},
        "database": {"type": "string", "enum": ["none", "postgres"], "default": "none"},
    },
    "dependencies": {
        "database": {"oneOf": [{"properties": {"database": {"const": "postgres"}, "schema": {"type": "string"}}}]}
    },
}


def version(generation: int, values: Mapping[str, Any] | None = None) -> Version:
    document = {
        "apiVersion": "scaffolder.backstage.io/v1beta3",
        "kind": "Template",
        "metadata": {"name": "path", "generation": generation},
        "spec": {"parameters": FORM, "steps": [{"action": "publish:git"}]},
    }
    return Version(document, f"sha256:{generation}", values or {})


def test_answers_and_version_are_read_back_from_what_was_made_and_changed_since() -> None:
    answers = {
        "name": "pay-desk",
        "owner": "group:default/makers",
        "port": 8443,
        "cache": True,
        "database": "postgres",
        "schema": "desk",
    }
    there = draw(version(1, answers))
    there["catalog-info.yaml"] += b"  lifecycle: production\n"
    there["own.py"] = b"print('ours')\n"
    found = infer("template:default/path", [version(2), version(1)], there, {}, draw)
    assert found.version.document == version(1).document
    assert found.version.values == answers
    assert found.likeness > 0.95
    assert found.origins["port"] == "found"
    assert found.lines["port"] == 1
    assert found.origins["cache"] == "tried"
    assert found.origins["database"] == "tried"


def test_an_answer_that_is_given_wins_and_what_cannot_be_seen_is_said() -> None:
    there = draw(version(1, {"name": "a", "owner": "makers", "port": 80}))
    del there["catalog-info.yaml"]
    found = infer("template:default/path", [version(1)], there, {"name": "b"}, draw)
    assert found.version.values["name"] == "b"
    assert found.origins["name"] == "given"
    assert found.origins["owner"] == "unknown"
    assert "schema" not in found.version.values


def test_a_template_of_many_options_is_bounded() -> None:
    drawn = 0

    def counting(wanted: Version) -> dict[str, bytes]:
        nonlocal drawn
        drawn += 1
        return {"a.txt": str(sorted(wanted.values.items())).encode()}

    form = {"properties": {f"flag{n}": {"type": "boolean"} for n in range(200)}}
    document = {**version(1).document, "spec": {"parameters": form, "steps": [{"action": "publish:git"}]}}
    infer("template:default/path", [Version(document, "sha256:1", {})], {"a.txt": b"[]"}, {}, counting)
    assert drawn <= MOST_RENDERS + 1


def test_a_template_that_takes_its_time_is_bounded() -> None:
    clock, drawn = [0.0], 0

    def slow(wanted: Version) -> dict[str, bytes]:
        nonlocal drawn
        drawn, clock[0] = drawn + 1, clock[0] + MOST_SECONDS
        return draw(wanted)

    answers = {"name": "a", "owner": "makers", "port": 80}
    infer("template:default/path", [version(1)], draw(version(1, answers)), {}, slow, lambda: clock[0])
    assert drawn <= 3


def test_lines_that_are_made_to_cost_much_are_bounded() -> None:
    first, second = (mark_of(name, number, {"type": "string"}) for number, name in enumerate("ab"))
    assert first is not None
    assert second is not None
    made = "\n".join(f"{first.token}aaa{second.token}{'a' * count}" for count in range(250))
    there = "\n".join(f"{'a' * 200}{number}{'a' * 60}" for number in range(2000))
    begun = process_time()
    votes_of({"a.txt": made.encode()}, [first, second], {"a.txt": there.encode()})
    assert process_time() - begun < 10, "it takes minutes without a bound"


def test_answers_that_do_not_fit_are_those_that_were_proposed() -> None:
    template = parse_template(version(1).document, "template:default/path", "", "")
    proposed = {"name": "a", "owner": "makers", "port": 80, "schema": "own"}
    merged = {"name": ["rubbish"], "port": 8080, "cache": "yes", "other": 1}
    assert fitting(template, merged, proposed) == (
        {"name": "a", "owner": "makers", "port": 8080},
        ["cache", "name", "other", "owner"],
    )


def test_an_answer_that_is_a_secret_is_not_read_back() -> None:
    form = {"properties": {"kind": {"type": "string"}, "key": {"type": "string", "writeOnly": True}}}
    document = {**version(1).document, "spec": {"parameters": form, "steps": [{"action": "publish:git"}]}}
    assert list(fields_of(parse_template(document, "template:default/path", "", ""))) == ["kind"]


def test_a_template_that_cannot_be_rendered_says_so() -> None:
    def broken(wanted: Version) -> dict[str, bytes]:
        raise InputError("a filter is missing")

    with pytest.raises(InputError, match="filter"):
        infer("template:default/path", [version(1)], {"a.txt": b""}, {}, broken)


def test_a_line_that_could_be_any_line_tells_nothing() -> None:
    mark = mark_of("title", 0, {"type": "string"})
    assert mark is not None
    votes = votes_of({"a.txt": mark.token.encode()}, [mark], {"a.txt": b"anything\nat all\n"})
    assert not votes["title"]


def test_binary_files_are_alike_or_not() -> None:
    assert likeness({"a": b"\0\1"}, {"a": b"\0\1"}) == 1
    assert likeness({"a": b"\0\1"}, {"a": b"\0\2"}) == 0.5
    assert likeness({"a": b"\0\1"}, {"b": b"\0\1"}) == 0


def test_each_tool_leaves_its_trace() -> None:
    entity = b"kind: Component\nmetadata:\n  name: Shop\n  annotations:\n    backstage.io/source-template: template:x\n"
    copier = b"_commit: v1.2\n_src_path: gh:acme/service\nproject_name: shop\n"
    cruft = b'{"template": "git@github.com:acme/py.git", "commit": "ab12", "context": {"cookiecutter": {"slug": "s"}}}'
    found = traces_of({"catalog-info.yaml": entity, ".copier-answers.yml": copier, ".cruft.json": cruft})
    assert [(trace.tool, trace.template, trace.commit, dict(trace.answers)) for trace in found] == [
        ("backstage", "template:x", None, {}),
        ("copier", "gh:acme/service", "v1.2", {"project_name": "shop"}),
        ("cruft", "git@github.com:acme/py.git", "ab12", {"slug": "s"}),
    ]
    assert subject_of(entity) == "component:default/shop"


@pytest.mark.parametrize("rubbish", [b"", b"\xff\xfe", b"[1]", b"a: [", b"{" * 5000, b"null", b"kind: Component"])
def test_rubbish_is_no_trace(rubbish: bytes) -> None:
    assert traces_of({"catalog-info.yaml": rubbish, ".copier-answers.yml": rubbish, ".cruft.json": rubbish}) == []
    assert subject_of(rubbish) is None


@pytest.mark.parametrize(
    "address",
    ["gh:Acme/py", "https://github.com/acme/py.git", "git@github.com:acme/py", "ssh://git@github.com/acme/py/"],
)
def test_one_repository_has_many_spellings(address: str) -> None:
    assert plain_address(address) == "github.com/acme/py"
