"""Calls to a GitLab. Other modules of this plugin (sources, actions) use `clients_of(ctx).of(host)`."""

from __future__ import annotations

from taxiway.plugin import PluginContext
from taxiway.plugin.forging.clients import Clients, RestClient, own_hosts
from taxiway.plugin.forging.making import credential
from taxiway.plugin.forging.smart_http import GitRemote, basic
from taxiway.plugin.outgoing import Outgoing
from taxiway.plugins.gitlab.settings import GitLabHost


class GitLabClient(RestClient[GitLabHost]):
    """One GitLab."""

    def headers(self) -> dict[str, str]:
        accept = {"accept": "application/json"}
        if self.given is not None:
            # A person's: one of OAuth, or a personal access token, which GitLab takes in the same place.
            return {**accept, "authorization": f"Bearer {self.given}"}
        return accept if self.settings.token is None else {**accept, "private-token": self.token()}

    def token(self) -> str:
        """The token that its calls carry. InputError where there is none."""
        return credential(self.ctx, "gitlab", self.settings, self.given)

    def remote(self, name: str) -> GitRemote:
        """A project over git."""
        return GitRemote(self.outgoing, f"{self.web}/{name}.git", basic("oauth2", self.token()))

    def reading(self, name: str) -> GitRemote:
        """A project over git, as nobody where there is no token."""
        has_none = self.given is None and self.settings.token is None
        return GitRemote(self.outgoing, f"{self.web}/{name}.git", "") if has_none else self.remote(name)


GitLabClients = Clients[GitLabHost, GitLabClient]


def clients_of(ctx: PluginContext) -> GitLabClients:
    """The clients of every configured GitLab."""
    return Clients(ctx, "GitLab", lambda host: GitLabClient(host, ctx, Outgoing(own_hosts(host), stop=ctx.stopping)))
