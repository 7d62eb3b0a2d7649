"""The token of the person who fills in a form: what acts on a forge in place of the credential in the settings.

A `RepoUrlPicker` with `ui:options.requestUserCredentials.secretsKey` asks for one on the host that is picked, and the
portal, or whoever starts the task, gives it as the secret of that name. A step on that host gets it as its `token`
unless it has one of its own; a token goes to no other host.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from taxiway.core.settings import ScaffolderSettings
from taxiway.model.errors import InputError
from taxiway.plugin import Action

Values = Mapping[str, Any]
PICKERS = ("RepoUrlPicker",)
FETCHING = "fetch:"
SEVERAL, MOST_DEEP = ("allOf", "anyOf", "oneOf"), 20


def token_names(pages: Sequence[Values], values: Values) -> dict[str, str]:
    """The name of the secret that holds the person's token, by the host that was picked."""
    found: dict[str, str] = {}
    for page in pages:
        for schema, value in _pickers(page, values):
            options = schema.get("ui:options")
            asked = options.get("requestUserCredentials") if isinstance(options, Mapping) else None
            key = asked.get("secretsKey") if isinstance(asked, Mapping) else None
            host = host_of(value)
            if isinstance(key, str) and host:
                found[host] = key
    return found


def _pickers(schema: Any, value: Any, deep: int = 0) -> Iterator[tuple[Values, Any]]:
    """Every picker of a form with its answer: in objects, in lists, and in what other answers bring."""
    if not isinstance(schema, Mapping) or deep > MOST_DEEP:
        return
    if schema.get("ui:field") in PICKERS:
        yield schema, value
    inner = partial(_pickers, deep=deep + 1)
    for key in SEVERAL:
        for one in schema[key] if isinstance(schema.get(key), list) else ():
            yield from inner(one, value)
    brought = schema.get("dependencies")
    for one in [schema.get("then"), schema.get("else"), *(brought.values() if isinstance(brought, Mapping) else ())]:
        yield from inner(one, value)
    for one in value if isinstance(value, list) else ():
        yield from inner(schema.get("items"), one)
    properties = schema.get("properties")
    if isinstance(value, Mapping) and isinstance(properties, Mapping):
        for name, one in properties.items():
            if name in value:
                yield from inner(one, value[name])


def host_of(repo_url: Any) -> str:
    """The host of a `repoUrl`, in lower case; nothing where it is none."""
    return repo_url.partition("?")[0].strip().lower() if isinstance(repo_url, str) else ""


def host_at(action: Action, values: Values) -> str:
    """The host that a step works on: that of its `repoUrl`, or of the URL that it fetches; nothing where it is none."""
    if acts_on_forge(action):
        return host_of(values.get("repoUrl"))
    url = values.get("url")
    if not action.key.startswith(FETCHING) or not isinstance(url, str) or "://" not in url:
        return ""
    return url.partition("://")[2].partition("/")[0].lower()


def acts_on_forge(action: Action) -> bool:
    """Whether an action works on a repository of a forge by its `repoUrl`, with a credential."""
    return "repoUrl" in (action.input_schema.get("properties") or {})


def takes_token(action: Action) -> bool:
    """Whether an action that works on a host can use somebody's own token."""
    return "token" in (action.input_schema.get("properties") or {})


def refuse_without(settings: ScaffolderSettings, action: Action, values: Values, *, has_token: bool) -> None:
    """InputError when steps on forges need the person's token, and this one has none. Those that fetch say so
    themselves: not every host that they read is a forge."""
    if not settings.require_user_credentials or not acts_on_forge(action) or has_token or values.get("token"):
        return
    if not takes_token(action):
        told = f"{action.key} takes no token of a person, and scaffolder.require_user_credentials wants one"
        raise InputError(f"{told}: use another action, or ask an administrator", code="scaffolder.user_credentials")
    raise no_credentials(host_of(values.get("repoUrl")))


def no_credentials(host: str) -> InputError:
    """What to say where a step needs the person's token."""
    return InputError(
        f"No user credentials provided for host {host}, but "
        "scaffolder.require_user_credentials is enabled: give the step a `token`, or its RepoUrlPicker a "
        "`requestUserCredentials` with a `secretsKey`, and the secret of that name to the task",
        code="scaffolder.user_credentials",
    )
