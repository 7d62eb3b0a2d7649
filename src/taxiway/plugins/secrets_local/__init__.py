"""The secret store of a single machine: AES-256-GCM, keys in the data folder, ciphertext in this plugin's records.

A copy of the database alone therefore tells nothing. Every ciphertext names its key, so that the key can be rotated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.plugin import Plugin, PluginContext
from taxiway.plugins.secrets_local.store import LocalSecrets, open_keys

NAME = "secrets_local"


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    """Make the key at the first start, and offer the store."""
    keys = open_keys(ctx.data_dir.parent.parent / "keys" / NAME, ctx.new_id)
    return [("secret_store", LocalSecrets(NAME, ctx.records, keys))]


PLUGIN = Plugin(NAME, "1", contribute, description="Encrypted secrets on this machine (AES-256-GCM)")
