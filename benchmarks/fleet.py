"""`python -m benchmarks.fleet`: services with edits of their own, brought through three versions of their golden path.

A real server; services from tasks; edits pushed with git before each upgrade, to lines that the new version changes
too, in files that it renames, and in files of their own. Every line has a name, so that each lost edit is counted.
Where an upgrade has conflict marks, both sides are kept, as a careful owner would, and the pull request is marked as
ready.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import yaml

from benchmarks import server
from benchmarks.client import Api

SCAFFOLDER, PULLS = "/api/scaffolder/v1", "/api/pulls/v1"
TEMPLATE = "template:default/bench-path"
ENTITY = """apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: "${{ values.name }}"}
spec: {type: service, lifecycle: production, owner: bench}
"""
GROUP = "apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: bench}\nspec: {type: team, children: []}\n"
MARKS = re.compile(rb"^(<<<<<<< |=======|>>>>>>> ).*\n", re.MULTILINE)
LINES, FILES = 40, 6
VERSIONS = 3
AUTHOR = ("-c", "user.name=bench", "-c", "user.email=bench@example.invalid")


def main() -> None:
    """Make, edit, upgrade, merge; then count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="taxiway-bench-"))
    folder.chmod(0o755)  # repository code runs as another user where this runs as root: it must be able to enter
    running = server.start(folder / "data", folder)
    try:
        _measure(running, folder, options.services, Random(options.seed))
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _measure(running: server.Server, folder: Path, count: int, random: Random) -> None:
    token = server.token(running)
    api = Api(running.url, token)
    _write_template(folder / "path", 1)
    (folder / "path" / "group.yaml").write_text(GROUP)
    for name in ("group.yaml", "template.yaml"):
        api.call("POST", "/api/catalog/locations", {"type": "file", "target": str(folder / "path" / name)})
    _until(lambda: api.send("GET", "/api/catalog/entities/by-name/template/default/bench-path")[0] == 200)
    names = [f"svc-{number}" for number in range(count)]
    for name in names:
        values = {"name": name, "owner": "group:default/bench"}
        _run_of(api, api.call("POST", "/api/scaffolder/v2/tasks", {"templateRef": TEMPLATE, "values": values})["id"])
    edits: dict[str, set[bytes]] = {name: set() for name in names}
    marked = merged = 0
    begin = time.perf_counter()
    for version in range(2, VERSIONS + 1):
        for name in names:
            edits[name] |= _edit(running.url, token, folder / "work", name, version, random)
        _write_template(folder / "path", version)
        api.call("POST", "/api/catalog/refresh", {"entityRef": TEMPLATE})
        _until(lambda: len(_services(api, "behind")) == count)
        order = {"template_ref": TEMPLATE, "canary": 1, "pace": 5}
        run = _run_of(api, api.call("POST", f"{SCAFFOLDER}/fleet-upgrades", order)["id"])
        for item in run["output"]["upgraded"]:
            pull = api.call("GET", f"{PULLS}/pulls/{item['repository']}/{item['pull']}")
            if pull["draft"]:
                marked += 1
                _keep_both(running.url, token, folder / "work", pull)
                api.call("PUT", f"{PULLS}/pulls/{item['repository']}/{item['pull']}", {"draft": False})
            api.call("POST", f"{PULLS}/pulls/{item['repository']}/{item['pull']}/merge", {})
            merged += 1
        _until(lambda: len(_services(api, "current")) == count)
    took = time.perf_counter() - begin
    lost = sum(len(edits[name] - _all_lines(running.url, token, folder / "work", name)) for name in names)
    made = sum(map(len, edits.values()))
    print(f"{count} services, {VERSIONS} versions: {merged} upgrades merged, {marked} of them with conflict marks")
    print(f"{made} own lines, {lost} of them lost; {took:.0f} s")


def _write_template(folder: Path, version: int) -> None:
    """The golden path: each version changes a third of the lines, renames a file, adds one and deletes one."""
    steps: list[Mapping[str, Any]] = [
        {"id": "fetch", "action": "fetch:template", "input": {"url": "./skeleton", "values": "${{ parameters }}"}},
        {
            "id": "publish",
            "action": "publish:git",
            "input": {"name": "${{ parameters.name }}", "owner": "${{ parameters.owner }}"},
        },
    ]
    form = {"required": ["name", "owner"], "properties": {"name": {"type": "string"}, "owner": {"type": "string"}}}
    document = {
        "apiVersion": "scaffolder.backstage.io/v1beta3",
        "kind": "Template",
        "metadata": {"name": "bench-path"},
        "spec": {"type": "service", "owner": "group:default/bench", "parameters": form, "steps": steps},
    }
    skeleton = folder / "skeleton"
    shutil.rmtree(skeleton, ignore_errors=True)
    skeleton.mkdir(parents=True)
    (skeleton / "catalog-info.yaml").write_text(ENTITY)
    for number in range(FILES):
        lines = [
            f"file {number} line {line} of ${{{{ values.name }}}}"
            + (f" as of {version}" if version > 1 and (line + number) % 3 == version % 3 else "")
            for line in range(LINES)
        ]
        name = f"moved-{version}/file-{number}.txt" if number == 0 else f"file-{number}.txt"
        (skeleton / name).parent.mkdir(exist_ok=True)
        (skeleton / name).write_text("\n".join(lines) + "\n")
    (skeleton / f"only-{version}.txt").write_text(f"only in {version}\n")
    (folder / "template.yaml").write_text(yaml.safe_dump(document))


def _edit(url: str, token: str, work: Path, name: str, version: int, random: Random) -> set[bytes]:
    """Own work, pushed: changed lines, inserted ones, and a file. Returns the lines."""
    clone = _clone(url, token, work, name)
    made: set[bytes] = set()
    for path in sorted(clone.rglob("file-*.txt")):
        lines = path.read_bytes().splitlines()
        for at in sorted(random.sample(range(len(lines)), 3)):
            line = f"own work of {name}, version {version}, {path.name}, line {at}".encode()
            made.add(line)
            if random.random() < 0.5 and not lines[at].startswith(b"own work"):
                lines[at] = line
            else:
                lines.insert(at, line)
        path.write_bytes(b"\n".join(lines) + b"\n")
    line = f"own file of {name}, version {version}".encode()
    (clone / f"own-{version}.txt").write_bytes(line + b"\n")
    _commit(clone, "own work")
    return made | {line}


def _keep_both(url: str, token: str, work: Path, pull: Mapping[str, Any]) -> None:
    """Take the marks out of every file of a pull request, and nothing else."""
    clone = _clone(url, token, work, pull["repository"], pull["head"])
    for path in clone.rglob("*.txt"):
        content = path.read_bytes()
        if b"<<<<<<< " in content:
            path.write_bytes(MARKS.sub(b"", content))
    _commit(clone, "keep both sides")


def _clone(url: str, token: str, work: Path, name: str, branch: str = "main") -> Path:
    shutil.rmtree(work, ignore_errors=True)
    source = url.replace("://", f"://bench:{token}@", 1) + f"/git/{name}.git"
    _git("clone", "--quiet", "--branch", branch, source, str(work))
    return work


def _commit(clone: Path, message: str) -> None:
    _git("add", "--all", cwd=clone)
    _git(*AUTHOR, "commit", "--quiet", "--message", message, cwd=clone)
    _git("push", "--quiet", "origin", "HEAD", cwd=clone)


def _all_lines(url: str, token: str, work: Path, name: str) -> set[bytes]:
    clone = _clone(url, token, work, name)
    return {line for path in clone.rglob("*.txt") for line in path.read_bytes().splitlines()}


def _git(*arguments: str, cwd: Path | None = None) -> None:
    subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, check=True)


def _services(api: Api, state: str) -> list[Any]:
    return list(api.call("GET", f"{SCAFFOLDER}/services?state={state}&limit=200")["items"])


def _run_of(api: Api, run_id: str) -> Any:
    """The run, once it ended; RuntimeError when it did not succeed."""
    run: Any = {}

    def ended() -> bool:
        run.update(api.call("GET", f"/api/runs/v1/runs/{run_id}"))
        return run["state"] in ("succeeded", "failed", "needs_attention", "cancelled")

    _until(ended)
    if run["state"] != "succeeded":
        raise RuntimeError(f"{run['title']}: {run['state']}, {run['error']}")
    return run


def _until(true: Any, seconds: float = 180) -> None:
    end = time.perf_counter() + seconds
    while not true():
        if time.perf_counter() > end:
            raise RuntimeError("it did not come true in time")
        time.sleep(0.1)


if __name__ == "__main__":
    main()
