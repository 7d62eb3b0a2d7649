"""`make engines`: gets the outside engines that tests use, into a folder outside the tree, and prints what is there.

An engine on PATH is taken as it is, else the one in $TAXIWAY_ENGINES or the user's cache folder. What is missing is got
with the machine's own package clients, as they are set up there: Go modules as `engines/*/go.sum` pins them, Debian's
packages in the version of the release, Maven's by their digest. What cannot be got is said with the reason, and tests
that need it are skipped. Nothing is installed into the system.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
GO = (1, 26)
KEYCLOAK = "26.4.0"
KEYCLOAK_SHA256 = "1b6a11a2726ac8a8dc9c91d5fafe989a75ce4f1622d7f7b45c21d5bc16629c0a"
SLAPD = ("slapd", "libldap-2.5-0", "libltdl7", "libodbc2", "libwrap0", "libperl5.36", "libsasl2-2")


class Unavailable(Exception):
    """An engine cannot be got here; the message says why, and what would help."""


@dataclass(frozen=True)
class Engine:
    """An outside engine: its program, how to get it into a folder, and how to ask its version."""

    name: str
    program: str
    get: Callable[[Path], None]
    version: str = "--version"


def cache_folder() -> Path:
    """Where engines are kept: $TAXIWAY_ENGINES, else below the user's cache folder. Root's home is closed to the users
    that engines run as, so root keeps them below /var/cache."""
    if given := os.environ.get("TAXIWAY_ENGINES"):
        return Path(given)
    if os.geteuid() == 0:
        return Path("/var/cache/taxiway-engines")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "taxiway-engines"


def find(name: str) -> Path | None:
    """The program of an engine, or None. Tests call this."""
    program = ENGINES[name].program
    kept = cache_folder() / name / "bin" / program
    on_path = shutil.which(program)
    return Path(on_path) if on_path else kept if os.access(kept, os.X_OK) else None


def _gitea(folder: Path) -> None:
    """Built from its Go module. The templates that it needs beside the program come out of the module too."""
    go = _go()
    if shutil.which("gcc") is None:
        raise Unavailable("a C compiler is missing (it brings SQLite along): install gcc")
    wrapper = HERE / "engines" / "gitea"
    module = "code.gitea.io/gitea"
    say(f"  building {module}, on two cores 5 to 15 minutes the first time …")
    version = _run([go, "list", "-mod=readonly", "-m", "-f", "{{.Version}}", module], wrapper).strip().lstrip("v")
    flags = ["-mod=readonly", "-trimpath", "-ldflags", f"-s -w -X main.Version={version}"]
    flags += ["-tags", "sqlite sqlite_unlock_notify", "-o", str(folder / "bin" / "gitea")]
    (folder / "bin").mkdir(parents=True)
    _run([go, "build", *flags, module], wrapper, {"CGO_ENABLED": "1"})
    source = Path(_run([go, "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module], wrapper).strip())
    for part in ("options", "public", "templates"):
        shutil.copytree(source / part, folder / "static" / part)
    _open_up(folder)


def _kube_apiserver(folder: Path) -> None:
    """Built from its Go module, without the versions that its own build writes into it but one."""
    go, wrapper, module = _go(), HERE / "engines" / "kube-apiserver", "k8s.io/kubernetes"
    say(f"  building {module}/cmd/kube-apiserver, on two cores 5 to 15 minutes the first time …")
    version = _run([go, "list", "-mod=readonly", "-m", "-f", "{{.Version}}", module], wrapper).strip()
    flags = ["-mod=readonly", "-trimpath", "-ldflags", f"-s -w -X k8s.io/component-base/version.gitVersion={version}"]
    (folder / "bin").mkdir(parents=True)
    target = ["-o", str(folder / "bin" / "kube-apiserver"), f"{module}/cmd/kube-apiserver"]
    _run([go, "build", *flags, *target], wrapper, {"CGO_ENABLED": "0"})
    _open_up(folder)


def _etcd(folder: Path) -> None:
    """Debian's package, unpacked and not installed."""
    _unpack(folder, "`etcd`", "etcd-server")
    (folder / "bin" / "etcd").symlink_to(Path("..", "package", "usr", "bin", "etcd"))
    _open_up(folder)


def _keycloak(folder: Path) -> None:
    """Its distribution from the Maven registry, built for the database that it brings, which is filled already: a
    start then takes seconds. The administrator is `admin` with the same password: it is for tests on loopback."""
    java, maven = shutil.which("java"), shutil.which("mvn")
    if java is None or maven is None:
        raise Unavailable("Java or Maven is missing: install Java 17 or newer, and maven")
    artifact = f"org.keycloak:keycloak-quarkus-dist:{KEYCLOAK}:zip"
    plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
    with tempfile.TemporaryDirectory() as name:
        _run([maven, "-q", "-B", "-C", plugin, f"-Dartifact={artifact}", f"-DoutputDirectory={name}"], Path(name))
        (archive,) = Path(name).glob("*.zip")
        if hashlib.sha256(archive.read_bytes()).hexdigest() != KEYCLOAK_SHA256:
            raise Unavailable(f"{artifact} is not the one that is known here: see what the registry is")
        folder.mkdir(parents=True)
        shutil.unpack_archive(archive, folder)
    home = folder / f"keycloak-{KEYCLOAK}"
    for script in (home / "bin").glob("*.sh"):
        script.chmod(0o755)
    say("  building Keycloak for its own database, and starting it once to fill that, 1 to 2 minutes …")
    _run([str(home / "bin" / "kc.sh"), "build", "--db=dev-file"], folder)
    admin = {"ADMIN": "admin"}
    names = ["--no-prompt", "--username:env=ADMIN", "--password:env=ADMIN"]
    _run([str(home / "bin" / "kc.sh"), "bootstrap-admin", "user", "--optimized", *names], folder, admin)
    (folder / "bin").mkdir()
    (folder / "bin" / "kc.sh").symlink_to(Path("..", home.name, "bin", "kc.sh"))
    _open_up(folder)


def _unpack(folder: Path, wanted: str, *packages: str) -> None:
    """Debian's packages into the folder `package` beside `bin`."""
    for needed in ("apt-get", "dpkg-deb"):
        if shutil.which(needed) is None:
            raise Unavailable(f"{needed} is missing: put {wanted} on PATH")
    (folder / "bin").mkdir(parents=True)
    with tempfile.TemporaryDirectory() as name:
        _run(["apt-get", "download", *packages], Path(name))
        for package in sorted(Path(name).glob("*.deb")):
            _run(["dpkg-deb", "-x", str(package), str(folder / "package")], Path(name))


def _prometheus(folder: Path) -> None:
    """Debian's package, unpacked and not installed."""
    _unpack(folder, "`prometheus` and `promtool`", "prometheus")
    for program in ("prometheus", "promtool"):
        (folder / "bin" / program).symlink_to(Path("..", "package", "usr", "bin", program))
    _open_up(folder)


def _slapd(folder: Path) -> None:
    """Debian's packages, unpacked and not installed: OpenLDAP's server with the libraries that few machines have."""
    _unpack(folder, "`slapd`", *SLAPD)
    script = folder / "bin" / "slapd"
    script.write_text(
        '#!/bin/sh\nhome=$(cd "$(dirname "$0")/../package" && pwd)\n'
        'LD_LIBRARY_PATH=$(echo "$home"/usr/lib/*-linux-gnu*)\nexport LD_LIBRARY_PATH\n'
        'exec "$home/usr/sbin/slapd" "$@"\n'
    )
    script.chmod(0o755)
    _open_up(folder)


ENGINES: Mapping[str, Engine] = {
    "etcd": Engine("etcd", "etcd", _etcd),
    "gitea": Engine("gitea", "gitea", _gitea),
    "keycloak": Engine("keycloak", "kc.sh", _keycloak),
    "kube-apiserver": Engine("kube-apiserver", "kube-apiserver", _kube_apiserver),
    "prometheus": Engine("prometheus", "prometheus", _prometheus),
    "slapd": Engine("slapd", "slapd", _slapd, "-VV"),
}


def _go() -> str:
    go = shutil.which("go")
    if go is None:
        raise Unavailable("Go is missing: install Go 1.26 or newer")
    found = re.search(r"go(\d+)\.(\d+)", _run([go, "version"], HERE))
    if found is None or (int(found[1]), int(found[2])) < GO:
        raise Unavailable(f"Go {found[0] if found else '?'} is too old: install Go {GO[0]}.{GO[1]} or newer")
    return go


def _run(command: list[str], folder: Path, more: Mapping[str, str] | None = None) -> str:
    """Run it at the lowest priority and return its output. Unavailable with its last words when it fails."""
    environ = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "", **(more or {})}
    done = subprocess.run(
        ["nice", "-n", "19", *command], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        words = " ".join((done.stderr or done.stdout).split())[-400:]
        raise Unavailable(f"`{' '.join(command[:3])}` failed: {words}")
    return done.stdout


def _open_up(folder: Path) -> None:
    """Readable for everybody: engines run as users of their own. Go's module cache is read-only, its copies are not."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def install(engine: Engine) -> None:
    """Get an engine whole or not at all."""
    target = cache_folder() / engine.name
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{engine.name}.{os.getpid()}")
    try:
        engine.get(part)
        shutil.rmtree(target, ignore_errors=True)
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def describe(engine: Engine, program: Path) -> str:
    """Version and place."""
    done = subprocess.run([program, engine.version], capture_output=True, text=True, check=False, timeout=20)
    found = re.search(r"\d+\.\d+[.\d]*", done.stdout + done.stderr)
    return f"{found[0] if found else '?'}  {program}"


def say(text: str) -> None:
    """Print at once: a build takes minutes."""
    print(text, flush=True)


def main() -> int:
    """Get what is missing, and say what there is. Fails only when an engine that was asked for by name is missing."""
    parser = argparse.ArgumentParser(description="Get the outside engines that tests use.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(ENGINES)}; all when none is named")
    parser.add_argument("--list", action="store_true", help="only say what is there")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(ENGINES))
    if unknown:
        parser.error(f"no engine {', '.join(unknown)}: there are {', '.join(ENGINES)}")
    missing = False
    for name in options.names or ENGINES:
        engine, program, reason = ENGINES[name], find(name), "not there: make engines"
        if program is None and not options.list:
            begun = time.monotonic()
            try:
                install(engine)
                program = find(name)
                say(f"  {name}: {time.monotonic() - begun:.0f} s")
            except Unavailable as error:
                reason = str(error)
        missing |= program is None
        say(f"{name:<12} {describe(engine, program) if program else 'absent: ' + reason}")
    return 1 if missing and options.names else 0


if __name__ == "__main__":
    sys.exit(main())
