"""`taxiway import` against a served platform: files, folders, and a running instance that answers as Backstage does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from factories.served import Served, served
from taxiway.cli.main import run
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.worker.main import Worker

DATA = Path(__file__).parents[3] / "unit" / "features" / "catalog" / "importers" / "data"
Told = tuple[int, str]


@pytest.fixture
def taxiway(
    server: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Told]]:
    """Runs a command against the server; its exit code and what it said to programs."""
    worker = Worker(server.platform, [])
    worker.start()
    monkeypatch.setenv("TAXIWAY_URL", server.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", server.token())

    def command(*arguments: str) -> Told:
        capsys.readouterr()
        code = run(list(arguments))
        out, err = capsys.readouterr()
        return code, out if code in (0, 1) else err

    yield command
    server.platform.stopping.set()
    worker.stop()


@pytest.mark.parametrize("format", ["port", "cortex", "opslevel"])
def test_a_folder_of_documents_is_reported_and_then_applied(taxiway: Callable[..., Told], format: str) -> None:
    folder = DATA / format
    goldens = folder / "report.golden.json"
    files = [str(path) for path in sorted(folder.iterdir()) if path != goldens]
    code, told = taxiway("import", format, *files)
    refused = [item for item in json.loads(goldens.read_text()) if item["outcome"] == "refused"]
    assert code == (1 if refused else 0)
    assert told.count("refused:") == len(refused)
    code, told = taxiway("import", format, *files, "--apply", "--output", "json")
    assert json.loads(told)["counts"]["created"] > 3
    code, told = taxiway("import", format, *files, "--apply", "--brief")
    assert " unchanged" in told
    assert " created" not in told


def test_a_running_instance_is_read_page_by_page(taxiway: Callable[..., Told], tmp_path: Path) -> None:
    # Another Taxiway answers Backstage's API; the npm client's test shows that it does so as Backstage would.
    with served(tmp_path / "other", features=[ACCESS, CATALOG]) as other:
        token = other.token()
        entities = [
            {
                "apiVersion": "backstage.io/v1alpha1",
                "kind": "Resource",
                "metadata": {"name": f"r-{number:04}"},
                "spec": {"type": "topic", "owner": "team", "dependsOn": [f"resource:r-{(number + 1) % 1100:04}"]},
            }
            for number in range(1100)
        ]
        from taxiway.features.catalog import service
        from taxiway.plugin import SourcedEntity

        sourced = [SourcedEntity(one, "file:/x.yaml") for one in entities]
        ctx = other.platform.system("test")
        other.platform.store.write(lambda tx: service.apply_entities(tx, ctx, sourced, "x", full=False))
        assert taxiway("import", "backstage", other.url)[0] == 3
        asked = ["import", "backstage", other.url, "--token", token]
        assert "no entity is found" in taxiway(*asked, "--filter", "metadata.name=nobody")[1]
        _, told = taxiway(*asked, "--filter", "metadata.name=r-0001", "--brief")
        assert told.startswith("1 entity")
        _, told = taxiway(*asked, "--apply", "--output", "json")
        counts = json.loads(told)["counts"]
        topics = [item for item in json.loads(told)["items"] if (item["ref"] or "").startswith("resource:default/r-")]
        assert len(topics) == 1100
        assert counts["created"] >= 1101
        _, told = taxiway(*asked, "--apply", "--output", "json")
        again = json.loads(told)["counts"]
        assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, counts["created"])
    # What is missing is what only the shipped library's entities state.
    lost = [
        field
        for item in topics
        for field in item["fields"]
        if "/relations/" in field["field"] and field["fate"] != "carried"
    ]
    assert {field["note"].split(":")[0] for field in lost} <= {"ownedBy group"}


def test_a_configuration_is_told_from_an_address(taxiway: Callable[..., Told]) -> None:
    folder = DATA / "backstage-config"
    files = [str(folder / "app-config.yaml"), str(folder / "app-config.production.yaml")]
    code, told = taxiway("import", "backstage", *files, "--base", "/srv")
    assert code == 1
    assert "${GIT_HOST}" in told
    assert "location file:/examples/entities.yaml, but: " in told or "examples/entities.yaml, but: " in told


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["port"], "name the files"),
        (["port", "/no/such/file"], "cannot be read"),
        (["port", "/etc/hostname", "--kind", "x"], "NAME=KIND"),
        (["backstage"], "name app-config files"),
        (["backstage", "http://127.0.0.1:9", "x"], "one address"),
        (["backstage", "http://127.0.0.1:9"], "does not answer"),
    ],
)
def test_mistakes_are_explained(taxiway: Callable[..., Told], arguments: list[str], says: str) -> None:
    code, told = taxiway("import", *arguments)
    assert code not in (0, 1)
    assert says in told
