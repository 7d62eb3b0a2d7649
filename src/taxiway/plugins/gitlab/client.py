"""Calls to a GitLab. Other modules of this plugin (sources, actions) use `clients_of(ctx).of(host)`."""

from __future__ import annotations

from taxiway.plugin import PluginContext
from taxiway.plugin.forging.clients import Clients, RestClient, own_hosts
from taxiway.plugin.outgoing import Outgoing
from taxiway.plugins.gitlab.settings import GitLabHost


class GitLabClient(RestClient[GitLabHost]):
    """One GitLab."""

    forge = "gitlab"
    user = "oauth2"

    def headers(self) -> dict[str, str]:
        accept = {"accept": "application/json"}
        if self.given is not None:
            # A person's: one of OAuth, or a personal access token, which GitLab takes in the same place.
            return {**accept, "authorization": f"Bearer {self.given}"}
        return {**accept, "private-token": self.token()} if self.has_token else accept


GitLabClients = Clients[GitLabHost, GitLabClient]


def clients_of(ctx: PluginContext) -> GitLabClients:
    """The clients of every configured GitLab."""
    return Clients(ctx, "GitLab", lambda host: GitLabClient(host, ctx, Outgoing(own_hosts(host), stop=ctx.stopping)))
