"""Steps with the actions of a forge's plugin, as a run would do them: once, again after a kill, undone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from factories.described import Described, Git, Handlers, described_system
from factories.other_system import OtherSystem
from taxiway.model.run import Created
from taxiway.plugin import ManualClock, Plugin, StepContext
from taxiway.plugin.testing.host import MemoryHost, memory_host, step_context


@dataclass
class ForgeSteps:
    """A plugin's actions on one fake host. `made` is the inventory of the last step, `lines` its log, `hidden` what
    that is never to tell."""

    system: OtherSystem
    host: MemoryHost
    actions: Mapping[str, Any]
    workspace: Path
    made: list[Any] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    ctx: StepContext = field(init=False)

    def run(self, key: str, values: Mapping[str, Any], *, dry: bool = False) -> Any:
        """The output of a new step."""
        self.made.clear()
        self.lines.clear()
        ctx = step_context(self.workspace, self.made)
        secrets = self.host.context.secrets
        self.ctx = replace(ctx, log=self.log, hide=self.hidden.append, is_dry_run=dry, resolve_secret=secrets.get)
        return self.actions[key].run(self.ctx, values)

    def log(self, text: str, stream: str = "stdout") -> None:
        self.lines.append(text)

    def again(self, key: str, values: Mapping[str, Any]) -> Any:
        """The same step once more, as after a kill: its checkpoints are kept."""
        return self.actions[key].run(replace(self.ctx, attempt=2), values)

    def undo(self, key: str) -> None:
        """Take the last step back, as a run does."""
        created: list[Created] = []
        for item in self.made:
            if Created(*item) not in created:
                created.append(Created(*item))
        self.actions[key].check_undo(created)
        self.actions[key].undo(self.ctx, created)


def plugin_before(
    system: OtherSystem, folder: Path, plugin: Plugin, token: str | None, **settings: Any
) -> tuple[MemoryHost, dict[str, Any]]:
    """(its host side, its actions by key) of a plugin whose only host is the fake one."""
    made = memory_host(folder, plugin.name)
    host = {"host": system.host, "scheme": "http", **settings}
    if token is not None:
        host["token"] = made.context.secrets.put("token", token)
    settings_ = plugin.settings.model_validate({"hosts": [host]})
    clock = ManualClock(1_700_000_000_000_000)  # so that a commit is the same one each time
    made = replace(made, context=replace(made.context, settings=settings_, clock=clock))
    contributed = plugin.contribute(made.context)
    return made, {value.key: value.made for point, value in contributed if point == "action"}


@contextmanager
def forge_steps(
    folder: Path, plugin: Plugin, api: Described, handlers: Handlers, git: Git, **settings: Any
) -> Iterator[ForgeSteps]:
    """The plugin with one host, the fake; at the end nothing may have been asked that its API does not have."""
    with described_system(api, handlers, git) as system:
        if "api_path" in settings:
            settings["api_url"] = system.url + settings.pop("api_path")
        made, actions = plugin_before(system, folder / "host", plugin, "token-of-the-test", **settings)
        workspace = folder / "workspace"
        workspace.mkdir()
        yield ForgeSteps(system, made, actions, workspace)
    assert api.problems == []
