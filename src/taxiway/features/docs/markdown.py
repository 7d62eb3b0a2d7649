"""Markdown in the dialect of TechDocs to safe HTML. Pure; its libraries are imported when the first page is rendered.

The extension list follows techdocs-core, without what reads files of this host (snippets, b64) or calls out (plantuml).
"""

from __future__ import annotations

import html as entities
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from taxiway.features.docs.model import Heading, Page

EXTENSIONS = (
    "admonition",
    "attr_list",
    "abbr",
    "def_list",
    "footnotes",
    "md_in_html",
    "meta",
    "sane_lists",
    "tables",
    "toc",
    "pymdownx.betterem",
    "pymdownx.caret",
    "pymdownx.critic",
    "pymdownx.details",
    "pymdownx.emoji",
    "pymdownx.highlight",
    "pymdownx.inlinehilite",
    "pymdownx.magiclink",
    "pymdownx.mark",
    "pymdownx.smartsymbols",
    "pymdownx.superfences",
    "pymdownx.tabbed",
    "pymdownx.tasklist",
    "pymdownx.tilde",
)
EXTRA_TAGS = frozenset({"input", "label", "section", "summary", "details", "figure", "figcaption", "mark"})
"""Beside the sanitiser's own list: what tabs, task lists and details are made of."""
ATTRIBUTES = {
    "*": {"class", "id", "title"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height", "loading"},
    "input": {"checked", "disabled", "name"},
    "label": {"for"},
    "ol": {"start"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align", "scope"},
    "details": {"open"},
}
Link = Callable[[str, str, str], str | None]
"""(tag, attribute, value) → the value to write, or None to leave the attribute out."""


def render(text: str, fallback_title: str, link: Link) -> Page:
    """The page for Markdown `text`. `link` sees every href and src of the result."""
    import nh3
    from markdown import Markdown

    converter: Any = Markdown(extensions=list(EXTENSIONS), extension_configs=_configs(), output_format="html")
    raw = converter.convert(text)
    headings = list(_headings(converter.toc_tokens))
    clean = nh3.clean(
        raw,
        tags=nh3.ALLOWED_TAGS | EXTRA_TAGS,
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        attribute_filter=lambda tag, name, value: link(tag, name, value) if name in ("href", "src") else value,
        tag_attribute_values={"input": {"type": {"checkbox", "radio"}}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )
    first = next((heading.text for heading in headings if heading.level == 1), None)
    meta = " ".join(converter.Meta.get("title", []))
    return Page(meta or first or fallback_title, clean, headings)


def _headings(tokens: list[Any]) -> Iterator[Heading]:
    for token in tokens:
        yield Heading(token["level"], token["id"], entities.unescape(token["name"]))
        yield from _headings(token["children"])


@cache
def _configs() -> dict[str, Any]:
    import pymdownx.emoji
    import pymdownx.superfences

    mermaid = {"name": "mermaid", "class": "mermaid", "format": pymdownx.superfences.fence_code_format}
    return {
        "toc": {"permalink": False},
        "pymdownx.critic": {"mode": "view"},
        "pymdownx.emoji": {
            "emoji_index": pymdownx.emoji.gemoji,
            "emoji_generator": pymdownx.emoji.to_alt,
            "options": {"alt": "unicode"},
        },
        "pymdownx.highlight": {"guess_lang": False, "linenums": None, "use_pygments": True},
        "pymdownx.superfences": {"custom_fences": [mermaid]},
        "pymdownx.tabbed": {"alternate_style": True},
        "pymdownx.magiclink": {"repo_url_shorthand": False, "social_url_shorthand": False},
    }
