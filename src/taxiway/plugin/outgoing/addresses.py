"""Where a request may go: which hosts, and which addresses a host may stand for. Pure but for the name service.

A name is resolved once and the connection goes to the address that was judged, so that a second answer of the name
service cannot lead elsewhere.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from taxiway.model.errors import InputError, UnavailableError

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Sequence[str]]
DEFAULT_PORTS = {"http": 80, "https": 443}
_EMBEDDED = ip_network("64:ff9b::/96")
METADATA = frozenset({"fd00:ec2::254", "100.100.100.200", "168.63.129.16"})
"""Addresses where clouds answer with credentials and that are not link-local."""


@dataclass(frozen=True)
class Hosts:
    """Which hosts may be reached.

    `configured` were named by whoever set Taxiway up, as `host` (the scheme's own port), `host:port`, or with a leading
    `*.`; only they may have private addresses. With `only` nothing else may be reached at all.
    """

    configured: Collection[str] = ()
    only: bool = False

    def allows(self, url: SplitResult) -> bool:
        """Whether `url` is on a configured host."""
        host, port = (url.hostname or "").lower(), port_of(url)
        return any(_matches(entry.lower(), host, port, DEFAULT_PORTS[url.scheme]) for entry in self.configured)


def split(url: str) -> SplitResult:
    """The parts of an absolute http(s) URL. InputError when it is none, or holds a user or password."""
    try:
        parts = urlsplit(url)
        port_of(parts)
    except (ValueError, KeyError) as error:
        raise _no_url() from error
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or any(ord(sign) <= 32 for sign in url):
        raise _no_url()
    if parts.username is not None or parts.password is not None:
        raise InputError(
            "a URL may not hold a user or password: name the credential in the settings", code="outgoing.url"
        )
    return parts


def port_of(parts: SplitResult) -> int:
    """The port, the scheme's own where none is said."""
    return parts.port or DEFAULT_PORTS[parts.scheme]


def system_resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a name. UnavailableError when there is none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnavailableError(
            f"the name {host} cannot be resolved: check its spelling, and this machine's name service",
            code="outgoing.no_such_host",
        ) from error
    return [str(item[4][0]).partition("%")[0] for item in found]


def judged_address(parts: SplitResult, hosts: Hosts, resolve: Resolve) -> str:
    """The address to connect to for a URL. InputError when the host or what it stands for may not be reached."""
    host = (parts.hostname or "").lower()
    configured = hosts.allows(parts)
    if hosts.only and not configured:
        raise InputError(
            f"{parts.netloc} is not among the hosts that may be read: ask the platform team to configure it",
            code="outgoing.host",
        )
    addresses = [ip_address(found) for found in resolve(host, port_of(parts))]
    if not addresses:
        raise UnavailableError(f"the name {host} has no address", code="outgoing.no_such_host")
    for address in addresses:
        if not _may_reach(address, host, configured):
            raise InputError(
                f"{parts.netloc} stands for an address inside a private network, which is not reached unless the host "
                "is configured",
                code="outgoing.private_address",
            )
    return str(addresses[0])


def _may_reach(address: Address, host: str, configured: bool) -> bool:
    inner = _innermost(address)
    if configured and host == str(address):
        return True  # the very address was configured
    if inner.is_link_local or inner.is_multicast or inner.is_unspecified or str(inner) in METADATA:
        return False  # where clouds answer with credentials; no name of a real host stands for it
    return configured or (inner.is_global and not inner.is_reserved)


def _innermost(address: Address) -> Address:
    # IPv4 in the clothes of IPv6 is judged as what it reaches.
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _EMBEDDED:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _matches(entry: str, host: str, port: int, default: int) -> bool:
    name, colon, asked = entry.rpartition(":") if not entry.endswith("]") else (entry, "", "")
    if not colon or not asked.isdigit():
        name, asked = entry, str(default)
    name = name.strip("[]")
    if int(asked) != port:
        return False
    return host.endswith(name[1:]) if name.startswith("*.") else host == name


def _no_url() -> InputError:
    return InputError("that is no http or https URL: write https://host/path", code="outgoing.url")
