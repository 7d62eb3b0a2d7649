"""Reads entries from a directory over LDAP, in pages. Needs the library ldap3 (the extra `ldap`), which is loaded here
and only when a directory is read."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

from taxiway.model.errors import InputError, NotAllowedError, TaxiwayError, TooLargeError, UnavailableError
from taxiway.plugins.ldap.entities import Entry
from taxiway.plugins.ldap.settings import LdapOptions

PAGE = 500


class Directory:
    """One signed-in connection; use it as a context manager. TaxiwayError for everything that goes wrong."""

    def __init__(self, options: LdapOptions, password: str | None) -> None:
        try:
            import ldap3
        except ImportError as error:
            raise UnavailableError(
                "reading directories needs the library ldap3: install taxiway[ldap]", code="ldap.not_installed"
            ) from error
        self._options, self._ldap3 = options, ldap3
        try:
            tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=options.ca_file)
            server = ldap3.Server(options.url, tls=tls, get_info=ldap3.NONE, connect_timeout=options.timeout_seconds)
        except ldap3.core.exceptions.LDAPException as error:
            raise InputError(
                f"{options.url} cannot be read as it is set up ({error}): check url and ca_file",
                code="ldap.settings",
            ) from error
        self._connection: Any = ldap3.Connection(
            server,
            user=options.bind_dn or None,
            password=password,
            authentication=ldap3.SIMPLE if options.bind_dn else ldap3.ANONYMOUS,
            receive_timeout=options.timeout_seconds,
            read_only=True,
            auto_referrals=False,
            auto_encode=False,
            check_names=False,
        )

    def __enter__(self) -> Directory:
        options = self._options
        try:
            self._connection.open()
            if options.start_tls:
                self._connection.start_tls()
            signed_in = self._connection.bind()
        except (self._ldap3.core.exceptions.LDAPException, OSError, ssl.SSLError) as error:
            self._close()  # it may be open, with TLS refused
            raise UnavailableError(f"{options.url} does not answer: {error}", code="ldap.unreachable") from error
        if not signed_in:
            reason = self._connection.result.get("description", "refused")
            self._close()
            who = options.bind_dn or "nobody"
            raise NotAllowedError(
                f"{options.url} does not let {who} in ({reason}): check bind_dn and password", code="ldap.refused"
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def search(self, base: str, filter: str) -> Iterator[Entry]:
        """Every entry that matches, page by page."""
        ldap3, options = self._ldap3, self._options
        scope = ldap3.SUBTREE if options.scope == "subtree" else ldap3.LEVEL
        cookie: Any = None
        count = 0
        while True:
            try:
                self._connection.search(
                    base,
                    filter,
                    scope,
                    attributes=["*", "entryUUID", "memberOf"],
                    paged_size=PAGE,
                    paged_cookie=cookie,
                )
            except ldap3.core.exceptions.LDAPInvalidFilterError as error:
                raise InputError(f"'{filter}' is no LDAP filter: see RFC 4515", code="ldap.filter") from error
            except (ldap3.core.exceptions.LDAPException, OSError) as error:
                raise UnavailableError(f"{options.url} stopped answering: {error}", code="ldap.unreachable") from error
            result = self._connection.result
            if result["result"] != 0:
                raise _refused(base, result)
            for item in self._connection.response or ():
                if item.get("type") != "searchResEntry":
                    continue
                count += 1
                if count > options.most_entries:
                    raise TooLargeError(
                        f"more than {options.most_entries} entries are below {base}: narrow the filter, or "
                        "raise most_entries",
                        code="ldap.too_many",
                    )
                yield _entry(item)
            cookie = result.get("controls", {}).get("1.2.840.113556.1.4.319", {}).get("value", {}).get("cookie")
            if not cookie:
                return

    def _close(self) -> None:
        try:
            self._connection.unbind()
        except (self._ldap3.core.exceptions.LDAPException, OSError):
            return  # it is gone already


def _entry(item: Any) -> Entry:
    return Entry(item["dn"], {name.lower(): list(values) for name, values in item["raw_attributes"].items()})


def _refused(base: str, result: Any) -> TaxiwayError:
    reason = f"{result['description']} {result.get('message') or ''}".strip()
    return InputError(f"{base or 'the directory'} cannot be read: {reason}", code="ldap.search")
