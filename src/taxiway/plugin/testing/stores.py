"""Conformance of what keeps things: records, secret stores, forges."""

from __future__ import annotations

import pytest

from taxiway.model.errors import ConflictError
from taxiway.model.workload import FileChange
from taxiway.plugin import Forge, Records, SecretStore


class RecordsConformance:
    """Give a fixture `records`: empty records of one plugin."""

    def test_versions_grow_by_one(self, records: Records) -> None:
        assert records.get("a") is None
        assert records.put("a", {"n": 1}).version == 1
        assert records.put("a", {"n": 2}).version == 2
        found = records.get("a")
        assert found is not None
        assert (found.value, found.version) == ({"n": 2}, 2)

    def test_a_write_over_another_version_is_a_conflict(self, records: Records) -> None:
        records.put("a", {}, expect=0)
        for expect in (0, 2):
            with pytest.raises(ConflictError):
                records.put("a", {"n": 1}, expect=expect)
            with pytest.raises(ConflictError):
                records.delete("a", expect=expect)
        assert records.put("a", {"n": 1}, expect=1).version == 2
        assert records.delete("a", expect=2) is True
        assert records.delete("a") is False

    def test_lists_are_by_key_prefix_and_page(self, records: Records) -> None:
        for key in ("b/2", "a", "b/1", "b/10", "b%", "c"):
            records.put(key, {})
        assert [item.key for item in records.list("b/")] == ["b/1", "b/10", "b/2"]
        assert [item.key for item in records.list("b/", after="b/1", limit=1)] == ["b/10"]
        assert len(records.list()) == 6


class SecretStoreConformance:
    """Give a fixture `store`: an empty secret store."""

    def test_a_value_comes_back_until_it_is_deleted(self, store: SecretStore) -> None:
        assert store.get("team/db/password") is None
        store.put("team/db/password", "first")
        store.put("team/db/password", "sécond\n")
        assert store.get("team/db/password") == "sécond\n"
        store.delete("team/db/password")
        assert store.get("team/db/password") is None
        store.delete("team/db/password")

    def test_names_do_not_mix(self, store: SecretStore) -> None:
        store.put("a", "1")
        store.put("a/b", "2")
        assert (store.get("a"), store.get("a/b")) == ("1", "2")


class ForgeConformance:
    """Give a fixture `forge`: a forge without the repository `conformance`."""

    def _make(self, forge: Forge, request_key: str = "key-1") -> None:
        forge.create_repository(
            "conformance", description="", owner=None, default_branch="main", request_key=request_key
        )

    def test_making_a_repository_twice_is_one(self, forge: Forge) -> None:
        self._make(forge)
        self._make(forge)
        with pytest.raises(ConflictError):
            self._make(forge, "key-2")
        assert [item.name for item in forge.list_repositories()].count("conformance") == 1

    def test_a_commit_changes_files_and_an_equal_one_changes_nothing(self, forge: Forge) -> None:
        self._make(forge)
        first = forge.commit(
            "conformance", "main", {"a/b.txt": FileChange(b"1")}, message="one", author="A <a@example.org>"
        )
        assert forge.resolve("conformance", "main") == first
        assert forge.read_file("conformance", first, "a/b.txt") == b"1"
        assert forge.read_file("conformance", first, "gone") is None
        assert list(forge.list_files("conformance", "main")) == ["a/b.txt"]
        again = forge.commit(
            "conformance", "main", {"a/b.txt": FileChange(b"1")}, message="two", author="A <a@example.org>"
        )
        assert again == first

    def test_a_commit_onto_another_head_is_a_conflict(self, forge: Forge) -> None:
        self._make(forge)
        first = forge.commit("conformance", "main", {"a": FileChange(b"1")}, message="one", author="A <a@example.org>")
        forge.commit(
            "conformance", "main", {"a": FileChange(b"2")}, message="two", author="A <a@example.org>", expect=first
        )
        with pytest.raises(ConflictError):
            forge.commit(
                "conformance", "main", {"a": FileChange(b"3")}, message="x", author="A <a@example.org>", expect=first
            )

    def test_deleting_twice_is_fine(self, forge: Forge) -> None:
        self._make(forge)
        forge.delete_repository("conformance", archive=False)
        forge.delete_repository("conformance", archive=False)
        assert forge.get_repository("conformance") is None
