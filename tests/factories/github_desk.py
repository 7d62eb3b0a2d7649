"""What tests of the actions have: a fake GitHub, the plugin in front of it, and a workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from factories.forge_steps import plugin_before
from factories.github_api import TOKEN
from factories.github_work import GitHubAtWork
from taxiway.model.run import Created
from taxiway.plugin import Action, PluginContext, StepContext
from taxiway.plugin.testing.host import step_context
from taxiway.plugins.github import PLUGIN


@dataclass
class Step:
    """A step of a run: its inventory, its log, and what it hid. Checkpoints last as long as it."""

    workspace: Path
    made: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.ctx: StepContext = replace(
            step_context(self.workspace, self.made),
            log=lambda text, stream="stdout": self.lines.append(text),
            hide=self.hidden.add,
        )

    @property
    def created(self) -> Sequence[Created]:
        return [Created(*item) for item in self.made]


@dataclass
class Desk:
    """The plugin, as the host has it."""

    forge: GitHubAtWork
    context: PluginContext
    actions: dict[str, Action]
    workspace: Path

    @property
    def url(self) -> str:
        """The `repoUrl` of acme/shop."""
        return f"{self.forge.host}?owner=acme&repo=shop"

    def step(self) -> Step:
        return Step(self.workspace)

    def run(self, key: str, values: Mapping[str, Any], step: Step | None = None) -> Mapping[str, Any]:
        return self.actions[key].run((step or self.step()).ctx, {"repoUrl": self.url, **values})

    def undo(self, key: str, step: Step) -> None:
        action: Any = self.actions[key]
        action.check_undo(step.created)
        action.undo(step.ctx, step.created)


def desk_for(forge: GitHubAtWork, root: Path, *, has_credential: bool = True) -> Desk:
    """A plugin whose only GitHub is the fake one, and a workspace with some files."""
    host, actions = plugin_before(forge.system, root, PLUGIN, TOKEN if has_credential else None)
    workspace = root / "workspace"
    (workspace / "src").mkdir(parents=True)
    (workspace / "README.md").write_text("# shop\n")
    (workspace / "src/run.sh").write_text("#!/bin/sh\n")
    (workspace / "src/run.sh").chmod(0o755)
    (workspace / "logo.bin").write_bytes(b"\xff\x00\xfe")
    return Desk(forge, host.context, actions, workspace)
