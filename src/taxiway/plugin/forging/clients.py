"""Clients of the hosts in a forge plugin's settings, and the calls that forges with a REST API have in common."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar
from urllib.parse import quote, unquote, urlsplit

from taxiway.model.errors import InputError, NotFoundError
from taxiway.plugin.context import PluginContext
from taxiway.plugin.forging.making import CredentialHost, credential
from taxiway.plugin.forging.smart_http import GitRemote, basic
from taxiway.plugin.outgoing import Answer, Hosts, Limits, Outgoing, pages


class ForgeHost(Protocol):
    """A host in a plugin's settings; `api` is the address of its API without a trailing slash."""

    @property
    def host(self) -> str: ...

    @property
    def scheme(self) -> str: ...

    @property
    def api(self) -> str: ...


class TokenHost(ForgeHost, CredentialHost, Protocol):
    """A host that takes one token for everything."""


class AnyHost(Protocol):
    """What is known of every host in settings."""

    @property
    def host(self) -> str: ...


H = TypeVar("H", bound=AnyHost)
R = TypeVar("R", bound=TokenHost)
C = TypeVar("C")


@dataclass
class Clients(Generic[H, C]):
    """One client for each host in a plugin's settings, kept for the life of the process: it remembers rate limits."""

    ctx: PluginContext
    forge: str
    make: Callable[[H], C]
    _made: dict[str, C] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, host: str) -> C:
        """The client of a host. NotFoundError when it is not in the settings."""
        found: H | None = next((item for item in self.ctx.settings.hosts if item.host == host), None)
        if found is None:
            raise NotFoundError(
                f"there is no {self.forge} {host} in the settings: add it to `hosts` of its plugin", code="forge.host"
            )
        with self._lock:
            if host not in self._made:
                self._made[host] = self.make(found)
            return self._made[host]


@dataclass
class RestClient(ABC, Generic[R]):
    """One host with a REST API whose lists come in pages by `Link` headers, and a token, the password of `user` over
    git. A subclass gives `headers`, of the token where it `has_token`; `forge` is the name of its plugin."""

    forge: ClassVar[str]
    user: ClassVar[str]
    settings: R
    ctx: PluginContext
    outgoing: Outgoing
    given: str | None = field(default=None, repr=False)
    """A token that is used instead of the one in the settings."""

    def acting(self, token: str | None) -> Self:
        """Itself, or the same host with the token of a person, which has rate limits of its own."""
        return replace(self, given=token) if token else self

    @property
    def web(self) -> str:
        """Where people reach it, without a trailing slash."""
        return f"{self.settings.scheme}://{self.settings.host}"

    @property
    def has_token(self) -> bool:
        """Whether its calls carry a token."""
        return self.given is not None or self.settings.token is not None

    def token(self) -> str:
        """The token that its calls carry. InputError where there is none."""
        return credential(self.ctx, self.forge, self.settings, self.given)

    def remote(self, name: str) -> GitRemote:
        """A repository over git. InputError where there is no token."""
        return GitRemote(self.outgoing, f"{self.web}/{name}.git", basic(self.user, self.token()))

    def reading(self, name: str) -> GitRemote:
        """A repository over git, as nobody where there is no token."""
        return self.remote(name) if self.has_token else GitRemote(self.outgoing, f"{self.web}/{name}.git", "")

    @abstractmethod
    def headers(self) -> dict[str, str]:
        """What every call carries: the credential among it."""

    def get(self, path: str, *, etag: str | None = None, limits: Limits | None = None) -> Answer:
        """GET of a path of the API, or of a whole URL of it (as paging gives). The answer as it is: `checked()` it."""
        return self.outgoing.get(self.url(path), etag=etag, headers=self.headers(), limits=limits)

    def send(self, method: str, path: str, body: Any = None, *, idempotent: bool | None = None) -> Answer:
        """Any other call, with a JSON body."""
        return self.outgoing.send(method, self.url(path), json=body, headers=self.headers(), idempotent=idempotent)

    def pages(self, path: str) -> Iterator[Any]:
        """Every item of a list in pages."""
        for answer in pages(lambda url: self.get(url).checked(), self.url(path)):
            yield from answer.json()

    def url(self, path: str) -> str:
        """A path of the API as a URL. InputError for a URL that is not the API's: the credential stays with it."""
        return api_url(self.settings, path)


def api_url(settings: ForgeHost, path: str) -> str:
    """A path of a host's API as a URL. InputError for a whole URL elsewhere, and for a path that leads up: the
    credential is for nothing else."""
    if not {".", ".."}.isdisjoint(unquote(path.partition("?")[0]).split("/")):
        raise InputError("a name with '.' or '..' alone is no part of an address here", code="forge.dots")
    if path.startswith(("http://", "https://")):
        if not path.startswith(settings.api + "/"):
            raise InputError(f"{urlsplit(path).netloc} is not the API of {settings.host}", code="forge.other_host")
        return path
    return f"{settings.api}/{path.lstrip('/')}"


def own_hosts(settings: ForgeHost, *, only: bool = False) -> Hosts:
    """The host and that of its API, as those that may be private addresses."""
    return Hosts([settings.host, urlsplit(settings.api).netloc], only=only)


def quoted(name: str) -> str:
    """A project's or group's path, or a file's, as one segment of a URL."""
    return quote(name, safe="")
