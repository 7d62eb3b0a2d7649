"""Making things on a forge once, and taking them back: what the actions of all forges keep to.

1. Look before making. `make_once` looks what is there, notes in the inventory what is about to be made, and makes it;
   a step that was killed anywhere in between and is done again finds what it made.
2. The inventory holds names and times, never a credential. Undo uses the credential of the settings.
3. A repository is taken back only when this installation made it and every branch of it stands at a commit that this
   installation pushed (`PushedCommits`); it is archived before it is removed.
4. A dry run calls nothing: the action says with `would` what it would do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from taxiway.kit.canonical import digest
from taxiway.kit.clock import MICROSECONDS, Clock
from taxiway.model.errors import Changed, ConflictError, InputError, refuse_changed
from taxiway.model.run import Created
from taxiway.plugin.context import PluginContext, Records, StepContext
from taxiway.plugin.credentials import resolve_credential

CLOCKS_SECONDS = 60
"""How far the clock of a forge may be from ours when we ask whether something was made before this step looked."""
REPOSITORY = "repository"
MOST_COMMITS = 500
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Made:
    """What is there now. `is_ours` tells whether this step made it, now or before it was interrupted."""

    value: Values
    is_ours: bool


def make_once(
    ctx: StepContext,
    kind: str,
    name: str,
    data: Values,
    *,
    find: Callable[[], Values | None],
    make: Callable[[], Values],
) -> Made:
    """Make something that has a name of its own on the forge, unless it is there.

    `find` gives what is there, or None; `make` makes it. (`kind`, `name`, `data`) is what undo gets, as a `Created`: it
    is written before `make` is called, so undo must look whether the thing is there. What was there before this step
    came is given as it is, and is not in the inventory.
    """
    seen: list[Values | None] = []

    def look() -> bool:
        seen.append(find())
        return seen[0] is not None

    was_there, _ = first_look(ctx, f"there before: {kind} {name}", look)
    found = seen[0] if seen else find()
    if was_there and found is not None:
        return Made(found, False)
    ctx.created(kind, name, data)
    return Made(make() if found is None else found, True)


def first_look(ctx: StepContext, key: str, look: Callable[[], Any]) -> tuple[Any, bool]:
    """What `look` gave when this step first came here, and whether that was in an earlier call, which may have gone on
    to make something. For what has no name of its own, such as an issue."""
    fresh: list[Any] = []

    def compute() -> Any:
        fresh.append(look())
        return fresh[0]

    return ctx.checkpoint(key, compute), not fresh


def ours(listed: Iterable[Any], noted: Values, number: str = "id") -> Any:
    """Of a list, what a step made as the inventory `noted` it: the one whose `number` is its `id`. Where the step was
    interrupted before it knew that, the first one whose `number` was not there `before`. None when there is none."""
    if "id" in noted:
        return next((one for one in listed if one[number] == noted["id"]), None)
    return min((one for one in listed if one[number] not in noted["before"]), key=lambda one: one[number], default=None)


def turn_of(values: Values) -> str:
    """What tells the turns of a step's loop apart, which share its checkpoints: a mark of their inputs."""
    return digest({name: value for name, value in values.items() if name != "token"})[-12:]


def would(ctx: StepContext, text: str, output: Values | None = None) -> Values:
    """The end of a dry run: the log says what a real one would do."""
    ctx.log(f"would {text}")
    return output or {}


def action_client(clients: Any, ctx: StepContext, host: str, token: str | None) -> Any:
    """The client of a host in a forge plugin's settings, with the step's own token where it has one; the log never
    tells that. NotFoundError when the host is not in the settings."""
    if token:
        ctx.hide(token)
    return clients.of(host).acting(token)


class CredentialHost(Protocol):
    """A host in a forge plugin's settings with the reference of its credential."""

    @property
    def host(self) -> str: ...

    @property
    def token(self) -> str | None: ...


def credential(ctx: PluginContext, forge: str, settings: CredentialHost, given: str | None) -> str:
    """The token `given` with a step, else the one that the settings name. InputError when there is neither."""
    if given:
        return given
    if settings.token is None:
        raise no_credential(forge, settings.host)
    return resolve_credential(settings.token, ctx.secrets)


def no_credential(forge: str, host: str) -> InputError:
    """What to say when neither the settings nor the step have a credential."""
    return InputError(
        f"there is no credential for {host}: set one in plugins.{forge}.hosts, or give the step a token",
        code="forge.no_credential",
    )


@dataclass(frozen=True)
class PushedCommits:
    """The commits that this installation pushed to each repository: undo takes what is none of them for foreign."""

    records: Records

    def note(self, place: str, commit: str) -> None:
        """Remember a commit, before it is pushed."""
        for _ in range(5):
            found = self.records.get(_key(place))
            known: list[str] = list(found.value["commits"]) if found else []
            if commit in known:
                return
            try:
                value = {"commits": [*known, commit][-MOST_COMMITS:]}
                self.records.put(_key(place), value, expect=found.version if found else 0)
            except ConflictError:
                continue  # somebody else noted one at the same moment
            return
        raise ConflictError(f"the commits of {place} are being written by others: try again", code="forge.busy")

    def of(self, place: str) -> frozenset[str]:
        """Those of a repository."""
        found = self.records.get(_key(place))
        return frozenset(found.value["commits"]) if found else frozenset()

    def forget(self, place: str) -> None:
        """The repository is gone."""
        self.records.delete(_key(place))


@dataclass(frozen=True)
class RepositoryState:
    """A repository as undo sees it. `name` is its present full name, `created_at` ISO 8601, `heads` its branches."""

    name: str
    created_at: str
    heads: Mapping[str, str]
    is_archived: bool = False


class HostedRepositories(Protocol):
    """The calls to a forge that taking back a repository needs. `data` is what `repository_data` noted of it."""

    def state(self, data: Values) -> RepositoryState | None:
        """How it is now; None when it is gone."""
        ...

    def archive(self, data: Values) -> None:
        """Make it read-only; nothing where the forge cannot."""
        ...

    def remove(self, data: Values) -> None:
        """Delete it."""
        ...


def repository_data(clock: Clock, host: str, name: str, **more: str) -> dict[str, Any]:
    """What the inventory holds of a repository `name` (its full name) that is about to be made on `host`."""
    return {"host": host, "name": name, "since": clock.now() // MICROSECONDS - CLOCKS_SECONDS, **more}


def check_repositories(hosted: HostedRepositories, pushed: PushedCommits, created: Iterable[Created]) -> None:
    """ConflictError for the first repository that `take_back_repositories` would refuse anyhow, ChangedSinceError for
    those that have foreign commits."""
    changes: list[Changed] = []
    for item in created:
        if item.kind == REPOSITORY:
            state = hosted.state(item.data)
            if state is not None and not _is_anothers(state, item):
                changes += _commits_since(state, pushed, item)
    refuse_changed(changes)


def take_back_repositories(
    ctx: StepContext, hosted: HostedRepositories, pushed: PushedCommits, created: Sequence[Created]
) -> None:
    """Archive and then remove the repositories among `created`. Safe to repeat; what is gone is done. ChangedSinceError
    for foreign commits that are not confirmed: it stays archived when they came in between."""
    for item in reversed(created):
        if item.kind != REPOSITORY:
            continue
        state = hosted.state(item.data)
        if state is None:
            continue
        if _is_anothers(state, item):
            ctx.log(f"Leaving the repository {item.name}: it was not made by this run")
            continue
        refuse_changed(_commits_since(state, pushed, item), ctx.confirmed)
        if not state.is_archived:
            hosted.archive(item.data)
            again = hosted.state(item.data)
            if again is not None and again.is_archived:
                ctx.log(f"Archived the repository {item.name}")
                # Nothing lands in an archived one: what we see now is final.
                refuse_changed(_commits_since(again, pushed, item), ctx.confirmed)
        hosted.remove(item.data)
        pushed.forget(item.name)
        ctx.log(f"Deleted the repository {item.name}")


@dataclass(frozen=True)
class TakeBack:
    """Undo by kinds: `by_kind` has a function for each kind of a step's inventory. Those of other kinds are left."""

    by_kind: Mapping[str, Callable[[StepContext, Created], None]] = field(default_factory=dict)

    def __call__(self, ctx: StepContext, created: Sequence[Created]) -> None:
        for item in reversed(best_known(created)):
            if item.kind in self.by_kind:
                self.by_kind[item.kind](ctx, item)


def best_known(created: Sequence[Created], mark: str = "id") -> list[Created]:
    """The inventory without the entries that another one repeats with what the forge told of it since, its `mark`."""
    known = [
        (item.kind, item.name, {name: value for name, value in item.data.items() if name != mark})
        for item in created
        if mark in item.data
    ]
    return [item for item in created if mark in item.data or (item.kind, item.name, dict(item.data)) not in known]


def _key(place: str) -> str:
    return f"pushed/{place.lower()}"[:500]


def _is_anothers(state: RepositoryState, item: Created) -> bool:
    """Whether it was there before the run looked for it."""
    try:
        at = datetime.fromisoformat(state.created_at).timestamp()
    except ValueError:
        at = float(item.data["since"])
    return at < float(item.data["since"])


def _commits_since(state: RepositoryState, pushed: PushedCommits, item: Created) -> list[Changed]:
    """Foreign commits. ConflictError where it is not clear that the repository is the one that was made."""
    if state.name.lower() != str(item.data["name"]).lower():
        raise ConflictError(
            f"the repository {item.name} was renamed to {state.name}: name it back, or archive or delete it by hand, "
            "then undo again",
            code="forge.renamed",
        )
    own = pushed.of(item.name)
    foreign = sorted(branch for branch, head in state.heads.items() if head not in own)
    told = f"the repository has commits made since on {', '.join(foreign[:5])}: it is deleted with them"
    return [Changed(item.name, told)] if foreign else []
