"""Templates as values."""

from __future__ import annotations

from typing import Any

import pytest

from taxiway.features.scaffolder.model import is_true, parse_template, runs_after_failure, secret_fields
from taxiway.features.scaffolder.validation import check_values, with_defaults
from taxiway.model.errors import InputError


def template(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "scaffolder.backstage.io/v1beta3",
        "kind": "Template",
        "metadata": {"name": "t"},
        "spec": {"type": "service", "steps": [{"action": "debug:log"}], **spec},
    }


@pytest.mark.parametrize("value", [False, None, "", 0, [], float("nan")])
def test_these_conditions_skip_a_step(value: Any) -> None:
    assert not is_true(value)


@pytest.mark.parametrize("value", [True, "false", {}, 1, [0]])
def test_these_conditions_run_a_step(value: Any) -> None:
    assert is_true(value)


def test_steps_without_an_id_are_numbered_and_named_by_their_action() -> None:
    parsed = parse_template(template(), "template:default/t", "file:/x/template.yaml", "1")
    assert [(step.id, step.name) for step in parsed.steps] == [("step-1", "debug:log")]


def test_a_step_without_an_action_is_named_by_its_place() -> None:
    with pytest.raises(InputError) as caught:
        parse_template(template(steps=[{"action": "a"}, {"name": "x"}]), "template:default/t", "", "1")
    assert [error.pointer for error in caught.value.errors] == ["/spec/steps/1"]


def test_two_steps_with_one_id_are_refused() -> None:
    steps = [{"id": "a", "action": "x"}, {"id": "a", "action": "y"}]
    with pytest.raises(InputError) as caught:
        parse_template(template(steps=steps), "template:default/t", "", "1")
    assert "'a'" in caught.value.errors[0].detail


def test_always_and_failure_mean_what_they_say() -> None:
    assert runs_after_failure("${{ always() }}")
    assert runs_after_failure("${{ failure( ) }}")
    assert not runs_after_failure("${{ success() }}")


PAGES = [
    {
        "title": "One",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "pattern": "^[a-z]+$"},
            "size": {"type": "integer", "default": 2},
            "password": {"type": "string", "ui:field": "Secret"},
        },
    }
]


def test_wrong_answers_are_named_by_pointer() -> None:
    with pytest.raises(InputError) as caught:
        check_values(PAGES, {"name": "BAD", "size": "x"})
    assert {error.pointer for error in caught.value.errors} == {"/name", "/size"}


def test_defaults_fill_what_was_not_answered() -> None:
    assert with_defaults(PAGES, {"name": "a"}) == {"name": "a", "size": 2}
    assert with_defaults(PAGES, {"name": "a", "size": 5})["size"] == 5


def test_secret_fields_are_found_by_their_widget() -> None:
    assert secret_fields(PAGES) == {"password"}


def test_prefixed_keys_of_a_template_are_known_and_usable() -> None:
    spec = {"taxiway:fro": {}, "taxiway:for": {"kind": "Component"}}
    with pytest.raises(InputError) as caught:
        parse_template(template(**spec), "template:default/t", "", "1")
    told = {error.pointer: error.detail for error in caught.value.errors}
    assert "did you mean 'taxiway:for'?" in told["/spec/taxiway:fro"]
    assert "parameter" in told["/spec/taxiway:for"]


@pytest.mark.parametrize(
    ("spec", "at"),
    [
        ({"parameters": [1]}, "/spec/parameters/0"),
        ({"parameters": {"properties": []}}, "/spec/parameters/properties"),
        ({"steps": {"a": 1}}, "/spec/steps"),
        ({"output": []}, "/spec/output"),
        ({"secrets": "x"}, "/spec/secrets"),
    ],
)
def test_a_part_of_another_type_is_named_by_its_place(spec: Any, at: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_template(template(**spec), "template:default/t", "", "1")
    assert [error.pointer for error in caught.value.errors] == [at]
