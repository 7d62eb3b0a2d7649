"""`github:deployKey:create`: a deploy key, and its private half as a secret of the repository's workflows."""

from __future__ import annotations

from functools import partial

from taxiway.model.errors import ConflictError
from taxiway.model.run import Created
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema
from taxiway.plugin.forging.making import TakeBack, make_once, would
from taxiway.plugins.github.actions import schemas
from taxiway.plugins.github.actions.base import GitHub, Repo, Values
from taxiway.plugins.github.actions.values import SECRET, hide_all, put_secrets, take_back_secret

DEPLOY_KEY = "deploy_key"


def make(github: GitHub) -> list[FunctionAction]:
    """The action of this module."""

    def undo(ctx: StepContext, item: Created) -> None:
        repo = github.own(item.data)
        found = _key(repo, item.data["key"]) if repo.find() is not None else None
        if found is not None:
            repo.remove(f"keys/{found['id']}")
            ctx.log(f"Removed the deploy key {item.name}")

    return [
        FunctionAction(
            key="github:deployKey:create",
            description="Add a deploy key to a repository on GitHub, and keep its private half as a secret there",
            function=partial(_create, github),
            take_back=TakeBack({DEPLOY_KEY: undo, SECRET: partial(take_back_secret, github)}),
            input_schema=schema(
                ["repoUrl", "publicKey", "privateKey", "deployKeyName"],
                repoUrl=schemas.REPO_URL,
                publicKey="The public half, as ssh-keygen writes it",
                privateKey="The private half",
                deployKeyName="Name of the key",
                privateKeySecretName="Name of the secret; default the key's name in capitals and _PRIVATE_KEY",
                token=schemas.AS_WHOM,
            ),
            output_schema=schema(["privateKeySecretName"], privateKeySecretName="Name of the secret"),
        )
    ]


def _create(github: GitHub, ctx: StepContext, values: Values) -> Values:
    repo, name, public = github.repo(ctx, values), values["deployKeyName"], values["publicKey"].strip()
    secret = values.get("privateKeySecretName") or f"{'_'.join(name.split(' ')).upper()}_PRIVATE_KEY"
    hide_all(ctx, {secret: values["privateKey"]})
    output = {"privateKeySecretName": secret}
    if ctx.is_dry_run:
        return would(ctx, f"add the deploy key '{name}' and the secret {secret} to {repo.place}", output)
    made = make_once(
        ctx,
        DEPLOY_KEY,
        f"{repo.place}/{name}",
        {**repo.data, "key": _bare(public)},
        find=lambda: _key(repo, _bare(public)),
        make=lambda: {"id": repo.send("POST", "keys", {"title": name, "key": public})["id"]},
    )
    if not made.is_ours:
        raise ConflictError(f"{repo.place} has this deploy key already: make another pair", code="github.taken")
    put_secrets(ctx, repo, "actions", {secret: values["privateKey"]}, is_noted=True)
    ctx.log(f"Added the deploy key '{name}' to {repo.place}")
    return output


def _key(repo: Repo, bare: str) -> Values | None:
    return next(({"id": one["id"]} for one in repo.pages("keys") if _bare(one["key"]) == bare), None)


def _bare(key: str) -> str:
    """A public key without its comment, which GitHub does not keep."""
    return " ".join(key.split()[:2])
