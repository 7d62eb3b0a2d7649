"""Security headers. A script inside the portal's page (the colour scheme, before first paint) is allowed by hash."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence

_INLINE = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)


def security_headers(index_html: str) -> Sequence[tuple[bytes, bytes]]:
    """Headers for every answer, for the portal whose `index.html` this is (empty: no portal)."""
    hashes = "".join(f" 'sha256-{_hash(script)}'" for script in _INLINE.findall(index_html))
    policy = (
        f"default-src 'self'; script-src 'self'{hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    )
    return (
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
    )


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
