"""Makes a repository on GitHub, gives it what a step asks for, and is what undo calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from taxiway.model.errors import InputError, NotAllowedError, TaxiwayError
from taxiway.plugin import StepContext
from taxiway.plugin.forging import new_repositories
from taxiway.plugin.forging.making import RepositoryState
from taxiway.plugin.forging.new_repositories import ANOTHER, NewRepository, name_taken
from taxiway.plugins.github.actions.base import GitHub, Repo, Values, checked_place, given, quoted, warned
from taxiway.plugins.github.actions.values import put_secrets, put_variables

KEPT = ("id", "full_name", "html_url", "clone_url", "default_branch")


def make_repository(github: GitHub, ctx: StepContext, repo: Repo, values: Values) -> Mapping[str, Any]:
    """Make it, once. ConflictError when somebody else has the name."""
    owner = repo.elsewhere(f"users/{quoted(repo.owner)}")
    is_organization = owner["type"] == "Organization"
    if values.get("access", "").startswith(f"{repo.owner}/"):
        repo.elsewhere(f"orgs/{quoted(repo.owner)}/teams/{quoted(values['access'].partition('/')[2])}")
    if not is_organization:
        _check_account(repo)
    path = f"orgs/{quoted(repo.owner)}/repos" if is_organization else "user/repos"
    body = _body(repo, values, is_organization)

    def make() -> Values:
        answer = repo.client.send("POST", path, body, owner=repo.owner)
        return _kept(answer.checked(f"creating the repository {repo.place}").json())

    wanted = NewRepository(repo.place.host, repo.name, lambda: _find(repo), make, id_of=lambda found: str(found["id"]))
    made = new_repositories.make_repository(ctx, github.ctx, wanted)
    if not made.is_ours:
        raise name_taken(wanted.place)
    ctx.log(f"Created the repository {made.value['html_url']}")
    return made.value


def name_taken_there(github: GitHub, values: Values) -> list[tuple[str, str, bool]]:
    """The name for a plan, and whether somebody has it: looked for with the credential in the settings."""
    place = checked_place(values["repoUrl"])
    repo = github.own({"host": place.host, "name": f"{place.owner}/{place.repo}"})
    return [("repository", str(place), _find(repo) is not None)]


def configure(ctx: StepContext, repo: Repo, values: Values) -> None:
    """Access, topics, variables, secrets and the rest. Each call may be done again."""
    if values.get("allowUpdateBranch"):
        repo.send("PATCH", "", {"allow_update_branch": True}, idempotent=True)
    access = values.get("access")
    if access and access.startswith(f"{repo.owner}/"):
        _team(repo, access.partition("/")[2], "admin")
    elif access and access != repo.owner:
        repo.send("PUT", f"collaborators/{quoted(access)}", {"permission": "admin"})
    for one in values.get("collaborators") or []:
        name = _name_of(one.get("user") or one.get("team"))
        grant = partial(repo.send, "PUT", f"collaborators/{quoted(name)}", {"permission": one["access"]})
        if "user" not in one:
            grant = partial(_team, repo, name, one["access"])
        warned(ctx, f"{one['access']} access for {name}", grant)
    if values.get("topics"):
        names = [str(topic).lower() for topic in values["topics"]]
        warned(ctx, f"topics {' '.join(names)}", lambda: repo.send("PUT", "topics", {"names": names}))
    put_variables(ctx, repo, "actions", values.get("repoVariables") or {})
    put_secrets(ctx, repo, "actions", values.get("secrets") or {})
    oidc = values.get("oidcCustomization")
    if oidc:
        body = given(use_default=oidc.get("useDefault", True), include_claim_keys=oidc.get("includeClaimKeys"))
        repo.send("PUT", "actions/oidc/customization/sub", body)
    if values.get("subscribe"):
        repo.send("PUT", "subscription", {"subscribed": True, "ignored": False})
    if values.get("workflowAccess"):
        repo.send("PUT", "actions/permissions/access", {"access_level": values["workflowAccess"]})


@dataclass(frozen=True)
class Hosted:
    """`HostedRepositories` of GitHub, with the credential in the settings."""

    github: GitHub

    def state(self, data: Values) -> RepositoryState | None:
        repo = self.github.own(data)
        found = repo.find()
        if found is None:
            return None
        # It may have been deleted since, and somebody may have made one of the same name.
        is_another = "id" in data and str(found["id"]) != data["id"]
        at = ANOTHER if is_another else found["created_at"] or ""
        heads = {branch["name"]: branch["commit"]["sha"] for branch in repo.pages("branches")}
        return RepositoryState(found["full_name"], at, heads, bool(found["archived"]))

    def archive(self, data: Values) -> None:
        self.github.own(data).send("PATCH", "", {"archived": True})

    def remove(self, data: Values) -> None:
        repo = self.github.own(data)
        try:
            repo.remove("")
        except InputError as error:
            if error.code != "outgoing.forbidden":
                raise
            raise NotAllowedError(
                f"the repository {repo.place} was archived, and the credential may not delete it: give it the right "
                "(delete_repo) and undo again, or delete it by hand",
                code="github.may_not_delete",
            ) from error


def _find(repo: Repo) -> Values | None:
    found = repo.find()
    # GitHub leads from an old name to the new one; the old name is free.
    return None if found is None or found["full_name"].lower() != repo.name.lower() else _kept(found)


def _check_account(repo: Repo) -> None:
    """InputError when the credential would make the repository in another account than the one that is named."""
    try:
        login = repo.elsewhere("user")["login"]
    except TaxiwayError as error:
        if error.retryable:
            raise
        login = "an App"
    if login.lower() != repo.owner.lower():
        raise InputError(
            f"the credential is that of {login}, which cannot make repositories of the user {repo.owner}: give the "
            f"step a token of {repo.owner}, or name an organization",
            code="github.account",
        )


def _body(repo: Repo, values: Values, is_organization: bool) -> dict[str, Any]:
    visibility = values.get("repoVisibility", "private")
    body = given(
        name=repo.place.repo,
        description=values.get("description"),
        homepage=values.get("homepage"),
        private=visibility == "private",
        has_issues=values.get("hasIssues"),
        has_projects=values.get("hasProjects"),
        has_wiki=values.get("hasWiki"),
        auto_init=values.get("autoInit"),
        allow_auto_merge=values.get("allowAutoMerge", False),
        allow_merge_commit=values.get("allowMergeCommit", True),
        allow_rebase_merge=values.get("allowRebaseMerge", True),
        allow_squash_merge=values.get("allowSquashMerge", True),
        delete_branch_on_merge=values.get("deleteBranchOnMerge", False),
        squash_merge_commit_title=values.get("squashMergeCommitTitle", "COMMIT_OR_PR_TITLE"),
        squash_merge_commit_message=values.get("squashMergeCommitMessage", "COMMIT_MESSAGES"),
    )
    if is_organization:
        body |= given(visibility=visibility, custom_properties=values.get("customProperties"))
    return body


def _team(repo: Repo, team: str, permission: str) -> None:
    path = f"orgs/{quoted(repo.owner)}/teams/{quoted(team)}/repos/{repo.name}"
    answer = repo.client.send("PUT", path, {"permission": permission}, owner=repo.owner)
    answer.checked(f"{permission} access of the team {team} to {repo.place}")


def _name_of(name: str) -> str:
    """The name in an entity reference."""
    return name.replace(":", "/").rpartition("/")[2]


def _kept(found: Values) -> Values:
    return {key: found[key] for key in KEPT}
