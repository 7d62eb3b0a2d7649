"""`url:` locations on other hosts: a forge that a plugin reads, or a host that `catalog.url_hosts` names.

Nothing else is reached: not by a redirect, and not by a name that stands for an address of this network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from taxiway.core.context import Platform
from taxiway.features.catalog.sources.trees import MAX_FILE, Tree, inside, is_pattern
from taxiway.model.errors import InputError, NotFoundError, TooLargeError
from taxiway.plugin import UrlReader
from taxiway.plugin.outgoing import Hosts, Limits, Outgoing
from taxiway.plugin.outgoing.answer import shown

SERVICE = "catalog.urls"
LIMITS = Limits(body_bytes=MAX_FILE, total_seconds=60, wait_seconds=5)


def open_url(platform: Platform, url: str) -> tuple[Tree, str]:
    """The tree and path of a URL. InputError when its host may not be read."""
    reader = _reader(platform, url)
    if reader is not None:
        return reader.open(url)
    if not _is_configured(platform, url):
        raise InputError(
            f"'{shown(url)}' is neither on the built-in forge, nor on a forge of the settings, nor on a host of "
            "catalog.url_hosts: ask the platform team to add its host",
            code="catalog.outside_url",
        )
    parts = urlsplit(url)
    path = parts.path.lstrip("/") + (f"?{parts.query}" if parts.query else "")
    return _HostTree(_outgoing(platform), f"{parts.scheme}://{parts.netloc}/"), path


def is_known_host(platform: Platform, url: str) -> bool:
    """Whether a URL lies on another host that may be read."""
    return _reader(platform, url) is not None or _is_configured(platform, url)


def _reader(platform: Platform, url: str) -> UrlReader | None:
    try:
        host = urlsplit(url).netloc.lower()
    except ValueError:
        return None
    readers: Sequence[UrlReader] = platform.registry.all("url_reader")
    return next((reader for reader in readers if host in reader.hosts), None)


def _is_configured(platform: Platform, url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and Hosts(platform.settings.catalog.url_hosts).allows(parts)
        )
    except ValueError:
        return False


def _outgoing(platform: Platform) -> Outgoing:
    known = platform.services.get(SERVICE)
    if not isinstance(known, Outgoing):
        hosts = Hosts(platform.settings.catalog.url_hosts, only=True)
        known = platform.services[SERVICE] = Outgoing(hosts, limits=LIMITS, stop=platform.stopping)
    return known


@dataclass
class _HostTree:
    """Everything on one host. Files beside a file can be named, but not listed."""

    outgoing: Outgoing
    base: str
    state: str = ""

    def read(self, path: str) -> bytes:
        url = self.base + inside(path)
        try:
            return self.outgoing.get(url).checked().body
        except NotFoundError as error:
            raise NotFoundError(f"there is no file {url}", code="catalog.no_file") from error
        except TooLargeError as error:
            raise TooLargeError(f"{url} is larger than {MAX_FILE} bytes: split it", code="catalog.too_large") from error

    def match(self, pattern: str) -> Sequence[str]:
        if is_pattern(pattern.partition("?")[0]):
            raise InputError(
                f"files at {self.base} cannot be listed: name each without wildcards", code="catalog.pattern"
            )
        return [inside(pattern)]

    def location(self, path: str) -> str:
        return f"url:{self.base}{inside(path) if path else ''}"
