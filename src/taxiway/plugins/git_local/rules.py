"""What protects branches of the built-in forge, and how it reaches git: as a list that the `update` hook looks into.

The forge keeps the rules, since it is what refuses a push. A change is recorded first and announced second, as pushes
are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from taxiway.model.errors import ConflictError
from taxiway.model.event import EventDraft
from taxiway.model.pulls import BranchRule, BranchRules, rule_of
from taxiway.plugin import PluginContext, Record

UPDATE = """#!/bin/sh
# Called by git for each ref of a push: ref, old commit, new commit. Ending with 1 refuses this ref.
ref=$1 old=$2 new=$3
branch=${ref#refs/heads/}
zero=0000000000000000000000000000000000000000
push= force= delete=
say() { printf '%s\\n' "$@" >&2; exit 1; }
[ -r "$TAXIWAY_GUARDS" ] || say "Taxiway: the rules of $TAXIWAY_REPOSITORY cannot be read: push again."
while read -r word name; do
  if [ "$name" = "$ref" ]; then
    case $word in push) push=1 ;; force) force=1 ;; delete) delete=1 ;; esac
  fi
done < "$TAXIWAY_GUARDS"
if [ -n "$push" ]; then
  say "Taxiway: $branch is a protected branch, which changes through pull requests only." \\
    "Push to another branch, then open a pull request:" \\
    "  git push origin HEAD:my-change" \\
    "  taxiway pulls create $TAXIWAY_REPOSITORY --head my-change --base $branch"
fi
if [ "$new" = "$zero" ]; then
  [ -z "$delete" ] || say "Taxiway: $branch is a protected branch and is not deleted."
elif [ -n "$force" ] && [ "$old" != "$zero" ] && ! git merge-base --is-ancestor "$old" "$new"; then
  say "Taxiway: the history of $branch is protected: fetch it, put your commits on top, and push again."
fi
exit 0
"""


class RuleBook:
    """The rules of each repository, by its uid."""

    def __init__(self, ctx: PluginContext) -> None:
        self._ctx = ctx
        self._hooks = ctx.data_dir / "hooks"
        self._guards = ctx.data_dir / "guards"
        for folder in (self._hooks, self._guards):
            folder.mkdir(parents=True, exist_ok=True)
        hook = self._hooks / "update"
        if not hook.is_file() or hook.read_text() != UPDATE:
            # In one step: a push of another process may be about to run it.
            fresh = self._hooks / ctx.new_id()
            fresh.write_text(UPDATE)
            fresh.chmod(0o700)
            fresh.replace(hook)

    def get(self, uid: str) -> BranchRules:
        """The rules of a repository; none were set at version 0."""
        record = self._ctx.records.get(f"rules/{uid}")
        if record is None:
            return BranchRules()
        return BranchRules(tuple(_rule(item) for item in record.value["rules"]), record.version)

    def put(self, uid: str, name: str, rules: Sequence[BranchRule], by: str, expect: int | None) -> BranchRules:
        """Replace them. ConflictError when `expect` is not the version that is there."""
        key = f"rules/{uid}"
        value = {"repository": name, "rules": [asdict(rule) for rule in rules], "by": by, "announced": False}
        record = self._ctx.records.put(key, value, expect=expect)
        self.announce(record)
        return self.get(uid)

    def announce_all(self) -> None:
        """After a start: tell of changes that a crash kept quiet, and remove what its pushes left."""
        for left in self._guards.iterdir():
            left.unlink(missing_ok=True)
        after = ""
        while records := self._ctx.records.list("rules/", after):
            for record in records:
                self.announce(record)
            after = records[-1].key

    def announce(self, record: Record) -> None:
        """Tell of a change, once it is recorded."""
        if record.value["announced"]:
            return
        name = record.value["repository"]
        data = {"repository": name, "by": record.value["by"], "rules": record.value["rules"]}
        self._ctx.emit(EventDraft("dev.taxiway.repository.protected.v1", f"repository:{name}", data))
        self._ctx.records.put(record.key, {**record.value, "announced": True}, expect=record.version)

    def forget(self, uid: str) -> None:
        """The repository is gone."""
        self._ctx.records.delete(f"rules/{uid}")

    def check_write(self, uid: str, branch: str) -> None:
        """ConflictError when commits come onto the branch through pull requests only."""
        rule = rule_of(self.get(uid), branch)
        if rule is not None and not rule.allow_push:
            raise ConflictError(
                f"{branch} is a protected branch: commit to another branch and open a pull request",
                code="repositories.protected",
            )

    @contextmanager
    def guarding(self, uid: str, name: str, branches: Sequence[str]) -> Iterator[tuple[list[str], dict[str, str]]]:
        """Options and environment for a `git receive-pack` that keeps the rules, for as long as the block runs."""
        rules = self.get(uid)
        lines = [f"{word} refs/heads/{branch}" for branch in branches for word in _words(rule_of(rules, branch))]
        if not lines:
            yield [], {}
            return
        guards = self._guards / self._ctx.new_id()
        guards.write_text("\n".join(lines) + "\n")
        try:
            yield (
                ["-c", f"core.hooksPath={self._hooks}"],
                {"TAXIWAY_GUARDS": os.fspath(guards), "TAXIWAY_REPOSITORY": name},
            )
        finally:
            Path(guards).unlink(missing_ok=True)


def _words(rule: BranchRule | None) -> list[str]:
    if rule is None:
        return []
    if not rule.allow_push:
        return ["push"]
    return [word for word, allowed in (("force", rule.allow_force_push), ("delete", rule.allow_delete)) if not allowed]


def _rule(value: Mapping[str, Any]) -> BranchRule:
    lists = {key: tuple(value[key]) for key in ("required_checks", "methods")}
    return BranchRule(**{**value, **lists})
