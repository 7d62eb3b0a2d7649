"""Calls to a Gitea or Forgejo. Other modules of this plugin (sources, actions) use `clients_of(ctx).of(host)`."""

from __future__ import annotations

from taxiway.plugin import PluginContext
from taxiway.plugin.forging.clients import Clients, RestClient, own_hosts
from taxiway.plugin.outgoing import Outgoing
from taxiway.plugins.gitea.settings import GiteaHost


class GiteaClient(RestClient[GiteaHost]):
    """One Gitea."""

    forge = "gitea"
    user = "taxiway"  # it takes a token as the password of any

    def headers(self) -> dict[str, str]:
        accept = {"accept": "application/json"}
        return {**accept, "authorization": f"token {self.token()}"} if self.has_token else accept


GiteaClients = Clients[GiteaHost, GiteaClient]


def clients_of(ctx: PluginContext) -> GiteaClients:
    """The clients of every configured Gitea."""
    return Clients(ctx, "Gitea", lambda host: GiteaClient(host, ctx, Outgoing(own_hosts(host), stop=ctx.stopping)))
