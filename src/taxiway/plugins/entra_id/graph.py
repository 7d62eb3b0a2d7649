"""Delta queries of Microsoft Graph with an application's own token. Loaded when a tenant is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event
from urllib.parse import urlencode, urlsplit

from taxiway.model.errors import InputError, UnavailableError
from taxiway.plugin.outgoing import Answer, Hosts, Outgoing, pages
from taxiway.plugins.entra_id.mirror import GROUP_FIELDS, USER_FIELDS, Mirror
from taxiway.plugins.entra_id.settings import EntraOptions

QUERIES = {"users": USER_FIELDS, "groups": (*GROUP_FIELDS, "members")}


class StaleLink(Exception):
    """A delta link that Graph does not know any more: everything is to be read again."""


class Graph:
    """One tenant's directory. Close it when done."""

    def __init__(self, options: EntraOptions, secret: str, stop: Event) -> None:
        self._options, self._secret = options, secret
        hosts = [urlsplit(url).netloc for url in (options.graph_url, options.login_url)]
        self._outgoing = Outgoing(hosts=Hosts(hosts, only=True), stop=stop)
        self._token: str | None = None

    def close(self) -> None:
        """Close every connection."""
        self._outgoing.close()

    def follow(self, mirror: Mirror, kind: str, is_cancelled: Callable[[], bool]) -> int:
        """Bring one kind up to date; how many items changed. StaleLink, TaxiwayError."""
        changed = 0
        for answer in self._pages(mirror.links.get(kind) or self._first(kind)):
            if is_cancelled():
                return changed
            body = answer.json()
            items = body.get("value") if isinstance(body, dict) else None
            if not isinstance(items, list):
                raise UnavailableError(
                    "Microsoft Graph did not answer with a list: check graph_url", code="entra.answer"
                )
            changed += sum(mirror.apply(kind, item) for item in items if isinstance(item, dict))
            if link := body.get("@odata.deltaLink"):
                mirror.links[kind] = str(link)
        return changed

    def _first(self, kind: str) -> str:
        query = urlencode({"$select": ",".join(QUERIES[kind])})
        return f"{self._options.graph_url.rstrip('/')}/v1.0/{kind}/delta?{query}"

    def _pages(self, url: str) -> Iterator[Answer]:
        def following(answer: Answer) -> str | None:
            body = answer.json()
            found = body.get("@odata.nextLink") if isinstance(body, dict) else None
            return found if isinstance(found, str) else None

        return pages(self._get, url, following, most=20_000)

    def _get(self, url: str) -> Answer:
        for attempt in (1, 2):
            answer = self._outgoing.get(url, headers={"authorization": f"Bearer {self._sign_in()}"})
            if answer.status == 401 and attempt == 1:
                self._token = None  # it ran out on the way
                continue
            break
        if answer.status == 410 or (answer.status == 400 and b"yncStateNotFound" in answer.body):
            raise StaleLink
        return answer.checked("Microsoft Graph")

    def _sign_in(self) -> str:
        if self._token is None:
            options = self._options
            asked = {
                "grant_type": "client_credentials",
                "client_id": options.client_id,
                "client_secret": self._secret,
                "scope": f"{options.graph_url.rstrip('/')}/.default",
            }
            answer = self._outgoing.send(
                "POST",
                f"{options.login_url.rstrip('/')}/{options.tenant}/oauth2/v2.0/token",
                headers={"content-type": "application/x-www-form-urlencoded"},
                body=urlencode(asked).encode(),
                idempotent=True,
            )
            if answer.status in (400, 401):
                raise InputError(
                    f"the tenant {options.tenant} does not let {options.client_id} in: check client_id and "
                    "client_secret, and that the application is of this tenant",
                    code="entra.refused",
                )
            body = answer.checked("the token of the tenant").json()
            if not isinstance(body, dict) or not isinstance(body.get("access_token"), str):
                raise UnavailableError("no token was given: check login_url", code="entra.answer")
            self._token = body["access_token"]
        return self._token
