"""Keys and the encrypted store. The name of a secret is bound to its ciphertext: under another it will not open."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from taxiway.model.errors import InputError, InternalError, UnavailableError
from taxiway.plugin import NewId, Records

KEY_BYTES = 32
NONCE_BYTES = 12
LONGEST_VALUE = 1_000_000
CURRENT = "current"


@dataclass(frozen=True)
class Keys:
    """All keys by id, and the id of the one that encrypts."""

    current: str
    by_id: Mapping[str, bytes]


def open_keys(folder: Path, new_id: NewId) -> Keys:
    """The keys in `folder` (one file `<id>.key` each, mode 0600); the first is made when there is none."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    pointer = folder / CURRENT
    if not pointer.exists():
        rotate(folder, new_id)
    loaded = {path.stem: _read_key(path) for path in folder.glob("*.key")}
    current = pointer.read_text().strip()
    if current not in loaded:
        raise UnavailableError(
            f"the key {current} is missing in {folder}: restore it from a backup", code="secrets.key"
        )
    return Keys(current, loaded)


def rotate(folder: Path, new_id: NewId) -> str:
    """Make a new key that encrypts from the next start on; older ones still decrypt. Returns its id."""
    identifier = new_id()
    _write(folder / f"{identifier}.key", base64.b64encode(os.urandom(KEY_BYTES)))
    _write(folder / CURRENT, identifier.encode())
    return identifier


@dataclass(frozen=True)
class LocalSecrets:
    """Implements `SecretStore`. Values are text of at most 1 MB."""

    key: str
    records: Records
    keys: Keys

    def put(self, name: str, value: str) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if len(value) > LONGEST_VALUE:
            raise InputError(f"a secret has at most {LONGEST_VALUE} characters", code="secrets.too_long")
        nonce = os.urandom(NONCE_BYTES)
        sealed = AESGCM(self.keys.by_id[self.keys.current]).encrypt(nonce, value.encode(), name.encode())
        ciphertext = base64.b64encode(nonce + sealed).decode()
        self.records.put(name, {"key_id": self.keys.current, "ciphertext": ciphertext})

    def get(self, name: str) -> str | None:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        record = self.records.get(name)
        if record is None:
            return None
        key = self.keys.by_id.get(record.value["key_id"])
        if key is None:
            raise UnavailableError(
                f"the key {record.value['key_id']} of the secret '{name}' is missing: restore it from a backup",
                code="secrets.key",
            )
        blob = base64.b64decode(record.value["ciphertext"])
        try:
            return AESGCM(key).decrypt(blob[:NONCE_BYTES], blob[NONCE_BYTES:], name.encode()).decode()
        except InvalidTag as error:
            raise InternalError(
                f"the secret '{name}' was changed in the database: set it again", code="secrets.tampered"
            ) from error

    def delete(self, name: str) -> None:
        self.records.delete(name)


def _read_key(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        raise UnavailableError(f"others can read the key {path}: run chmod 600 on it", code="secrets.key_mode")
    key = base64.b64decode(path.read_bytes())
    if len(key) != KEY_BYTES:
        raise UnavailableError(f"the key {path} is damaged: restore it from a backup", code="secrets.key")
    return key


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
