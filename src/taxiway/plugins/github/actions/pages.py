"""`github:pages:enable`: a website from a repository."""

from __future__ import annotations

from functools import partial

from taxiway.model.errors import ConflictError
from taxiway.model.run import Created
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema
from taxiway.plugin.forging.making import TakeBack, make_once, would
from taxiway.plugins.github.actions import schemas
from taxiway.plugins.github.actions.base import GitHub, Repo, Values

SITE = "pages_site"


def make(github: GitHub) -> list[FunctionAction]:
    """The action of this module."""

    def undo(ctx: StepContext, item: Created) -> None:
        github.own(item.data).remove("pages")
        ctx.log(f"Took {item.name} down")

    return [
        FunctionAction(
            key="github:pages:enable",
            description="Publish a website from a repository with GitHub Pages",
            function=partial(_enable, github),
            take_back=TakeBack({SITE: undo}),
            input_schema=schema(
                ["repoUrl"],
                repoUrl=schemas.REPO_URL,
                buildType=schemas.choice(
                    "Who builds it: GitHub, or a workflow", "legacy", "workflow", default="workflow"
                ),
                sourceBranch=schemas.text("The branch that it is built from", "main"),
                sourcePath=schemas.choice("The folder that it is built from", "/", "/docs", default="/"),
                token=schemas.AS_WHOM,
            ),
            output_schema=schema(),
        )
    ]


def _enable(github: GitHub, ctx: StepContext, values: Values) -> Values:
    repo, kind = github.repo(ctx, values), values.get("buildType", "workflow")
    source = {"branch": values.get("sourceBranch", "main"), "path": values.get("sourcePath", "/")}
    if ctx.is_dry_run:
        return would(ctx, f"publish a website from {source['branch']} of {repo.place}")
    made = make_once(
        ctx,
        SITE,
        f"the website of {repo.place}",
        repo.data,
        find=lambda: _site(repo),
        make=lambda: repo.send("POST", "pages", {"build_type": kind, "source": source}) and {"build_type": kind},
    )
    if not made.is_ours and made.value.get("build_type") != kind:
        raise ConflictError(
            f"{repo.place} has a website already (build type {made.value.get('build_type')}): leave the step out, or "
            "disable GitHub Pages there first",
            code="github.taken",
        )
    ctx.log(f"{repo.place} has a website from {source['branch']}")
    return {}


def _site(repo: Repo) -> Values | None:
    found = repo.find("pages")
    return None if found is None else {"build_type": found.get("build_type")}
