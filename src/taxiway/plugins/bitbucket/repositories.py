"""The source `bitbucket`: repositories of a workspace of Cloud, or of a project of a Data Center."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from taxiway.plugin import HookRequest, PluginContext, RepositorySource, SourceItem, SourceRequest
from taxiway.plugin.forging import ForgeSourceOptions, check_hmac, hook_secret, payload_of, read_repositories
from taxiway.plugins.bitbucket.apis import HEAD, api_of
from taxiway.plugins.bitbucket.settings import CLOUD

if TYPE_CHECKING:
    from taxiway.plugins.bitbucket.client import BitbucketClients


class BitbucketOptions(ForgeSourceOptions):
    """What of a Bitbucket is read."""

    host: str = Field(CLOUD, description="which Bitbucket of plugins.bitbucket.hosts")
    workspace: str = Field(
        pattern=r"^~?[A-Za-z0-9_.-]+$", description="workspace of Cloud, or key of a project of a Data Center"
    )


@dataclass
class BitbucketSource:
    """The source type `bitbucket`."""

    ctx: PluginContext
    clients: BitbucketClients
    key: str = "bitbucket"
    options: type[BitbucketOptions] = BitbucketOptions

    def read(self, request: SourceRequest) -> Iterator[SourceItem]:
        options: BitbucketOptions = request.options
        return read_repositories(request, api_of(self.clients.of(options.host), options.workspace))

    def hosting(self, name: str, options: Any, kept: Callable[[str], str | None]) -> RepositorySource:
        from taxiway.plugin.forging.onboarding import ForgeRepositories
        from taxiway.plugins.bitbucket.onboarding import onboarding_of

        api = onboarding_of(self.clients.of(options.host), options.workspace)
        return ForgeRepositories(name, api, options, kept)

    def receive(self, request: HookRequest) -> Sequence[Mapping[str, Any]]:
        options: BitbucketOptions = request.options
        secret = hook_secret(options, self.ctx.secrets)
        check_hmac(secret, request.body, request.headers.get("x-hub-signature"))
        return hints_of(request.headers.get("x-event-key", ""), payload_of(request.body), options)


def hints_of(event: str, payload: Mapping[str, Any], options: BitbucketOptions) -> list[Mapping[str, Any]]:
    """What a webhook touches: the repository that was pushed to, by the events of either kind of Bitbucket."""
    repository = payload.get("repository")
    if event not in ("repo:push", "repo:refs_changed") or not isinstance(repository, Mapping):
        return []
    project, full = repository.get("project"), str(repository.get("full_name") or "")
    if not full and isinstance(project, Mapping):
        full = f"{project.get('key')}/{repository.get('slug')}"
    owner, _, slug = full.partition("/")
    if owner.lower() != options.workspace.lower() or not slug:
        return []
    branches = _branches(payload)
    if options.branch and branches and options.branch not in branches:
        return []
    return [{"repository": f"{options.workspace}/{slug}"}]


def _branches(payload: Mapping[str, Any]) -> set[str]:
    """The branches that were pushed to, where the payload says so."""
    push = payload.get("push")
    changes = push.get("changes") if isinstance(push, Mapping) else payload.get("changes")
    found: set[str] = set()
    for change in changes if isinstance(changes, list) else []:
        ends = [change.get("new"), change.get("old"), change.get("ref")] if isinstance(change, Mapping) else []
        for end in ends:
            if isinstance(end, Mapping):
                found.add(str(end.get("name") or end.get("displayId") or "").removeprefix(HEAD))
    return found - {""}
