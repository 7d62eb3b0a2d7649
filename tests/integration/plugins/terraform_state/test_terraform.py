"""States that a real terraform writes, from a file and an HTTP server; skipped where there is no terraform."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from factories.outside import Asked, Said, answering
from taxiway.model.errors import InputError, NotFoundError, TaxiwayError
from taxiway.plugin import ManualClock, SourcedEntity, SourcePart, SourceRequest
from taxiway.plugin.testing import EntitySourceConformance, MemorySecrets
from taxiway.plugins.terraform_state.source import TerraformSource

SECRET = "not-for-the-catalog"
CONFIGURATION = """
variable "token" {
  type      = string
  sensitive = true
}
resource "terraform_data" "database" {
  for_each = toset(["orders", "it's"])
  input    = { password = var.token, name = each.key }
}
module "queue" {
  source = "./queue"
  needs  = terraform_data.database["orders"].id
}
output "token" {
  value     = var.token
  sensitive = true
}
"""
MODULE = """
variable "needs" { type = string }
resource "terraform_data" "this" {
  count = 2
  input = var.needs
}
"""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    terraform = shutil.which("terraform")
    if terraform is None:
        pytest.skip("terraform is not on PATH")
    folder = tmp_path_factory.mktemp("stack")
    (folder / "queue").mkdir()
    (folder / "main.tf").write_text(CONFIGURATION)
    (folder / "queue" / "main.tf").write_text(MODULE)
    for command in (["init", "-no-color"], ["apply", "-auto-approve", "-no-color", f"-var=token={SECRET}"]):
        done = subprocess.run([terraform, *command], cwd=folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
    found = folder / "terraform.tfstate"
    assert SECRET in found.read_text(), "the state holds what must not come along"
    return found


@pytest.fixture
def source() -> TerraformSource:
    secrets = MemorySecrets()
    secrets.put("state", "s3cret")
    return TerraformSource(secrets, ManualClock())


def options(url: str, **more: Any) -> dict[str, Any]:
    return {"url": url, "owner": "group:default/platform", "exclude": [], **more}


class TestContract(EntitySourceConformance):
    @pytest.fixture
    def source(self) -> TerraformSource:
        return TerraformSource(MemorySecrets(), ManualClock())

    @pytest.fixture
    def options(self, state: Path) -> dict[str, Any]:
        return options(str(state))

    @pytest.fixture
    def missing(self, tmp_path: Path) -> dict[str, Any]:
        return options(str(tmp_path / "none.tfstate"))


def read(source: TerraformSource, given: dict[str, Any], part: Any = None) -> list[Any]:
    request = SourceRequest("stack", source.options.model_validate(given))
    return list(source.read(replace(request, part=lambda key: part)))


def test_a_real_state_becomes_resources_without_its_secrets(source: TerraformSource, state: Path) -> None:
    found = [item for item in read(source, options(str(state))) if isinstance(item, SourcedEntity)]
    by_title = {str(item.document["metadata"]["title"]): item.document for item in found}
    assert set(by_title) == {
        'terraform_data.database["it\'s"]',
        'terraform_data.database["orders"]',
        "module.queue.terraform_data.this[0]",
        "module.queue.terraform_data.this[1]",
    }
    first = by_title["module.queue.terraform_data.this[0]"]
    assert len(first["spec"]["dependsOn"]) == 2
    assert first["metadata"]["annotations"]["taxiway.dev/terraform-provider"] == "builtin/terraform"
    assert SECRET not in json.dumps([item.document for item in found])


@pytest.fixture
def backend(state: Path) -> Iterator[str]:
    # Terraform's http backend, as far as reading goes.
    content = state.read_bytes()

    def answer(asked: Asked) -> Said:
        wanted = "Basic " + base64.b64encode(b"ada:s3cret").decode()
        sent = asked.headers.get("authorization", "")
        if asked.path == "/bucket/env/prod.tfstate":
            status = 200 if "Credential=AK/" in sent else 403
        else:
            status = 200 if sent == wanted else 401
        if status == 200 and asked.headers.get("if-none-match") == '"7"':
            return Said(304)
        return Said(status, content if status == 200 else b"", {"etag": '"7"'})

    with answering(answer) as url:
        yield url


def test_a_backend_is_asked_only_for_what_changed(source: TerraformSource, backend: str) -> None:
    given = options(f"{backend}/state", username="ada", password="secret://memory/state")
    found = read(source, given)
    assert sum(isinstance(item, SourcedEntity) for item in found) == 4
    state = next(item.state for item in found if isinstance(item, SourcePart))
    again = read(source, given, state)
    assert [item.same for item in again if isinstance(item, SourcePart)] == [True]
    other = read(source, {**given, "prefix": "x-"}, state)
    assert sum(isinstance(item, SourcedEntity) for item in other) == 4, "other settings make other entities"


def test_a_bucket_is_read(source: TerraformSource, backend: str) -> None:
    keys = {"s3_endpoint": backend, "s3_access_key": "AK", "s3_secret_key": "secret://memory/state"}
    found = read(source, options("s3://bucket/env/prod.tfstate", **keys))
    assert {item.location for item in found if isinstance(item, SourcedEntity)} == {"url:s3://bucket/env/prod.tfstate"}


def test_what_cannot_be_read_is_said(source: TerraformSource, backend: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("no state")
    cases: list[tuple[dict[str, Any], type[TaxiwayError]]] = [
        (options(f"{backend}/state"), InputError),
        (options("s3://bucket/env/prod.tfstate", s3_endpoint=backend), InputError),
        (options("relative.tfstate"), InputError),
        (options(str(tmp_path)), InputError),
        (options(str(tmp_path / "x")), InputError),
        (options(str(tmp_path / "y")), NotFoundError),
        (options(f"{backend}/state", password="secret://memory/gone"), NotFoundError),
    ]
    for given, error in cases:
        with pytest.raises(error):
            read(source, given)
