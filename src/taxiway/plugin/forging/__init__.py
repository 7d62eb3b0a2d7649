"""What plugins of forges have in common: which repositories are read, how one is read, and how webhooks are checked.

A plugin gives a `ForgeApi`, a few calls to its forge; `read_repositories` makes a reading of a source out of it.

What their actions have in common is in modules of its own, which an action imports when it is first used: `repo_urls`
(which repository a step means), `publishing` (commits of the workspace) over `smart_http` (git itself), and `making`
(look before making, the inventory, undo, dry runs).
"""

from taxiway.plugin.forging.hooks import check_hmac, check_token, hook_secret, payload_of
from taxiway.plugin.forging.options import ForgeSourceOptions
from taxiway.plugin.forging.people import group_document, org_document, safe_name, user_document
from taxiway.plugin.forging.reading import ForgeApi, Listing, Repository, read_repositories, settled
from taxiway.plugin.forging.trees import Entry, ListedTree, inside

__all__ = [
    "Entry",
    "ForgeApi",
    "ForgeSourceOptions",
    "ListedTree",
    "Listing",
    "Repository",
    "check_hmac",
    "check_token",
    "group_document",
    "hook_secret",
    "inside",
    "org_document",
    "payload_of",
    "read_repositories",
    "safe_name",
    "settled",
    "user_document",
]
