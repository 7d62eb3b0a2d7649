"""`make fuzz`: schemathesis over Taxiway's own API description and Backstage's published one for the catalog.

A real server on a folder of its own gets at least 200 generated requests an operation, as an administrator and beyond
what the descriptions allow. Server errors count, and answers that are not what the description says they are:
`fuzz_hooks` has the one difference that is known. Streams are left out: they do not end.
It needs `schemathesis`, which `make fuzz` installs beside the checkout's own packages.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

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
        _fill(running.url, token)
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


def _fill(url: str, token: str) -> None:
    lines = [
        f'{{"apiVersion":"backstage.io/v1alpha1","kind":"Component","metadata":{{"name":"fuzz-{number}",'
        f'"tags":["go"],"labels":{{"tier":"{number % 3}"}}}},"spec":{{"type":"service","lifecycle":"production",'
        f'"owner":"fuzzers","dependsOn":["component:fuzz-{number // 2}"]}}}}'
        for number in range(50)
    ]
    head = {"authorization": f"Bearer {token}", "content-type": "application/x-ndjson"}
    request = urllib.request.Request(f"{url}/api/catalog/v1/push/fuzz", "\n".join(lines).encode(), head)
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()


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
