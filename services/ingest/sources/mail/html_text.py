"""HTML of mail as lines of text, and the links behind them.

Every block is a line and every cell of a table its own piece: signatures are laid out so.
"""

import re
from html import unescape
from typing import Final

MAX_HTML: Final = 96 * 1024
"""Characters that are read; what is quoted is cut away before."""

DELIMITER: Final = "-- "
"""The line above a signature (RFC 3676 4.3); also put where HTML marks one."""

_QUOTED = re.compile(
    r"<blockquote|<[^<>]{0,300}?(?:class=[\"']?[^\"'<>]*(?:gmail_quote|gmail_attr|yahoo_quoted"
    r"|moz-cite-prefix|protonmail_quote|zmail_extra|OutlookMessageHeader)"
    r"|id=[\"']?(?:divRplyFwdMsg|appendonsend|mail-editor-reference-message-container|replySplit"
    r"|OLK_SRC_BODY_SECTION))"
    r"|<div[^<>]{0,200}?border:\s*none;\s*border-top:\s*solid",
    re.IGNORECASE,
)
"""Where mail programs begin what is quoted."""

_MARKED = re.compile(
    r"<[^<>]{0,200}?(?:class|id)=[\"']?[^\"'<>]{0,80}?(?:gmail_signature|moz-signature"
    r"|AppleMailSignature|ms-outlook-mobile-signature|yahoo_signature|protonmail_signature"
    r"|\bSignature\b)[^<>]{0,300}>",
    re.IGNORECASE,
)
"""Where mail programs say that a signature begins."""

_SIGNATURE: Final = "signature"
"""A word that all of those have: hardly any HTML does, and looking is cheap."""

_HIDDEN = re.compile(
    r"<!--.*?-->|<(head|style|script|title|xml)\b.*?(?:</\1\s*>|$)", re.DOTALL | re.IGNORECASE
)
_BREAK = re.compile(
    r"<(?:br|hr|p|/p|div|/div|table|/table|tr|/tr|li|/li|/?h[1-6]|/?ul|/?ol|/?pre|/?center"
    r"|/?section|/?footer|/?address)\b[^<>]*>",
    re.IGNORECASE,
)
_CELL = re.compile(r"</?t[dh]\b[^<>]*>", re.IGNORECASE)
_LINK = re.compile(
    r"<a\b[^<>]*?href\s*=\s*(?:\"([^\"<>]*)\"|'([^'<>]*)'|([^\s<>]+))", re.IGNORECASE
)
_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*>?")
_LINK_MARK: Final = "\x1a"
"""Stands where a link begins, while tags are dropped."""
_BLANKS: Final = ("\r", "\n", "\t", _LINK_MARK)
"""What stands for a blank in HTML, and for something else here."""


def to_lines(html: str) -> tuple[list[str], list[tuple[int, str]]]:
    """Return the lines of the writer's own text, and its links, each with its line's number."""
    quote = _QUOTED.search(html, 0, MAX_HTML)
    text = _HIDDEN.sub(" ", html[: quote.start() if quote else MAX_HTML])
    for blank in _BLANKS:
        text = text.replace(blank, " ")
    if _SIGNATURE in text.casefold():
        text = _MARKED.sub(lambda tag: f"\n{DELIMITER}\n{tag[0]}", text)
    text = _BREAK.sub("\n", text)
    text = _CELL.sub("\t", text)
    urls: list[str] = []

    def keep(link: re.Match[str]) -> str:
        urls.append("".join(filter(None, link.groups())))
        return f"{_LINK_MARK}<"

    text = _TAG.sub("", _LINK.sub(keep, text))
    text = unescape(text) if "&" in text else text
    lines: list[str] = []
    links: list[tuple[int, str]] = []
    following = iter(urls)
    last = 0
    for number, line in enumerate(text.split("\n")):
        if not line:
            lines.append(line)
            continue
        count = line.count(_LINK_MARK) if urls else 0
        plain = _plain(line.replace(_LINK_MARK, "") if count else line)
        lines.append(plain)
        last = number if plain else last
        if count:
            # A picture that is a link belongs to the line above it.
            links += [(last, unescape(next(following))) for _ in range(count)]
    return lines, links


def _plain(line: str) -> str:
    """Return a line with its blanks collapsed, a tab between cells."""
    if "\t" not in line:
        plain = " ".join(line.split())
        return DELIMITER if plain == "--" else plain
    cells = (" ".join(cell.split()) for cell in line.split("\t"))
    return "\t".join(cell for cell in cells if cell)
