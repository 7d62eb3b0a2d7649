"""`make fuzz`: schemathesis over Taxiway's own API description and Backstage's published one for the catalog.

A real server on a folder of its own gets at least 200 generated requests an operation, as an administrator and beyond
what the descriptions allow. Server errors count, and answers that are not what the description says they are:
`fuzz_hooks` has the one difference that is known. Streams are left out: they do not end.
It needs `schemathesis`, which `make fuzz` installs beside the checkout's own packages.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from benchmarks import server  # noqa: E402  the same way to start a server

BACKSTAGE = ROOT / "tests" / "contract" / "backstage-catalog" / "openapi.json"
HOOKS = ROOT / "tools" / "fuzz_hooks.py"
ENDLESS = (r"/stream$", r"/runs/\{run_id\}/events$", r"/eventstream$", r"/sessions/current$")
SEED = 1


def main() -> None:
    """Run both descriptions; the exit code says whether there was a server error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--only", help="a pattern that paths must match")
    parser.add_argument("--phases", default="coverage,fuzzing", help="phases of schemathesis")
    parser.add_argument("--checks", default="not_a_server_error,schema_or_parts_of_it", help="what counts")
    parser.add_argument("--description", choices=("ours", "backstage", "both"), default="both")
    parser.add_argument("--st", default="st", help="the schemathesis command")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="taxiway-fuzz-"))
    folder.chmod(0o711)
    running = server.start(folder / "data", folder)
    try:
        token = server.token(running)
        os.environ["TAXIWAY_FUZZ_KNOWN"] = json.dumps(_fill(running.url, token, folder))
        codes = []
        if options.description in ("ours", "both"):
            codes.append(_run(options, ROOT / "openapi.json", running.url, token))
        if options.description in ("backstage", "both"):
            codes.append(_run(options, BACKSTAGE, running.url + "/api/catalog", token))
    finally:
        running.stop()
        print((folder / "server.log").read_text()[-4000:], file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(max(codes))


def _fill(url: str, token: str, folder: Path) -> list[tuple[str, dict[str, str]]]:
    """Make a thing of most kinds. Their names by what paths begin with, for parameters that nobody could guess."""

    def post(path: str, body: object) -> dict[str, Any]:
        lines = body if isinstance(body, list) else [body]
        head = {"authorization": f"Bearer {token}"}
        head["content-type"] = "application/x-ndjson" if isinstance(body, list) else "application/json"
        request = urllib.request.Request(url + path, "\n".join(map(json.dumps, lines)).encode(), head)
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: dict[str, Any] = json.loads(answer.read())
            return found

    post("/api/catalog/v1/push/fuzz", [_component(number) for number in range(50)])
    (folder / "catalog-info.yaml").write_text(json.dumps(_component(50)))
    location = post("/api/catalog/locations", {"type": "file", "target": str(folder / "catalog-info.yaml")})["location"]
    golden_path = "template:default/static-site"
    values = {"name": "fuzzed", "owner": "group:default/fuzzers", "description": "Made by fuzzing"}
    plan = post("/api/scaffolder/v1/plans", {"template_ref": golden_path, "values": values})
    draft = post("/api/scaffolder/v1/drafts", {"template_ref": golden_path})
    hook = post("/api/webhooks/v1/webhooks", {"name": "fuzz", "url": "https://hooks.example.com/", "enabled": False})
    view = post("/api/catalog/v1/views", {"name": "fuzz", "title": "Fuzz", "filters": ["kind=component"]})
    run = post(f"/api/catalog/v1/locations/{location['id']}/ingest", {})
    entity = {"kind": "component", "namespace": "default", "name": "fuzz-50", "source": "fuzz"}
    template = {"kind": "template", "name": "static-site", "templateRef": golden_path, "template_ref": golden_path}
    return [
        ("", {**entity, "id": location["id"], "view": view["id"], "run_id": run["run_id"], "task_id": run["run_id"]}),
        ("/api/scaffolder/", {"draft_id": draft["id"], "draftId": draft["id"], "plan_id": plan["id"], **template}),
        ("/api/webhooks/", {"id": hook["id"]}),
    ]


def _component(number: int) -> dict[str, Any]:
    spec = {"type": "service", "lifecycle": "production", "owner": "fuzzers"}
    metadata = {"name": f"fuzz-{number}", "tags": ["go"], "labels": {"tier": str(number % 3)}}
    return {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": metadata,
        "spec": {**spec, "dependsOn": [f"component:fuzz-{number // 2}"]},
    }


def _run(options: argparse.Namespace, description: Path, url: str, token: str) -> int:
    command = [options.st, "run", str(description), "--url", url, "--header", f"Authorization: Bearer {token}"]
    command += ["--checks", options.checks, "--max-examples", str(options.examples), "--seed", str(SEED)]
    command += ["--mode", "all", "--phases", options.phases, "--request-timeout", "20"]
    command += ["--continue-on-failure", "--generation-database", "none", "--suppress-health-check", "all"]
    if options.only:
        command += ["--include-path-regex", options.only]
    if description.parent == ROOT:
        command += ["--exclude-path-regex", "|".join(ENDLESS)]
    environ = os.environ | {"SCHEMATHESIS_HOOKS": HOOKS.stem, "PYTHONPATH": str(HOOKS.parent)}
    return subprocess.run(command, check=False, cwd=tempfile.gettempdir(), env=environ).returncode


if __name__ == "__main__":
    main()
