"""`python -m benchmarks.upgrades`: upgrades of a golden path beside `git merge-file` and `copier update`.

Histories are generated with a fixed seed: a file as a template made it, as its new version makes it, and as a service
changed it meanwhile. Every one is merged by Taxiway, by `git merge-file`, and, where `--copier` names one or can be
installed, by `copier update` in a project of all of them. It counts; nothing is timed against a limit.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from taxiway.model.pulls import CarryRequest
from taxiway.model.workload import FileChange
from taxiway.plugins.git_local.carrying import carry

COPIER = "copier==9.10.3"
LABEL = re.compile(rb"^(<<<<<<<|>>>>>>>|\|\|\|\|\|\|\|) .*$", re.MULTILINE)
WORDS = ("port", "name", "image", "level", "owner", "retries", "timeout", "region", "replicas", "path")
Texts = tuple[bytes, bytes, bytes]
"""A file as it was made, as the new version makes it, and as the service has it."""
Merged = Mapping[str, bytes | None]


def histories(count: int, seed: int) -> dict[str, Texts]:
    """Files by name. Both sides insert, change, delete and move lines, sometimes the same ones, sometimes alike."""
    random, found = Random(seed), {}
    for number in range(count):
        old = [f"{random.choice(WORDS)} = {random.randrange(100)}" for _ in range(random.randrange(1, 60))]
        new, mine = _edited(old, random, "new"), _edited(old, random, "own")
        if random.random() < 0.1:
            mine = _edited(new, random, "own")  # The service has taken some of it already.
        ends = "\n" if random.random() < 0.95 else ""
        found[f"file-{number:04}.txt"] = (_text(old, "\n"), _text(new, "\n"), _text(mine, ends))
    return found


def by_taxiway(texts: Mapping[str, Texts], folder: Path) -> Merged:
    """What an upgrade commits."""
    repo = folder / "taxiway.git"
    _git("init", "--quiet", "--bare", str(repo))
    tree = folder / "mine"
    tree.mkdir()
    for name, (_, _, mine) in texts.items():
        (tree / name).write_bytes(mine)
    _git("init", "--quiet", cwd=tree)
    _git("add", ".", cwd=tree)
    _git(*AUTHOR, "commit", "--quiet", "--message", "own work", cwd=tree)
    _git("push", "--quiet", str(repo), "HEAD:refs/heads/main", cwd=tree)
    start = _git("rev-parse", "HEAD", cwd=tree).decode().strip()
    sides = [{name: FileChange(text[side]) for name, text in texts.items()} for side in (0, 1)]
    made = carry(repo, CarryRequest("r", start, sides[0], sides[1], "upgrade", "user:default/dev", 0))
    commit = made.commit or start
    return {name: _git("cat-file", "blob", f"{commit}:{name}", cwd=repo) for name in texts}


def by_merge_file(texts: Mapping[str, Texts], folder: Path) -> Merged:
    """What `git merge-file` makes of each."""
    found: dict[str, bytes | None] = {}
    for name, (old, new, mine) in texts.items():
        paths = [folder / f"{name}.{side}" for side in ("mine", "old", "new")]
        for path, content in zip(paths, (mine, old, new), strict=True):
            path.write_bytes(content)
        done = subprocess.run(["git", "merge-file", "-p", *map(str, paths)], capture_output=True, check=False)
        found[name] = done.stdout if done.returncode < 128 else None
    return found


def by_copier(texts: Mapping[str, Texts], folder: Path, copier: str) -> Merged:
    """What `copier update` leaves in a project that has all of them."""
    template, project = folder / "template", folder / "project"
    template.mkdir()
    _git("init", "--quiet", cwd=template)
    answers = "{{ _copier_conf.answers_file }}.jinja"
    (template / answers).write_text("{{ _copier_answers|to_nice_yaml -}}\n")
    for version, side in (("v1.0.0", 0), ("v2.0.0", 1)):
        for name, text in texts.items():
            (template / name).write_bytes(text[side])
        _git("add", ".", cwd=template)
        _git(*AUTHOR, "commit", "--quiet", "--message", version, cwd=template)
        _git("tag", version, cwd=template)
    _run([copier, "copy", "--quiet", "--vcs-ref", "v1.0.0", "--defaults", str(template), str(project)], folder)
    for name, (_, _, mine) in texts.items():
        (project / name).write_bytes(mine)
    _git("init", "--quiet", cwd=project)
    _git("add", ".", cwd=project)
    _git(*AUTHOR, "commit", "--quiet", "--message", "own work", cwd=project)
    _run([copier, "update", "--quiet", "--defaults", "--conflict", "inline"], project)
    return {name: (project / name).read_bytes() if (project / name).is_file() else None for name in texts}


def alike(left: Merged, right: Merged) -> list[str]:
    """Names of the files that came out alike, but for the names of the sides behind conflict marks."""
    return [name for name in left if _unlabelled(left[name]) == _unlabelled(right[name])]


def lost(texts: Mapping[str, Texts], merged: Merged) -> int:
    """Lines of the services' own that are nowhere in what came out."""
    count = 0
    for name, (old, new, mine) in texts.items():
        own = set(mine.splitlines()) - set(old.splitlines()) - set(new.splitlines())
        count += len(own - set((merged[name] or b"").splitlines()))
    return count


def main() -> None:
    """Merge all, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--histories", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--copier", help=f"the program; without it {COPIER} is installed for the run")
    options = parser.parse_args()
    texts = histories(options.histories, options.seed)
    with tempfile.TemporaryDirectory(prefix="taxiway-bench-") as name:
        folder = Path(name)
        rows: dict[str, tuple[Merged, float]] = {}
        for title, merge in (("git merge-file", by_merge_file), ("Taxiway", by_taxiway)):
            begin = time.perf_counter()
            rows[title] = merge(texts, folder), time.perf_counter() - begin
        copier = options.copier or _install(folder)
        if copier:
            begin = time.perf_counter()
            rows["copier update"] = by_copier(texts, folder, copier), time.perf_counter() - begin
    reference = rows["git merge-file"][0]
    marked = [name for name, content in reference.items() if content is not None and b"\n=======\n" in content]
    print(f"{len(texts)} histories, seed {options.seed}; {len(marked)} of them in conflict for git merge-file\n")
    print("| | as git merge-file | of those in conflict | own lines lost | seconds |")
    print("|---|---|---|---|---|")
    for title, (merged, took) in rows.items():
        same = set(alike(merged, reference))
        hits = len(same & set(marked))
        print(f"| {title} | {len(same)} | {hits} of {len(marked)} | {lost(texts, merged)} | {took:.1f} |")
    if not copier:
        print("\ncopier is left out: it could not be installed. Name one with --copier.")


AUTHOR = ("-c", "user.name=bench", "-c", "user.email=bench@example.invalid")


def _edited(lines: Sequence[str], random: Random, who: str) -> list[str]:
    made = list(lines)
    for _ in range(random.randrange(0, 6)):
        at = random.randrange(len(made) + 1)
        match random.randrange(5):
            case 0:
                made[at:at] = [f"{who} line {random.randrange(1000)}" for _ in range(random.randrange(1, 4))]
            case 1 if at < len(made):
                made[at] = f"{random.choice(WORDS)} = {who} {random.randrange(100)}"
            case 2:
                del made[at : at + random.randrange(1, 4)]
            case 3 if at < len(made):
                made.append(made.pop(at))
            case _:
                made.insert(at, "same on both sides")
    return made


def _text(lines: Sequence[str], ends: str) -> bytes:
    return ("\n".join(lines) + (ends if lines else "")).encode()


def _unlabelled(content: bytes | None) -> bytes | None:
    return None if content is None else LABEL.sub(rb"\1", content)


def _git(*arguments: str, cwd: Path | None = None) -> bytes:
    return subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, check=True).stdout


def _run(command: Sequence[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=sys.stderr)


def _install(folder: Path) -> str | None:
    """The program in an environment of its own; None where there is no registry."""
    try:
        _run([sys.executable, "-m", "uv", "venv", "--quiet", str(folder / "venv")], folder)
        python = str(folder / "venv" / "bin" / "python")
        _run([sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python, COPIER], folder)
    except (OSError, subprocess.CalledProcessError):
        return None
    return str(folder / "venv" / "bin" / "copier")


if __name__ == "__main__":
    main()
