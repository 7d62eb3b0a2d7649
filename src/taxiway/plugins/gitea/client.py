"""Calls to a Gitea or Forgejo. Other modules of this plugin (sources, actions) use `clients_of(ctx).of(host)`."""

from __future__ import annotations

from taxiway.plugin import PluginContext
from taxiway.plugin.forging.clients import Clients, RestClient, own_hosts
from taxiway.plugin.forging.making import credential
from taxiway.plugin.forging.smart_http import GitRemote, basic
from taxiway.plugin.outgoing import Outgoing
from taxiway.plugins.gitea.settings import GiteaHost


class GiteaClient(RestClient[GiteaHost]):
    """One Gitea."""

    def headers(self) -> dict[str, str]:
        accept = {"accept": "application/json"}
        has_none = self.given is None and self.settings.token is None
        return accept if has_none else {**accept, "authorization": f"token {self.token()}"}

    def token(self) -> str:
        """The token that its calls carry. InputError where there is none."""
        return credential(self.ctx, "gitea", self.settings, self.given)

    def remote(self, name: str) -> GitRemote:
        """A repository over git; Gitea takes a token as the password of any user."""
        return GitRemote(self.outgoing, f"{self.web}/{name}.git", basic("taxiway", self.token()))

    def reading(self, name: str) -> GitRemote:
        """A repository over git, as nobody where there is no token."""
        has_none = self.given is None and self.settings.token is None
        return GitRemote(self.outgoing, f"{self.web}/{name}.git", "") if has_none else self.remote(name)


GiteaClients = Clients[GiteaHost, GiteaClient]


def clients_of(ctx: PluginContext) -> GiteaClients:
    """The clients of every configured Gitea."""
    return Clients(ctx, "Gitea", lambda host: GiteaClient(host, ctx, Outgoing(own_hosts(host), stop=ctx.stopping)))
