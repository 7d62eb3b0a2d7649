"""The CLI's HTTP client: plain `http.client`, since importing a larger library would cost more than most calls.

Where the server is and who we are: flags, then TAXIWAY_URL and TAXIWAY_TOKEN, then what `taxiway login` saved, then a
server running on a data folder of this host.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from taxiway.cli.errors import CliError
from taxiway.model.kinds import BY_STATUS, KINDS

TIMEOUT_SECONDS = 60.0
STREAM_SECONDS = 3600.0


@dataclass(frozen=True)
class Session:
    """A server and the token for it."""

    url: str
    token: str | None


def saved_path() -> Path:
    """Where `taxiway login` keeps its answer (mode 0600)."""
    root = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(root) / "taxiway" / "login.json"


def find_session() -> Session:
    """The server and token to use. CliError says how to sign in when there is none."""
    url, token = os.environ.get("TAXIWAY_URL"), os.environ.get("TAXIWAY_TOKEN")
    if not (url and token):
        try:
            saved = json.loads(saved_path().read_text())
        except (OSError, ValueError):
            saved = {}
        # A saved token belongs to its server: it is never sent to another one.
        if url is None or url.rstrip("/") == saved.get("url"):
            url, token = saved.get("url", url), token or saved.get("token")
    if url is None:
        url = running_url(data_folder())
    if url is None:
        raise CliError("no server is known: start one with `taxiway up`, or sign in with `taxiway login URL`", 3)
    return Session(url.rstrip("/"), token)


def data_folder() -> Path:
    """The data folder that commands beside a server work on."""
    return Path(os.environ.get("TAXIWAY_DATA", ".taxiway"))


def running_url(data: Path) -> str | None:
    """The URL of the server that runs on a data folder, as it wrote it there."""
    found = _announced(data)
    return None if found is None else str(found["url"])


def running_pid(data: Path) -> int | None:
    """The process id of the server that runs on a data folder."""
    found = _announced(data)
    return None if found is None else int(found["pid"])


def _announced(data: Path) -> dict[str, Any] | None:
    """What the server wrote into its lock file, when that process still lives. The lock itself is not touched: taking
    it, even for a moment, could keep a server from starting."""
    try:
        found: dict[str, Any] = json.loads((data / "taxiway.lock").read_bytes())
        command = Path(f"/proc/{int(found['pid'])}/cmdline").read_bytes()
    except (OSError, ValueError, KeyError):
        return None
    return found if b"taxiway" in command else None


class Client:
    """Calls operations. Errors become CliError with the exit code of their kind."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        raw: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The answer's JSON (None when it is empty), or its text with `raw` and when it is not JSON. A body of bytes is
        sent as newline-delimited JSON."""
        response = self._send(method, path, query, body, TIMEOUT_SECONDS, headers)
        text = response.read().decode(errors="replace")
        if (
            raw
            or "json" not in response.headers.get_content_subtype()
            or "ndjson" in response.headers.get_content_type()
        ):
            return text or None
        return json.loads(text) if text else None

    def pages(self, path: str, query: Mapping[str, Any] | None = None, most: int = 1000) -> Iterator[Any]:
        """Items of a list over its pages, up to `most`."""
        cursor, seen = None, 0
        while True:
            page = self.call("GET", path, query={**(query or {}), "cursor": cursor})
            for item in page["items"]:
                yield item
                seen += 1
                if seen >= most:
                    return
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def download(self, path: str, query: Mapping[str, Any] | None = None) -> Iterator[bytes]:
        """The answer's bytes as they come."""
        response = self._send("GET", path, query, None, STREAM_SECONDS)
        while chunk := response.read1(65_536):
            yield chunk

    def stream(self, path: str, query: Mapping[str, Any] | None = None) -> Iterator[tuple[str, Any]]:
        """(event, data) of a server-sent event stream until it ends."""
        response = self._send("GET", path, query, None, STREAM_SECONDS)
        event, data = "message", ""
        for raw in response:
            line = raw.decode().rstrip("\r\n")
            if not line:
                if data:
                    yield event, json.loads(data)
                event, data = "message", ""
            elif line.startswith("event:"):
                event = line[6:].strip()
            elif line.startswith("data:"):
                data += line[5:].strip()

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Any,
        timeout: float,
        more: Mapping[str, str] | None = None,
    ) -> HTTPResponse:
        parts = urlsplit(self.session.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname or "127.0.0.1", parts.port, timeout=timeout)
        given = {key: value for key, value in (query or {}).items() if value is not None}
        target = parts.path + path + ("?" + urlencode(given, doseq=True) if given else "")
        headers = {"Accept": "application/json", "User-Agent": "taxiway-cli", "X-Taxiway-Via": "cli", **(more or {})}
        if self.session.token:
            headers["Authorization"] = f"Bearer {self.session.token}"
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if content is not None:
            headers["Content-Type"] = "application/x-ndjson" if isinstance(body, bytes) else "application/json"
        try:
            connection.request(method, target, body=content, headers=headers)
            response = connection.getresponse()
        except (OSError, HTTPException) as error:
            raise CliError(f"{self.session.url} does not answer ({error}): is the server up?", 11) from error
        if response.status >= 400:
            raise _failure(response)
        return response


def entity_path(ref: str, default_kind: str = "component") -> str:
    """`kind/namespace/name` for a reference, ready for a URL."""
    kind, colon, rest = ref.partition(":")
    if not colon:
        kind, rest = default_kind, ref
    namespace, slash, name = rest.partition("/")
    if not slash:
        namespace, name = "default", rest
    return "/".join(quote(part, safe="") for part in (kind.lower(), namespace.lower(), name.lower()))


def full_ref(ref: str, default_kind: str = "component") -> str:
    """The full reference for what a person typed."""
    kind, namespace, name = entity_path(ref, default_kind).split("/")
    return f"{kind}:{namespace}/{name}"


def _failure(response: HTTPResponse) -> CliError:
    text = response.read().decode(errors="replace")
    kind = KINDS[BY_STATUS.get(response.status, "internal")]
    try:
        problem = json.loads(text)
    except ValueError:
        return CliError(f"the server answered {response.status}: {text[:200]}", kind.exit_code)
    if "error" in problem:
        return CliError(str(problem["error"].get("message")), kind.exit_code)
    known = KINDS.get(str(problem.get("code", "")).split(".")[0], kind)
    details = [f"{item.get('pointer') or '/'}: {item.get('detail')}" for item in problem.get("errors") or []]
    if problem.get("request_id"):
        details.append(f"request {problem['request_id']}")
    return CliError(str(problem.get("detail") or problem.get("title")), known.exit_code, details)
