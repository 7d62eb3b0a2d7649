"""`github:webhook` and `github:autolinks:create`: what a repository tells others, and what it links to."""

from __future__ import annotations

from functools import partial

from taxiway.model.errors import ConflictError
from taxiway.model.run import Created
from taxiway.plugin import StepContext, digest
from taxiway.plugin.actions import FunctionAction, schema
from taxiway.plugin.forging.making import TakeBack, make_once, would
from taxiway.plugin.outgoing import shown
from taxiway.plugins.github.actions import schemas
from taxiway.plugins.github.actions.base import GitHub, Repo, Values, given, warned

WEBHOOK, AUTOLINK = "webhook", "autolink"


def make(github: GitHub) -> list[FunctionAction]:
    """The actions of this module."""
    return [_webhook_action(github), _autolink_action(github)]


def _webhook_action(github: GitHub) -> FunctionAction:
    def run(ctx: StepContext, values: Values) -> Values:
        repo = github.repo(ctx, values)
        if values.get("webhookSecret"):
            ctx.hide(values["webhookSecret"])
        if ctx.is_dry_run:
            return would(ctx, f"create a webhook of {repo.place} to {_aim(values['webhookUrl'])}")
        # A webhook that cannot be made is a warning in Backstage.
        warned(ctx, f"the webhook to {_aim(values['webhookUrl'])}", partial(_make_webhook, ctx, repo, values))
        return {}

    def undo(ctx: StepContext, item: Created) -> None:
        repo = github.own(item.data)
        found = _hook(repo, item.data["digest"]) if repo.find() is not None else None
        if found is not None:
            repo.remove(f"hooks/{found['id']}")
            ctx.log(f"Removed the webhook {item.name}")

    return FunctionAction(
        key="github:webhook",
        description="Create a webhook of a repository on GitHub",
        function=run,
        take_back=TakeBack({WEBHOOK: undo}),
        input_schema=schema(
            ["repoUrl", "webhookUrl"],
            repoUrl=schemas.REPO_URL,
            webhookUrl="Where events are sent to",
            webhookSecret="What they are signed with",
            events={**schemas.STRINGS, "description": "Names of events, or '*' for all", "default": ["push"]},
            active=schemas.flag("Whether it sends", True),
            contentType=schemas.choice("How the body is written", "form", "json", default="form"),
            insecureSsl=schemas.flag("Do not check the certificate of the other side", False),
            token=schemas.AS_WHOM,
        ),
        output_schema=schema(),
    )


def _make_webhook(ctx: StepContext, repo: Repo, values: Values) -> None:
    config = given(
        url=values["webhookUrl"],
        content_type=values.get("contentType", "form"),
        secret=values.get("webhookSecret"),
        insecure_ssl="1" if values.get("insecureSsl") else "0",
    )
    body = {
        "name": "web",
        "config": config,
        "events": values.get("events") or ["push"],
        "active": values.get("active", True),
    }
    made = make_once(
        ctx,
        WEBHOOK,
        f"{repo.place} → {_aim(values['webhookUrl'])}",
        {**repo.data, "digest": digest(values["webhookUrl"])},
        find=lambda: _hook(repo, digest(values["webhookUrl"])),
        make=lambda: {"id": repo.send("POST", "hooks", body)["id"]},
    )
    ctx.log(f"Created the webhook {made.value['id']}" if made.is_ours else "The webhook is there already")


def _autolink_action(github: GitHub) -> FunctionAction:
    return FunctionAction(
        key="github:autolinks:create",
        description="Let a repository on GitHub link what begins with a prefix",
        function=partial(_make_autolink, github),
        take_back=TakeBack({AUTOLINK: partial(_remove_autolink, github)}),
        input_schema=schema(
            ["repoUrl", "keyPrefix", "urlTemplate"],
            repoUrl=schemas.REPO_URL,
            keyPrefix="What links begin with, such as TICKET-",
            urlTemplate="Where they lead; <num> stands for what follows the prefix",
            isAlphanumeric=schemas.flag("Letters may follow the prefix too", True),
            token=schemas.AS_WHOM,
        ),
        output_schema=schema(),
    )


def _make_autolink(github: GitHub, ctx: StepContext, values: Values) -> Values:
    repo, prefix = github.repo(ctx, values), values["keyPrefix"]
    if ctx.is_dry_run:
        return would(ctx, f"link {prefix} in {repo.place} to {values['urlTemplate']}")
    body = {
        "key_prefix": prefix,
        "url_template": values["urlTemplate"],
        "is_alphanumeric": values.get("isAlphanumeric", True),
    }
    made = make_once(
        ctx,
        AUTOLINK,
        f"{repo.place}: {prefix}",
        {**repo.data, "prefix": prefix},
        find=lambda: _autolink(repo, prefix),
        make=lambda: _kept(repo.send("POST", "autolinks", body)),
    )
    if made.value["url_template"] != values["urlTemplate"]:
        raise ConflictError(
            f"{prefix} in {repo.place} links to {made.value['url_template']} already: remove that, or choose "
            "another prefix",
            code="github.taken",
        )
    ctx.log(f"{prefix} in {repo.place} links to {values['urlTemplate']}")
    return {}


def _remove_autolink(github: GitHub, ctx: StepContext, item: Created) -> None:
    repo = github.own(item.data)
    found = _autolink(repo, item.data["prefix"]) if repo.find() is not None else None
    if found is not None:
        repo.remove(f"autolinks/{found['id']}")
        ctx.log(f"Removed the link {item.name}")


def _aim(url: str) -> str:
    """Where a webhook sends to, for people: its path is as good as a credential at many, so there is a mark for it."""
    return f"{'/'.join(shown(url).split('/')[:3])} ({digest(url)[-8:]})"


def _hook(repo: Repo, url_digest: str) -> Values | None:
    """The webhook to a URL; the inventory has the digest of it, for a URL may be as good as a credential."""
    found = (one for one in repo.pages("hooks") if digest(one["config"].get("url", "")) == url_digest)
    return next(({"id": one["id"]} for one in found), None)


def _autolink(repo: Repo, prefix: str) -> Values | None:
    listed = repo.read("autolinks")  # GitHub gives all of them at once
    return next((_kept(one) for one in listed if one["key_prefix"] == prefix), None)


def _kept(found: Values) -> Values:
    return {"id": found["id"], "url_template": found["url_template"]}
