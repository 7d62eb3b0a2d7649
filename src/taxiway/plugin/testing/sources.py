"""What every entity source must hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from taxiway.model.errors import InputError, NotAllowedError, TaxiwayError
from taxiway.plugin import (
    Autocompleter,
    EntitySource,
    HookedSource,
    HookRequest,
    SourcedEntity,
    SourcedTree,
    SourceEnd,
    SourceItem,
    SourcePart,
    SourceProblem,
    SourceRequest,
    UrlReader,
)

MAX_STATE = 100_000


class EntitySourceConformance:
    """Give fixtures `source`, `options` (readable) and `missing` (options that lead nowhere), both as the settings
    would say them, without name and type."""

    @pytest.fixture
    def request_(self, source: EntitySource, options: dict[str, Any]) -> SourceRequest:
        return SourceRequest("conformance", source.options.model_validate(options))

    def test_it_says_what_it_needs(self, source: EntitySource) -> None:
        assert source.key
        assert source.options.model_config.get("extra") == "forbid", "a misspelt setting must be refused"

    def test_it_reads_documents_with_their_place_to_an_end(self, source: EntitySource, request_: SourceRequest) -> None:
        found = list(source.read(request_))
        assert any(isinstance(item, SourcedEntity | SourcedTree) for item in found)
        for item in found:
            if isinstance(item, SourcedEntity | SourceProblem):
                assert item.location.startswith(("file:", "url:")), item.location
            if isinstance(item, SourceProblem):
                assert item.detail
            if isinstance(item, SourcedTree):
                for path in item.paths:
                    assert item.tree.read(path)
                    assert item.tree.location(path).startswith(("file:", "url:"))
        assert isinstance(found[-1], SourceEnd), "a reading that came to its end says so"
        assert [item for item in found if isinstance(item, SourceEnd)] == [found[-1]]

    def test_its_state_is_json_and_small(self, source: EntitySource, request_: SourceRequest) -> None:
        for item in source.read(request_):
            kept = item.state if isinstance(item, SourcePart) else item.cursor if isinstance(item, SourceEnd) else None
            assert kept is None or len(json.dumps(kept)) <= MAX_STATE

    def test_reading_again_gives_the_same_or_says_that_it_is_the_same(
        self, source: EntitySource, request_: SourceRequest
    ) -> None:
        first = list(source.read(request_))
        parts = {item.key: item.state for item in first if isinstance(item, SourcePart)}
        end = first[-1]
        assert isinstance(end, SourceEnd)
        again = replace(request_, cursor=end.cursor, part=parts.get, parts=lambda: list(parts))
        second = list(source.read(again))
        assert isinstance(second[-1], SourceEnd)
        same = {item.key for item in second if isinstance(item, SourcePart) and item.same}
        assert same <= set(parts), "only a part that was read before can be the same"
        if second[-1].complete:
            named = {item.key for item in second if isinstance(item, SourcePart)}
            assert named == set(parts), "a full snapshot names every part"
        if not same and second[-1].complete:
            assert _documents(second) == _documents(first)

    def test_it_stops_when_told(self, source: EntitySource, request_: SourceRequest) -> None:
        request_.cancelled.set()
        found = []
        try:
            for item in source.read(request_):
                found.append(item)
        except TaxiwayError:
            return
        complete = [item for item in found if isinstance(item, SourceEnd) and item.complete]
        assert not complete or any(isinstance(item, SourcedEntity | SourcedTree) for item in found), (
            "a stop is no empty snapshot"
        )

    def test_what_cannot_be_read_is_said_and_not_taken_for_nothing(
        self, source: EntitySource, missing: dict[str, Any]
    ) -> None:
        request = SourceRequest("conformance", source.options.model_validate(missing))
        found: list[SourceItem] = []
        try:
            found.extend(source.read(request))
        except TaxiwayError:
            return
        assert any(isinstance(item, SourceProblem) and item.detail for item in found)

    def test_a_webhook_without_a_signature_is_refused(self, source: EntitySource, options: dict[str, Any]) -> None:
        if not isinstance(source, HookedSource):
            return
        hook = HookRequest("conformance", source.options.model_validate(options), {}, b"{}")
        with pytest.raises(NotAllowedError):
            source.receive(hook)


class UrlReaderConformance:
    """Give fixtures `reader`, `url` (of a file), and `missing` (a URL on the same host that leads nowhere)."""

    def test_it_reads_a_file_by_its_url(self, reader: UrlReader, url: str) -> None:
        tree, path = reader.open(url)
        assert tree.read(path)
        assert tree.location(path).startswith("url:")
        assert path in tree.match(path)

    def test_what_is_not_there_is_said(self, reader: UrlReader, missing: str) -> None:
        with pytest.raises(TaxiwayError):
            _content(reader, missing)

    def test_nothing_outside_of_the_tree_is_read(self, reader: UrlReader, url: str) -> None:
        tree, _ = reader.open(url)
        with pytest.raises(TaxiwayError):
            tree.read("../../../../etc/passwd")


def _content(reader: UrlReader, url: str) -> bytes:
    tree, path = reader.open(url)
    return tree.read(path)


def _documents(items: Sequence[SourceItem]) -> list[str]:
    entities = [[item.location, item.document] for item in items if isinstance(item, SourcedEntity)]
    trees = [item for item in items if isinstance(item, SourcedTree)]
    files = [[tree.tree.location(path), tree.tree.read(path).decode()] for tree in trees for path in tree.paths]
    return sorted(json.dumps(one, sort_keys=True) for one in [*entities, *files])


class AutocompleterConformance:
    """Give a fixture `completer`. Nothing is asked of the other system here."""

    def test_what_it_does_not_know_is_the_requests_mistake_and_tells_no_token(self, completer: Autocompleter) -> None:
        assert completer.key
        with pytest.raises(InputError) as refused:
            completer.autocomplete("conformance", "token-of-conformance", {})
        assert "token-of-conformance" not in refused.value.detail
