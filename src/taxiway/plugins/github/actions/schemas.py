"""Inputs and outputs of several actions, with Backstage's names. A default is what the action does without it."""

from __future__ import annotations

from typing import Any

BOOLEAN: dict[str, Any] = {"type": "boolean"}
STRINGS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
TEXTS: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "string"}}
REPO_URL = "The repository, as github.com?owner=<organization or user>&repo=<name>"
AS_WHOM = "A token to use instead of the one in the settings; undo uses the one in the settings"


def flag(description: str, default: bool | None = None) -> dict[str, Any]:
    """A boolean."""
    return {**BOOLEAN, "description": description, **({} if default is None else {"default": default})}


def choice(description: str, *options: str, default: str | None = None) -> dict[str, Any]:
    """One of some words."""
    return {
        "type": "string",
        "enum": list(options),
        "description": description,
        **({"default": default} if default else {}),
    }


def text(description: str, default: str) -> dict[str, Any]:
    """A text with a default."""
    return {"type": "string", "description": description, "default": default}


def _actors(description: str, *required: str) -> dict[str, Any]:
    names = dict.fromkeys(("apps", "users", "teams"), STRINGS)
    return {"type": "object", "properties": names, "required": list(required), "description": description}


REVIEW: dict[str, Any] = {
    "requiredApprovingReviewCount": {
        "type": "number",
        "minimum": 0,
        "maximum": 6,
        "description": "Reviews that a pull request needs; default 1",
    },
    "requireCodeOwnerReviews": flag("A code owner must be among the reviewers", False),
    "dismissStaleReviews": flag("New commits dismiss approvals", False),
    "bypassPullRequestAllowances": _actors("Who may do without a pull request"),
    "restrictions": _actors("Who may push; organizations only", "users", "teams"),
    "requiredStatusCheckContexts": {**STRINGS, "description": "Status checks that must have passed"},
    "requireBranchesToBeUpToDate": flag("The branch must be up to date before it is merged", True),
    "requiredConversationResolution": flag("Conversations must be resolved before it is merged", False),
    "requireLastPushApproval": flag("Somebody else must approve the last push", False),
    "requiredCommitSigning": flag("Commits must be signed", False),
    "requiredLinearHistory": flag("No merge commits", False),
}
"""How a branch is protected."""

COMMIT: dict[str, Any] = {
    "defaultBranch": text("Name of the first branch", "main"),
    "protectDefaultBranch": flag("Protect it", True),
    "protectEnforceAdmins": flag("The protection holds for administrators too", True),
    "gitCommitMessage": text("Message of the first commit", "initial commit"),
    "gitAuthorName": text("Name of its author", "Scaffolder"),
    "gitAuthorEmail": "Mail address of its author",
    "sourcePath": "Folder of the workspace to publish; default all of it",
}
"""The first commit, and the branch that it makes."""

REPOSITORY: dict[str, Any] = {
    "description": "What it is for",
    "homepage": "Its website",
    "access": "Who becomes its administrator: a user, or a team as <organization>/<team>",
    "repoVisibility": choice("Who sees it", "private", "public", "internal", default="private"),
    "deleteBranchOnMerge": flag("Delete branches that were merged", False),
    "allowMergeCommit": flag("Allow merge commits", True),
    "allowSquashMerge": flag("Allow squash merges", True),
    "squashMergeCommitTitle": choice(
        "Title of a squashed commit", "PR_TITLE", "COMMIT_OR_PR_TITLE", default="COMMIT_OR_PR_TITLE"
    ),
    "squashMergeCommitMessage": choice(
        "Message of a squashed commit", "PR_BODY", "COMMIT_MESSAGES", "BLANK", default="COMMIT_MESSAGES"
    ),
    "allowRebaseMerge": flag("Allow rebase merges", True),
    "allowAutoMerge": flag("Allow auto-merge", False),
    "allowUpdateBranch": flag("Offer to update branches of pull requests", False),
    "collaborators": {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["access"],
            "properties": {"access": {"type": "string"}, "user": {"type": "string"}, "team": {"type": "string"}},
            "oneOf": [{"required": ["user"]}, {"required": ["team"]}],
        },
        "description": "Users and teams that get access to it",
    },
    "hasProjects": flag("Enable projects"),
    "hasWiki": flag("Enable the wiki"),
    "hasIssues": flag("Enable issues"),
    "topics": {**STRINGS, "description": "Its topics"},
    "repoVariables": {**TEXTS, "description": "Variables of its workflows"},
    "secrets": {**TEXTS, "description": "Secrets of its workflows; they are sealed before they are sent"},
    "oidcCustomization": {
        "type": "object",
        "properties": {"useDefault": flag("Use the default template", True), "includeClaimKeys": STRINGS},
        "description": "The subject of its OpenID Connect tokens",
    },
    "customProperties": {
        "type": "object",
        "additionalProperties": {"anyOf": [{"type": "string"}, STRINGS]},
        "description": "Custom properties; organizations only",
    },
    "subscribe": flag("Watch it", False),
}
"""A new repository."""

REMOTE_URL = "URL for clone and push"
CONTENTS_URL = "URL of its files, for catalog:register"
COMMIT_HASH = "SHA of the first commit"
