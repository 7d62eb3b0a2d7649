"""`taxiway login`: remember a server and a token for it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from taxiway.cli.client import Client, Session, data_folder, running_url, saved_path
from taxiway.cli.errors import CliError
from taxiway.cli.output import note


def login(url: str | None = None, *, token: str | None = None, data: Path | None = None, link: bool = False) -> None:
    """Sign in to URL with --token; without both, to the server on the data folder of this host.

    The token is kept in a file that only you can read. With --link nothing is kept: a link is printed that signs a
    browser in once as the local administrator of the data folder.
    """
    folder = data or data_folder()
    url = url or running_url(folder)
    if url is None:
        raise CliError("say which server: taxiway login URL --token TOKEN", 2)
    if link:
        print(_sign_in_link(folder, url))
        return
    if token is None:
        if running_url(folder) != url.rstrip("/"):
            raise CliError(f"make a token in the portal of {url} (Settings, Tokens), then give it with --token", 3)
        token = _local_token(folder)
    session = Session(url.rstrip("/"), token)
    me = Client(session).call("GET", "/api/access/v1/me")
    path = saved_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"url": session.url, "token": token}, file)
    note(f"signed in to {session.url} as {me['ref']}")


def _sign_in_link(folder: Path, url: str) -> str:
    from taxiway.cli.admin import open_platform
    from taxiway.features.access import service as access

    with open_platform(folder) as platform:
        return f"{url.rstrip('/')}/sign-in#link_token={access.create_sign_in_link(platform.system('cli'))}"


def _local_token(folder: Path) -> str:
    from taxiway.cli.admin import open_platform
    from taxiway.features.access.service.tokens import grant_token

    with open_platform(folder) as platform:
        made = grant_token(platform.system("cli"), "cli", "admin", 30 * 86400)
    return made.value
