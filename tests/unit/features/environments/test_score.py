from __future__ import annotations

from typing import Any

import pytest

from taxiway.features.environments.model import release_id, service_key, worst
from taxiway.features.environments.score import parse_score
from taxiway.features.environments.substitution import SecretRef, expand, expand_text, expand_tree, resolver
from taxiway.model.entity import EntityRef
from taxiway.model.errors import InputError

METADATA = {"name": "shop", "annotations": {"key.com/foo-bar": "thing"}, "list": [1, {"a": "b"}]}
OUTPUTS: dict[str, dict[str, Any]] = {"db": {"host": "h", "port": 5432, "pw": SecretRef("db", "pw", "secret://x")}}
RESOLVE = resolver(METADATA, OUTPUTS)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("", ""),
        ("abc", "abc"),
        ("$abc", "$abc"),
        ("abc $$ abc", "abc $ abc"),
        ("$${abc}", "${abc}"),
        ("$$${metadata.name}", "$shop"),
        ("$$$${abc}", "$${abc}"),
        ("my name is ${metadata.name}", "my name is shop"),
        ("${metadata.annotations.key\\.com/foo-bar}", "thing"),
        ("${metadata.list}", '[1,{"a":"b"}]'),
        ("${resources.db.host}:${resources.db.port}", "h:5432"),
    ],
)
def test_placeholders_expand(text: str, result: str) -> None:
    assert expand_text(text, RESOLVE) == result


@pytest.mark.parametrize(
    "text",
    ["${metadata}", "${resources}", "${resources.db}", "${resources.no.x}", "${resources.db.no}", "${foo.bar}", "${}"],
)
def test_what_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        expand_text(text, RESOLVE)


def test_a_secret_stays_a_part_of_its_own_and_cannot_stand_in_text() -> None:
    assert expand("a${resources.db.pw}b", RESOLVE) == ["a", OUTPUTS["db"]["pw"], "b"]
    with pytest.raises(InputError, match="secret"):
        expand_text("a${resources.db.pw}", RESOLVE)


def test_params_keep_the_type_of_a_lone_placeholder() -> None:
    assert expand_tree({"port": "${resources.db.port}", "t": ["x${resources.db.port}"]}, RESOLVE) == {
        "port": 5432,
        "t": ["x5432"],
    }


def score(resources: str, container: str = "image: x") -> str:
    return f"apiVersion: score.dev/v1b1\nmetadata: {{name: shop}}\ncontainers: {{main: {{{container}}}}}\n{resources}"


def test_dependencies_come_first_and_a_circle_is_refused() -> None:
    found = parse_score(
        score("resources: {aa: {type: tt, params: {h: '${resources.zz.h}'}}, mm: {type: tt}, zz: {type: tt}}")
    )
    assert [r.name for r in found.resources] == ["mm", "zz", "aa"]
    with pytest.raises(InputError, match="circle"):
        parse_score(
            score(
                "resources: {aa: {type: tt, params: {h: '${resources.zz.h}'}}, "
                "zz: {type: tt, params: {h: '${resources.aa.h}'}}}"
            )
        )


def test_one_identity_with_two_meanings_is_refused() -> None:
    with pytest.raises(InputError, match="different params"):
        parse_score(
            score(
                "resources: {aa: {type: tt, id: xx, params: {a: 1}}, bb: {type: tt, id: xx, params: {a: 2}}}",
            )
        )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[1]", "mapping"),
        ("a: [", "YAML"),
        ("a: 1\na: 2", "twice"),
        ("x: " + "y" * 300_000, "limit"),
        (score("", "image: x, variables: {A: '${resources.db.x}'}"), "does not declare"),
        (score("", "image: x, before: {other: {ready: started}}"), "no container"),
        (score("", "imagee: x"), "containers/main"),
    ],
)
def test_a_wrong_file_says_why(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        parse_score(text)


def test_equal_parts_are_one_release_and_any_other_is_another() -> None:
    parts = ("component:default/shop", "uid", "c" * 40, "sha256:a", "sha256:b")
    assert release_id(*parts) == release_id(*parts)
    others = {release_id(*(v + "x" if i == n else v for i, v in enumerate(parts))) for n in range(5)}
    assert len(others) == 5


def test_the_key_of_a_service_fits_everywhere() -> None:
    assert service_key(EntityRef("component", "default", "shop")) == "shop"
    assert service_key(EntityRef("component", "team", "my_shop")) == "team--my-shop"
    long = [service_key(EntityRef("component", "default", "a" * 60 + end)) for end in "bc"]
    assert long[0] != long[1]
    assert all(len(key) <= 50 for key in long)


def test_the_worst_health_counts() -> None:
    assert worst(["healthy", "degraded", "progressing"]) == "degraded"
    assert worst([]) == "missing"
