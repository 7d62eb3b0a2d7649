"""Which repository and file a location on a forge such as ours names."""

from __future__ import annotations

from taxiway.features.catalog.sources.targets import repository_and_path


def test_a_clone_url_ends_at_the_first_repository_and_the_rest_is_a_path() -> None:
    base = "url:https://taxiway.example.com/git/parts.git"
    assert repository_and_path(base) == ("parts", "catalog-info.yaml")
    assert repository_and_path(f"{base}/mirrors/x.git/t.yaml?at=main") == ("parts", "mirrors/x.git/t.yaml")
    assert repository_and_path("url:https://forge.example.com/acme/parts/blob/main/t.yaml") == ("", "")
