"""Lists that come in pages, to their end but never for ever."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import urljoin

from taxiway.model.errors import UnavailableError
from taxiway.plugin.outgoing.answer import Answer, shown

MOST_PAGES = 2000
_LINK = re.compile(r'<([^>]+)>((?:\s*;\s*[^,;=]+=(?:"[^"]*"|[^,;]*))*)')


def next_link(answer: Answer) -> str | None:
    """The URL of the next page as the `Link` header says it, or None."""
    for target, parameters in _LINK.findall(answer.headers.get("link", "")):
        if re.search(r';\s*rel="?next"?(?:\s|;|$)', parameters):
            return str(urljoin(answer.url, target))
    return None


def pages(
    get: Callable[[str], Answer],
    url: str,
    following: Callable[[Answer], str | None] = next_link,
    most: int = MOST_PAGES,
) -> Iterator[Answer]:
    """Every page from `url` on. `following` gives the next page's URL.

    UnavailableError when pages repeat or there are more than `most`: the other side is broken, and what came so far
    must not be taken for all.
    """
    seen: set[str] = set()
    current: str | None = url
    while current is not None:
        if current in seen or len(seen) >= most:
            raise UnavailableError(
                f"the list at {shown(url)} does not end after {len(seen)} pages: narrow the filters, or look into the "
                "other system",
                code="outgoing.endless",
            )
        seen.add(current)
        answer = get(current)
        yield answer
        current = following(answer)
