"""What pulls does. Routes, subscribers and later features come in through here."""

from __future__ import annotations

from taxiway.features.pulls.service.checks import check_commit, list_checks, report_check
from taxiway.features.pulls.service.following import follow_push, settle_all
from taxiway.features.pulls.service.merging import merge_pull
from taxiway.features.pulls.service.opening import change_pull, close_pull, open_pull, reopen_pull
from taxiway.features.pulls.service.proposing import Proposal, propose_change
from taxiway.features.pulls.service.reviewing import dismiss_review, list_reviews, submit_review
from taxiway.features.pulls.service.rules import get_rules, is_protected, set_rules
from taxiway.features.pulls.service.showing import (
    changed_paths,
    diff_of,
    get_pull,
    list_commits,
    list_files,
    list_pulls,
)

__all__ = [
    "Proposal",
    "change_pull",
    "changed_paths",
    "check_commit",
    "close_pull",
    "diff_of",
    "dismiss_review",
    "follow_push",
    "get_pull",
    "get_rules",
    "is_protected",
    "list_checks",
    "list_commits",
    "list_files",
    "list_pulls",
    "list_reviews",
    "merge_pull",
    "open_pull",
    "propose_change",
    "reopen_pull",
    "report_check",
    "set_rules",
    "settle_all",
    "submit_review",
]
