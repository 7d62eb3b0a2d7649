"""What a graph has room for: a team that owns thousands does not crowd out the parts of a system."""

from __future__ import annotations

from taxiway.features.catalog.repository.graph import reached_by


def test_ends_of_few_relations_come_before_those_of_many() -> None:
    owned = {(f"component:a{n}", "group:big", "ownedBy") for n in range(900)}
    parts = {("component:z1", "system:shop", "partOf"), ("component:z2", "system:shop", "partOf")}
    both = {("component:a5", "system:shop", "partOf"), ("system:shop", "group:big", "ownedBy")}
    reached = reached_by(owned | parts | both, {"system:shop", "group:big"})
    assert reached[:3] == ["component:a5", "component:z1", "component:z2"]
    assert len(reached) == 902
