"""`taxiway tokens`: API tokens. `create` works beside a data folder, without a server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from cyclopts import App

from taxiway.cli.client import Client, data_folder, find_session
from taxiway.cli.errors import CliError
from taxiway.cli.output import Output, note, show

app = App(name="tokens", help="API tokens.")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: str) -> int:
    """`90s`, `15m`, `1h` or `30d` in seconds. CliError for anything else."""
    match = re.fullmatch(r"(\d+)([smhd])", text)
    if not match:
        raise CliError(f"'{text}' is no duration: write 15m, 1h or 30d", 2)
    return int(match[1]) * UNITS[match[2]]


@app.command
def create(
    name: str,
    *,
    role: Literal["viewer", "developer", "platform", "admin"] = "developer",
    ttl: str = "1h",
    subject: str = "user:default/admin",
    data: Path | None = None,
) -> None:
    """Make a token beside a data folder and print it last. Whoever can read the folder is trusted with it."""
    from taxiway.cli.admin import open_platform
    from taxiway.features.access.service.tokens import grant_token

    with open_platform(data or data_folder()) as platform:
        made = grant_token(platform.system("cli"), name, role, seconds(ttl), subject=subject)
    note(f"token {made.token.id} for {subject} with role {role}, valid for {ttl}")
    print(made.value)


@app.command(name="list")
def list_tokens(*, output: Output = "table") -> None:
    """List your tokens."""
    show(list(Client(find_session()).pages("/api/access/v1/tokens")), output, ["id", "name", "role", "expires_at"])


@app.command
def revoke(token_id: str) -> None:
    """Revoke a token."""
    Client(find_session()).call("DELETE", f"/api/access/v1/tokens/{token_id}")
    note("revoked")
