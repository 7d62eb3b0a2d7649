"""`Secrets` over the secret stores in the registry. A reference is `secret://<store>/<name>`."""

from __future__ import annotations

from dataclasses import dataclass

from taxiway.core.registry import Registry
from taxiway.model.errors import InputError, NotFoundError
from taxiway.plugin import SecretStore

SCHEME = "secret://"
DEFAULT_STORE = "secrets_local"


@dataclass(frozen=True)
class RegistrySecrets:
    """Picks the store by the reference; new secrets go to `default`. `prefix` goes before every new name."""

    registry: Registry
    default: str = DEFAULT_STORE
    prefix: str = ""

    def put(self, name: str, value: str) -> str:
        """Store or replace, and return the reference."""
        if not name or name.startswith("/") or ".." in name.split("/"):
            raise InputError(f"'{name}' is no name for a secret: use <feature>/<name>", code="secrets.name")
        name = self.prefix + name
        self._store(self.default).put(name, value)
        return f"{SCHEME}{self.default}/{name}"

    def get(self, reference: str) -> str:
        """The value. NotFoundError when it is gone."""
        store, name = split(reference)
        value = self._store(store).get(name)
        if value is None:
            raise NotFoundError(f"the secret {reference} is gone: set it again", code="secrets.gone")
        return value

    def delete(self, reference: str) -> None:
        """Forget the value; nothing happens when it is gone."""
        store, name = split(reference)
        self._store(store).delete(name)

    def _store(self, key: str) -> SecretStore:
        found: SecretStore = self.registry.get("secret_store", key)
        return found


def split(reference: str) -> tuple[str, str]:
    """Store and name of a reference. InputError when it is none."""
    store, slash, name = reference.removeprefix(SCHEME).partition("/")
    if not reference.startswith(SCHEME) or not slash or not store or not name:
        raise InputError("a reference to a secret looks like secret://<store>/<name>", code="secrets.reference")
    return store, name
