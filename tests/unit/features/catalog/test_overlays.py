"""What overlays may write, how they are laid over each other, and where each value comes from."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from taxiway.core.settings_sources import OverlaySettings
from taxiway.features.catalog.overlays import Layer, in_order, merged, origins, selected

OWN: dict[str, Any] = {
    "kind": "Component",
    "metadata": {"name": "a", "tags": ["java", "web"], "annotations": {"acme.dev/tier": "2", "x": "1"}},
    "spec": {"lifecycle": "production"},
}


def _meta(**metadata: Any) -> dict[str, Any]:
    return {"metadata": metadata}


@pytest.mark.parametrize(
    ("field", "path", "may"),
    [
        ("metadata.annotations.*", ("metadata", "annotations", "pagerduty.com/id"), True),
        ("metadata.annotations.pagerduty.com/*", ("metadata", "annotations", "pagerduty.com/id"), True),
        ("metadata.annotations.pagerduty.com/*", ("metadata", "annotations", "pagerduty_com/id"), False),
        ("metadata.annotations.pagerduty.com/*", ("metadata", "annotations", "x.pagerduty.com/id"), False),
        ("metadata.annotations.*", ("metadata", "annotations", "backstage.io/managed-by-location"), False),
        ("metadata.annotations.*", ("metadata", "labels", "x"), False),
        ("metadata.label", ("metadata", "labels"), False),
        ("spec.profile", ("spec", "profile", "email"), True),
        ("spec.*.email", ("spec", "profile", "email"), True),
        ("metadata.*", ("metadata", "annotations", "x"), True),
    ],
)
def test_an_overlay_may_write_what_it_declared(field: str, path: tuple[str, ...], may: bool) -> None:
    document: Any = "value"
    for key in reversed(path):
        document = {key: document}
    kept, refused = selected(document, [field])
    assert (kept, refused) == ((document, []) if may else ({}, [path]))


def test_what_says_which_entity_it_is_stands_in_every_document_and_is_not_written() -> None:
    document = {"apiVersion": "v1", "kind": "Component", "metadata": {"name": "a", "namespace": "b", "title": None}}
    assert selected({**document, "spec": {}}, ["metadata.*", "spec.*"]) == ({}, [])


@pytest.mark.parametrize(
    "fields", [[], ["kind"], ["metadata"], ["metadata.name"], ["spec..x"], ["status.x"], ["spec."]]
)
def test_settings_refuse_fields_that_no_overlay_may_have(fields: list[str]) -> None:
    with pytest.raises(ValidationError):
        OverlaySettings(fields=tuple(fields))
    with pytest.raises(ValidationError, match="own source"):
        OverlaySettings(fields=("spec.x",), precedence=0)


def test_the_highest_wins_and_below_zero_only_what_is_missing_is_filled() -> None:
    tier = {"annotations": {"acme.dev/tier": "1", "y": "9"}}
    layers = [
        Layer("push:low", _meta(**tier, title="Low"), -5),
        Layer("push:high", _meta(title="High"), 20),
        Layer("push:b", _meta(title="B", description="from b"), 10),
        Layer("push:a", _meta(description="from a"), 10),
    ]
    found = merged(OWN, layers)["metadata"]
    assert (found["title"], found["description"]) == ("High", "from a")
    assert found["annotations"] == {"acme.dev/tier": "2", "x": "1", "y": "9"}
    assert [layer.source_id for layer in in_order(Layer("", OWN), layers)] == [
        *("push:high", "push:a", "push:b"),
        *("", "push:low"),
    ]


@pytest.mark.parametrize(
    ("precedence", "lists", "tags"),
    [
        (5, "union", ["java", "web", "pci"]),
        (-5, "union", ["java", "web", "pci"]),
        (5, "replace", ["pci", "web"]),
        (-5, "replace", ["java", "web"]),
    ],
)
def test_lists_are_joined_or_replaced(precedence: int, lists: str, tags: list[str]) -> None:
    layer = Layer("push:a", _meta(tags=["pci", "web"]), precedence, lists)
    assert merged(OWN, [layer])["metadata"]["tags"] == tags


def test_every_value_tells_where_it_comes_from_and_what_it_won_over() -> None:
    layers = [
        Layer("push:a", {"metadata": {"tags": ["web", "pci"], "title": "A"}, "spec": {"lifecycle": "deprecated"}}, 5),
        Layer("push:b", _meta(title="B"), 9),
    ]
    document = merged(OWN, layers)
    document["metadata"]["namespace"] = "default"
    found = {origin.path: origin for origin in origins(document, in_order(Layer("own", OWN), layers))}
    told = {path: (origin.source_id, origin.own_path[-1:], list(origin.over)) for path, origin in found.items()}
    assert told[("spec", "lifecycle")] == ("push:a", ("lifecycle",), [("own", "production")])
    assert told[("metadata", "title")] == ("push:b", ("title",), [("push:a", "A")])
    assert told[("metadata", "annotations", "x")] == ("own", ("x",), [])
    assert told[("metadata", "namespace")] == (None, (), [])
    assert [told[("metadata", "tags", n)][:2] for n in range(3)] == [("own", (0,)), ("own", (1,)), ("push:a", (1,))]


def test_a_list_that_was_replaced_is_told_with_each_item_of_the_one_that_won() -> None:
    layer = Layer("push:a", _meta(tags=["pci"]), 5, "replace")
    found = list(origins(merged(OWN, [layer]), [layer, Layer("own", OWN)]))
    assert [list(one.over) for one in found if "tags" in one.path] == [[("own", ["java", "web"])]]
