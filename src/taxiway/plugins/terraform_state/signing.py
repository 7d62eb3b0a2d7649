"""Signature version 4 of a GET from S3-compatible storage. No I/O."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

EMPTY = hashlib.sha256(b"").hexdigest()


def object_url(target: str, endpoint: str | None, region: str) -> str:
    """The address of `s3://bucket/key`: path style at an endpoint of one's own, else Amazon's."""
    bucket, _, key = target.removeprefix("s3://").partition("/")
    path = quote(key, safe="/-_.~")
    if endpoint:
        return f"{endpoint.rstrip('/')}/{bucket}/{path}"
    return f"https://s3.{region}.amazonaws.com/{bucket}/{path}"


def signed_headers(
    url: str, access_key: str, secret_key: str, region: str, at: int, more: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Headers that a GET of `url` needs. `at` is now, in microseconds UTC; `more` are further headers to sign."""
    parts = urlsplit(url)
    now = datetime.fromtimestamp(at / 1e6, UTC)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    headers = {"host": parts.netloc, **(more or {}), "x-amz-content-sha256": EMPTY, "x-amz-date": stamp}
    names = sorted(headers)
    listed = ";".join(names)
    lines = ["GET", parts.path or "/", "", *(f"{name}:{headers[name]}" for name in names), "", listed, EMPTY]
    scope = f"{day}/{region}/s3/aws4_request"
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"AWS4-HMAC-SHA256 Credential={access_key}/{scope},SignedHeaders={listed},Signature={signature}"
    return {**{name: headers[name] for name in names if name != "host"}, "authorization": credential}
