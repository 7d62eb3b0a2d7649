"""Calls to a GitLab. Other modules of this plugin (sources, actions) use `clients_of(ctx).of(host)`."""

from __future__ import annotations

from taxiway.plugin import PluginContext, resolve_credential
from taxiway.plugin.forging.clients import Clients, RestClient, own_hosts
from taxiway.plugin.outgoing import Outgoing
from taxiway.plugins.gitlab.settings import GitLabHost


class GitLabClient(RestClient[GitLabHost]):
    """One GitLab."""

    def headers(self) -> dict[str, str]:
        if self.settings.token is None:
            return {"accept": "application/json"}
        token = resolve_credential(self.settings.token, self.ctx.secrets)
        return {"accept": "application/json", "private-token": token}


GitLabClients = Clients[GitLabHost, GitLabClient]


def clients_of(ctx: PluginContext) -> GitLabClients:
    """The clients of every configured GitLab."""
    return Clients(ctx, "GitLab", lambda host: GitLabClient(host, ctx, Outgoing(own_hosts(host), stop=ctx.stopping)))
