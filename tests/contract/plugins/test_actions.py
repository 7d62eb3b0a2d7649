"""The conformance of actions, of the forge and of the plan check that ship."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from factories.host import Host
from outside_plugin.src.taxiway_weather import FolderDestination, ForecastAction
from taxiway.core.context import Platform
from taxiway.features.scaffolder.actions.fetch import TEMPLATE_FOLDER, fetch_actions
from taxiway.features.scaffolder.actions.files import file_actions
from taxiway.features.scaffolder.actions.publish import publish_git
from taxiway.features.scaffolder.checks import OwnerCheck
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.model.workload import Target
from taxiway.plugin import Action, Autocompleter, Identity
from taxiway.plugin.testing import (
    ActionConformance,
    AutocompleterConformance,
    DestinationConformance,
    ForgeConformance,
    PlanCheckConformance,
    memory_host,
    step_context,
)
from taxiway.plugins.git_local.forge import LocalForge

INPUTS: Mapping[str, Mapping[str, Any]] = {
    "fs:delete": {"files": ["here.txt", "*.md"]},
    "fs:rename": {"files": [{"from": "here.txt", "to": "there/now.txt"}]},
    "fs:readdir": {"paths": ["."], "recursive": True},
    "debug:log": {"message": "hello", "listWorkspace": True},
    "fetch:plain": {"url": "./skeleton", "targetPath": "copied"},
    "fetch:template": {"url": "./skeleton", "values": {"name": "shop"}},
    "publish:git": {"name": "shop"},
}


def nowhere(*_: Any, **__: Any) -> Any:
    raise AssertionError("nothing is fetched from elsewhere here")


class TestActions(ActionConformance):
    @pytest.fixture(params=INPUTS)
    def action(self, request: pytest.FixtureRequest, tmp_path: Path) -> Action:
        workspace, skeleton = tmp_path, tmp_path.parent / TEMPLATE_FOLDER / "skeleton"
        (workspace / "here.txt").write_text("here")
        (workspace / "README.md").write_text("read me")
        skeleton.mkdir(parents=True, exist_ok=True)
        (skeleton / "${{ values.name }}.txt").write_text("${{ values.name }}")
        renderer = Renderer(Identity(None, None))
        forge = LocalForge(Host(tmp_path.parent / f"{tmp_path.name}-forge").context, 10_000_000)
        actions: list[Action] = [
            *file_actions(lambda: renderer),
            *fetch_actions(lambda: renderer, nowhere),
            publish_git(lambda: forge, lambda: "http://127.0.0.1:7007"),
        ]
        return next(item for item in actions if item.key == request.param)

    @pytest.fixture
    def values(self, action: Action) -> Mapping[str, Any]:
        return INPUTS[action.key]


class TestForecastAction(ActionConformance):
    @pytest.fixture
    def action(self) -> ForecastAction:
        return ForecastAction("rain", lambda draft: None)

    @pytest.fixture
    def values(self) -> Mapping[str, Any]:
        return {"city": "Oslo"}


class TestFolderDestination(DestinationConformance):
    @pytest.fixture
    def destination(self, tmp_path: Path) -> FolderDestination:
        return FolderDestination(tmp_path)

    @pytest.fixture
    def target(self) -> Target:
        return Target("dev", "dev", "folder")

    @pytest.fixture
    def objects(self) -> list[Any]:
        return [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shop", "namespace": "dev"}}]


class TestLocalForge(ForgeConformance):
    @pytest.fixture
    def forge(self, tmp_path: Path) -> LocalForge:
        return LocalForge(Host(tmp_path).context, 10_000_000)


class TestOwnerCheck(PlanCheckConformance):
    @pytest.fixture
    def check(self, make_platform: Callable[..., Platform]) -> OwnerCheck:
        return OwnerCheck(make_platform())


class TestSuggestions(AutocompleterConformance):
    @pytest.fixture(params=["github", "gitlab", "gitea", "bitbucket", "azure"])
    def completer(self, request: pytest.FixtureRequest, tmp_path: Path) -> Autocompleter:
        plugin = import_module(f"taxiway.plugins.{request.param}").PLUGIN
        host = {
            "host": "forge.example.com",
            "token": "env:NOT_SET",
            **({"cloud": True} if "bit" in request.param else {}),
        }
        made = memory_host(tmp_path, plugin.name).context
        ctx = replace(made, settings=plugin.settings.model_validate({"hosts": [host]}))
        (found,) = [value for point, value in plugin.contribute(ctx) if point == "autocompleter"]
        suggests: Autocompleter = found.made
        assert suggests.key == found.key
        return suggests


def test_a_rename_of_what_was_never_there_is_still_refused(tmp_path: Path) -> None:
    from taxiway.model.errors import NotFoundError

    (tmp_path / "there.txt").write_text("another file")
    rename = next(item for item in file_actions(nowhere) if item.key == "fs:rename")
    values = {"files": [{"from": "gone.txt", "to": "there.txt"}]}
    ctx = step_context(tmp_path)
    for _ in range(2):
        with pytest.raises(NotFoundError):
            rename.run(ctx, values)
