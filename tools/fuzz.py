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
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from benchmarks import server  # noqa: E402  the same way to start a server

BACKSTAGE = ROOT / "tests" / "contract" / "backstage-catalog" / "openapi.json"
HOOKS = ROOT / "tools" / "fuzz_hooks.py"
ENDLESS = (r"/stream$", r"/runs/\{run_id\}/events$", r"/eventstream$", r"/sessions/current$")
REPOSITORY = {
    "apiVersion": "scaffolder.backstage.io/v1beta3",
    "kind": "Template",
    "metadata": {"name": "fuzz"},
    "spec": {
        "type": "service",
        "steps": [
            {"id": "write", "action": "roadiehq:utils:fs:write", "input": {"path": "README.md", "content": "Fuzzed"}},
            {"id": "publish", "action": "publish:git", "input": {"name": "fuzz", "owner": "group:default/fuzzers"}},
        ],
        "output": {"repository": "${{ steps.publish.output.repository }}"},
    },
}
"""A golden path that makes a repository, and nothing else."""


def main() -> None:
    """Run both descriptions; the exit code says whether there was a server error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--only", help="a pattern that paths must match")
    parser.add_argument("--phases", default="coverage,fuzzing", help="phases of schemathesis")
    parser.add_argument("--checks", default="not_a_server_error,schema_or_parts_of_it", help="what counts")
    parser.add_argument("--description", choices=("ours", "backstage", "both"), default="both")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--st", default="st", help="the schemathesis command")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="taxiway-fuzz-"))
    folder.chmod(0o711)
    running = server.start(folder / "data", folder)
    try:
        token = server.token(running)
        ask = partial(_ask, running.url, token)
        os.environ["TAXIWAY_FUZZ_TOKEN"] = ask("/api/access/v1/tokens")["items"][0]["id"]
        os.environ["TAXIWAY_FUZZ_KNOWN"] = json.dumps(_fill(ask, folder))
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


def _ask(url: str, token: str, path: str, body: object = None) -> Any:
    lines = body if isinstance(body, list) else [body]
    head = {"authorization": f"Bearer {token}"}
    head["content-type"] = "application/x-ndjson" if isinstance(body, list) else "application/json"
    content = None if body is None else "\n".join(map(json.dumps, lines)).encode()
    with urllib.request.urlopen(urllib.request.Request(url + path, content, head), timeout=60) as answer:
        return json.loads(answer.read())


def _fill(ask: Callable[..., Any], folder: Path) -> list[tuple[str, dict[str, str]]]:
    """Make a thing of most kinds. Their names by what paths begin with, for parameters that nobody could guess."""
    ask("/api/catalog/v1/push/fuzz", [_component(number) for number in range(50)])
    file = folder / "files" / "catalog-info.yaml"
    file.parent.mkdir()
    file.write_text("\n---\n".join(map(json.dumps, (REPOSITORY, _component(50)))))
    location = ask("/api/catalog/locations?trust=true", {"type": "file", "target": str(file)})["location"]
    task = ask("/api/scaffolder/v2/tasks", {"templateRef": "template:default/fuzz"})["id"]
    ended = ask(f"/api/scaffolder/v2/tasks/{task}/events?after=1000000")[0]  # waits for it
    repository = ended["body"]["output"]["repository"]
    files = [{"path": "README.md", "content": "Changed\n"}]
    change = {"repository": repository, "head": "change", "title": "Change", "files": files}
    pull = ask("/api/pulls/v1/proposals", change)
    golden_path = "template:default/static-site"
    values = {"name": "fuzzed", "owner": "group:default/fuzzers", "description": "Made by fuzzing"}
    plan = ask("/api/scaffolder/v1/plans", {"template_ref": golden_path, "values": values})
    draft = ask("/api/scaffolder/v1/drafts", {"template_ref": golden_path})
    hook = ask("/api/webhooks/v1/webhooks", {"name": "fuzz", "url": "https://hooks.example.com/", "enabled": False})
    view = ask("/api/catalog/v1/views", {"name": "fuzz", "title": "Fuzz", "filters": ["kind=component"]})
    entity = {"kind": "component", "namespace": "default", "name": "fuzz-50", "source": "fuzz"}
    entity |= dict.fromkeys(("entityRef", "ref", "subject", "service", "service_ref"), "component:default/fuzz-50")
    template = {"kind": "template", "name": "static-site", "templateRef": golden_path, "template_ref": golden_path}
    return [
        ("", {**entity, "id": location["id"], "view": view["id"], "run_id": task, "task_id": task}),
        ("/api/scaffolder/", {"draft_id": draft["id"], "draftId": draft["id"], "plan_id": plan["id"], **template}),
        ("/api/webhooks/", {"id": hook["id"]}),
        ("/api/pulls/", {"repository": repository, "number": str(pull["number"]), "base": "main", "head": "change"}),
        ("/api/delivery/", {"repository": repository}),
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
    command += ["--checks", options.checks, "--max-examples", str(options.examples), "--seed", str(options.seed)]
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
