"""Calls to a Gitea or Forgejo. Other modules of this plugin (sources, actions) use `clients_of(ctx).of(host)`."""

from __future__ import annotations

from taxiway.plugin import PluginContext, resolve_credential
from taxiway.plugin.forging.clients import Clients, RestClient, own_hosts
from taxiway.plugin.outgoing import Outgoing
from taxiway.plugins.gitea.settings import GiteaHost


class GiteaClient(RestClient[GiteaHost]):
    """One Gitea."""

    def headers(self) -> dict[str, str]:
        if self.settings.token is None:
            return {"accept": "application/json"}
        token = resolve_credential(self.settings.token, self.ctx.secrets)
        return {"accept": "application/json", "authorization": f"token {token}"}


GiteaClients = Clients[GiteaHost, GiteaClient]


def clients_of(ctx: PluginContext) -> GiteaClients:
    """The clients of every configured Gitea."""
    return Clients(ctx, "Gitea", lambda host: GiteaClient(host, ctx, Outgoing(own_hosts(host), stop=ctx.stopping)))
