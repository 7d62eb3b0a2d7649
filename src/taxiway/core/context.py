"""`Platform`: the services of one running Taxiway. `OpContext`: one operation on it, by somebody.

`ctx` is the first argument of every service function, in requests and in background work alike; there is no global.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from taxiway.core.permissions import Grant, decide, scope_of
from taxiway.core.registry import Registry
from taxiway.core.settings import Loaded, Settings
from taxiway.core.store.database import Store, Tx
from taxiway.kit.clock import Clock
from taxiway.kit.ids import NewId
from taxiway.kit.signals import Signals
from taxiway.model.access import NOBODY, Principal, Scope, system_principal
from taxiway.model.errors import NotAllowedError
from taxiway.model.event import EventDraft
from taxiway.plugin import Logger, Secrets

if TYPE_CHECKING:
    from taxiway.core.events.log import EventLog
    from taxiway.core.http.credentials import Credentials
    from taxiway.core.operations import Feature
    from taxiway.core.plugins.artifacts import FolderArtifacts
    from taxiway.core.plugins.loader import LoadedPlugin
    from taxiway.core.runs.service import Runs

IDENTITIES = "identities"
"""Topic: roles, groups, tokens or sessions changed, so that whoever remembers a principal must forget it."""


@dataclass
class Platform:
    """What a process of Taxiway is made of. Built once by the assembly in `api`, then passed around."""

    loaded: Loaded
    clock: Clock
    new_id: NewId
    store: Store
    registry: Registry
    events: EventLog
    runs: Runs
    secrets: Secrets
    artifacts: FolderArtifacts
    log: Logger
    permissions: dict[str, Grant] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    signals: Signals = field(default_factory=Signals)
    groups_of: Callable[[str], frozenset[str]] = lambda subject: frozenset()
    """The groups that a subject is in, directly or through their parents; the catalog sets it."""
    authenticate: Callable[[Credentials], Principal] = lambda credentials: NOBODY
    """Who makes a request; raises AuthenticationError for credentials that are no good. `features/access` sets it."""
    plugins: Sequence[LoadedPlugin] = ()
    """Every plugin that was found, failed and disabled ones too."""
    features: Sequence[Feature] = ()
    """What the areas of the product bring, low to high."""

    services: dict[str, Any] = field(default_factory=dict)
    """Objects that features keep for the life of the process, by feature: pools, caches, supervisors."""

    @property
    def settings(self) -> Settings:
        return self.loaded.settings

    def public_url(self) -> str:
        """Where users reach this installation, without a trailing slash."""
        settings = self.settings
        return (settings.public_url or f"http://{settings.host}:{settings.port}").rstrip("/")

    def forget_identities(self, tx: Tx) -> None:
        """Say after the commit that what was known of principals no longer holds."""
        tx.after_commit(lambda: self.signals.notify(IDENTITIES))

    def system(self, name: str) -> OpContext:
        """A context for background part `name`."""
        return OpContext(self, system_principal(name), request_id=f"{name}-{self.new_id()}")


@dataclass(frozen=True)
class OpContext:
    """One operation: the platform, who acts, and the request it belongs to."""

    platform: Platform
    principal: Principal
    request_id: str

    def authorize(self, permission: str, owner: str | None = None) -> None:
        """Raise NotAllowedError, which says why, unless the caller may use `permission` on `owner`'s things."""
        decision = decide(self.platform.permissions, self.principal, permission, owner)
        if not decision.allowed:
            raise NotAllowedError(f"you may not do this: {decision.reason}", code=f"not_allowed.{permission}")

    def scope(self, permission: str) -> Scope:
        """What a list under `permission` may show to the caller."""
        return scope_of(self.platform.permissions, self.principal, permission)

    def emit(self, tx: Tx, draft: EventDraft, owner: str | None = None) -> str:
        """Append an event in `tx` in the caller's name, and return its id."""
        return self.platform.events.append(tx, self.principal, draft, owner=owner)

    def emit_many(self, tx: Tx, drafts: Sequence[tuple[EventDraft, str | None]]) -> list[str]:
        """Append the events of (draft, owner) in `tx` in one statement, and return their ids."""
        return self.platform.events.append_many(tx, self.principal, drafts)

    def acting_as(self, principal: Principal) -> OpContext:
        """The same operation, in another principal's name."""
        return replace(self, principal=principal)
