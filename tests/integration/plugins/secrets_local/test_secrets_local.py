from __future__ import annotations

import stat
from pathlib import Path

import pytest

from taxiway.model.errors import InternalError, UnavailableError
from taxiway.plugin import Plugin, SystemClock, new_ids
from taxiway.plugin.testing import MemoryRecords, PluginConformance, RecordsConformance, SecretStoreConformance
from taxiway.plugins.secrets_local import PLUGIN
from taxiway.plugins.secrets_local.store import LocalSecrets, open_keys, rotate

new_id = new_ids(SystemClock())


@pytest.fixture
def records() -> MemoryRecords:
    return MemoryRecords()


@pytest.fixture
def store(tmp_path: Path, records: MemoryRecords) -> LocalSecrets:
    return LocalSecrets("secrets_local", records, open_keys(tmp_path / "keys", new_id))


class TestStore(SecretStoreConformance):
    pass


class TestMemoryRecords(RecordsConformance):
    pass


class TestPlugin(PluginConformance):
    @pytest.fixture
    def plugin(self) -> Plugin:
        return PLUGIN


def test_the_key_is_for_its_owner_only(tmp_path: Path, store: LocalSecrets) -> None:
    keys = list((tmp_path / "keys").glob("*.key"))
    assert [stat.S_IMODE(path.stat().st_mode) for path in keys] == [0o600]
    keys[0].chmod(0o644)
    with pytest.raises(UnavailableError, match="chmod 600"):
        open_keys(tmp_path / "keys", new_id)


def test_the_record_tells_nothing_and_names_its_key(store: LocalSecrets, records: MemoryRecords) -> None:
    store.put("a", "hunter2")
    record = records.get("a")
    assert record is not None
    assert record.value["key_id"] == store.keys.current
    assert "hunter2" not in str(record.value)
    store.put("b", "hunter2")
    other = records.get("b")
    assert other is not None
    assert other.value["ciphertext"] != record.value["ciphertext"]


def test_a_secret_moved_under_another_name_does_not_open(store: LocalSecrets, records: MemoryRecords) -> None:
    store.put("a", "hunter2")
    record = records.get("a")
    assert record is not None
    records.put("b", record.value)
    with pytest.raises(InternalError, match="changed"):
        store.get("b")


def test_after_a_rotation_old_secrets_still_open(tmp_path: Path, store: LocalSecrets, records: MemoryRecords) -> None:
    store.put("old", "1")
    rotate(tmp_path / "keys", new_id)
    newer = LocalSecrets("secrets_local", records, open_keys(tmp_path / "keys", new_id))
    newer.put("new", "2")
    assert (newer.get("old"), newer.get("new")) == ("1", "2")
    assert newer.keys.current != store.keys.current
    with pytest.raises(UnavailableError, match="backup"):
        store.get("new")
