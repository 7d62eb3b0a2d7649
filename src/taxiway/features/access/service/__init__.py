"""Use cases of access: who is it (`identity`), who may what (`roles`), sign in and out (`sessions`), API tokens
(`tokens`)."""

from __future__ import annotations

from taxiway.features.access.service.identity import authenticate, principal_of, roles_of
from taxiway.features.access.service.roles import assign_role, list_roles, remove_role
from taxiway.features.access.service.sessions import (
    Opened,
    create_sign_in_link,
    ensure_account,
    ensure_local_admin,
    open_session,
    revoke_sessions,
    set_password,
    sign_in_with_link,
    sign_in_with_password,
    sign_out,
)
from taxiway.features.access.service.tokens import create_token, grant_token, list_tokens, revoke_token

__all__ = [
    "Opened",
    "assign_role",
    "authenticate",
    "create_sign_in_link",
    "create_token",
    "ensure_account",
    "ensure_local_admin",
    "grant_token",
    "list_roles",
    "list_tokens",
    "open_session",
    "principal_of",
    "remove_role",
    "revoke_sessions",
    "revoke_token",
    "roles_of",
    "set_password",
    "sign_in_with_link",
    "sign_in_with_password",
    "sign_out",
]
