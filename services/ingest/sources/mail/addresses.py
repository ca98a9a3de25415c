"""Who a message names: mailboxes of an address header, however badly it is written.

The grammar is that of RFC 5322 3.4 with the obsolete forms, groups and comments; what breaks it
costs the one mailbox that it stands in, never its neighbours.
"""

import re
from collections.abc import Iterator, Sequence
from email.errors import HeaderParseError
from email.header import decode_header
from functools import lru_cache
from typing import Final

from msgspec import Struct

MAX_HEADER: Final = 128 * 1024
"""Characters of one header that are read: a few thousand mailboxes."""

MAX_REMEMBERED: Final = 300
"""Characters of a header that is likely to come again as it is: a few mailboxes."""

MAX_NAME: Final = 255
"""Characters of a name that are kept, as `shared.events.wire.Short`."""

_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"?'  # a quoted string, also one that is never closed
    r"|\((?:[^()\\]|\\.){0,80}\)"  # a comment
    r"|<[^<>]{0,2000}>?"  # an address in angle brackets
    r"|[,;:]"
    r'|[^",;:()<>]+'
    r"|.",
    re.DOTALL,
)
_ADDRESS = re.compile(
    r"(?<![^\s<>\"(),;:'])[^\s@<>\"(),;:']+(?:'[^\s@<>\"(),;:']+)*@[^\s@<>\"(),;:']+(?!@)"
)
_WORD = re.compile(r"=\?[^?\s]+\?[bBqQ]\?[^?]*\?=")
_TOUCHES_BEFORE = re.compile(r"(?<=\S)(?==\?[^?\s]+\?[bBqQ]\?[^?]*\?=)")
_TOUCHES_BEHIND = re.compile(r"(=\?[^?\s]+\?[bBqQ]\?[^?]*\?=)(?=\S)")
_BETWEEN_WORDS = re.compile(r"(\?=)\s+(?==\?)")
_ESCAPED = re.compile(r"\\(.)")
_AROUND = re.compile(r"\s*([.@])\s*")
_ROUTE = re.compile(r"^@[^:]*:")
_NAMES_NOBODY = re.compile(r"^[\s'\"<>.,;:\-]*$")
# fmt: off
_TITLES_BEHIND: Final = frozenset((
    "inc", "llc", "llp", "ltd", "plc", "corp", "gmbh", "ag", "kg", "se", "sa", "sas", "sarl",
    "srl", "bv", "nv", "ab", "oy", "jr", "sr", "ii", "iii", "iv", "md", "phd", "dds", "esq",
    "mba", "cpa", "rn", "pe", "jd", "ma", "ba", "msc", "bsc", "mag", "dipl",
))
# fmt: on
"""What stands behind a comma and is no first name."""
_VIA = re.compile(r"\s+(?:via|über|par)\s+[^<>]{2,80}$", re.IGNORECASE)
"""What list servers append to a sender's name: `Ada Lovelace via Engines`."""


class Mailbox(Struct, frozen=True, gc=False):
    """One mailbox as a header writes it."""

    address: str
    """`local@domain`, in the sender's case."""
    name: str | None = None


def read_addresses(value: str) -> Sequence[Mailbox]:
    """Return the mailboxes of a header as it stands in the message, encoded words included."""
    if len(value) > MAX_REMEMBERED:
        return tuple(_mailboxes(value))
    return _remembered(value)


@lru_cache(maxsize=4_096)
def _remembered(value: str) -> Sequence[Mailbox]:
    """Read a header once: a mailbox's user and their people stand in most of its messages."""
    return tuple(_mailboxes(value))


def _mailboxes(value: str) -> Iterator[Mailbox]:
    name: list[str] = []
    left = comment = angled = ""
    for token in (*_TOKEN.findall(value[:MAX_HEADER]), ","):
        first = token[0]
        if first in ",;":
            found = _mailbox([left, *name] if angled else name, comment, angled)
            # `Lovelace, Ada <ada@…>` without quotes: the first half of a name has no address.
            left = "" if found or first == ";" or not "".join(name).strip() else f"{''.join(name)},"
            if found:
                yield found
            name, comment, angled = [], "", ""
        elif first == ":" and not angled:
            # The end of a group's name; `mailto:` and `a:b@c` are read as if it were one.
            name, comment, left = [], "", ""
        elif first == "<":
            angled = angled or _ROUTE.sub("", token.strip("<> \t\r\n"))
        elif first == "(":
            comment = token[1:-1] if token[-1] == ")" else comment
        elif first == '"':
            name.append(_ESCAPED.sub(r"\1", token.strip('"')))
        else:
            name.append(token)


def _mailbox(name: list[str], comment: str, angled: str) -> Mailbox | None:
    if angled:
        found = _ADDRESS.search(_without_blanks(angled))
        return found and Mailbox(found[0], name_of("".join(name)) or name_of(comment))
    written = "".join(name)
    found = _ADDRESS.search(written)
    if found is None:
        return None
    rest = written.replace(found[0], " ", 1)
    return Mailbox(found[0], name_of(rest) or name_of(comment))


def _without_blanks(address: str) -> str:
    """Drop the blanks that some programs put around dot and at (RFC 5322 4.4)."""
    return _AROUND.sub(r"\1", address) if " " in address or "\t" in address else address


def name_of(text: str) -> str | None:
    """Return a display name in plain letters, first name first; None when it names nobody."""
    name = decode_words(text).replace("\x00", "")
    name = " ".join(name.split()).strip("'\" ")
    name = _VIA.sub("", name)[:MAX_NAME].strip()
    if _NAMES_NOBODY.match(name) or "@" in name:
        return None
    last, comma, first = name.partition(", ")
    behind = first.casefold().replace(".", "").split()
    if comma and behind and "," not in first and behind[0] not in _TITLES_BEHIND:
        return f"{first} {last}"
    return name


def decode_words(text: str) -> str:
    """Decode the encoded words of RFC 2047; words that break its rules are read as meant.

    Characters cut in two by the end of a word, names of charsets that do not exist, and words
    inside of quotes, which the standard forbids and everybody writes.
    """
    if "=?" not in text or not _WORD.search(text):
        return text
    text = _BETWEEN_WORDS.sub(r"\1", text)
    try:
        parts = decode_header(_apart(text))
    except (HeaderParseError, ValueError):
        return text
    joined: list[tuple[bytes, str | None]] = []
    for raw, charset in parts:
        value = raw.encode("utf-8", "surrogateescape") if isinstance(raw, str) else raw
        if joined and joined[-1][1] == charset and charset is not None:
            joined[-1] = (joined[-1][0] + value, charset)
        else:
            joined.append((value, charset))
    decoded = "".join(_decoded(raw, charset) for raw, charset in joined)
    # UTF-7 and UTF-16 can spell half a character, which no UTF-8 text can hold.
    return decoded.encode("utf-8", "ignore").decode()


def _apart(text: str) -> str:
    """Set words apart that touch each other or other text: the library decodes no others."""
    text = _TOUCHES_BEFORE.sub(" ", text)
    return _TOUCHES_BEHIND.sub(r"\1 ", text)


def _decoded(raw: bytes, charset: str | None) -> str:
    for name in (charset, "utf-8", "cp1252"):
        if name is None:
            continue
        try:
            return raw.decode(name)
        except (LookupError, UnicodeDecodeError):
            continue
    return raw.decode("utf-8", "replace")
