"""E-mail addresses: trimmed, lower-case, domain in ASCII, within the limits of RFC 5321."""

import re
from typing import Final

import idna

from shared.identifiers.names import clean_text
from shared.identifiers.types import Email, Refused
from shared.identifiers.wordlists import wordlist

MAX_LENGTH: Final = 254
"""Octets of a whole address (RFC 5321 4.5.3.1.3, less the angle brackets)."""

MAX_LOCAL: Final = 64
"""Octets before the `@` (RFC 5321 4.5.3.1.1)."""

_ASCII = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
"""A lower-case dot-atom, `@`, at least two labels, the last one not a number. Linear."""

_LOCAL = re.compile(
    r"[^\s\x00-\x20\x7f\"(),:;<>@\[\\\].]+(?:\.[^\s\x00-\x20\x7f\"(),:;<>@\[\\\].]+)*"
)
"""A dot-atom that may hold characters beyond ASCII (RFC 6531)."""

_WIDE: Final = {0xFF01 + place: 0x21 + place for place in range(94)} | {0xFE6B: "@"}
"""Letters, digits and signs as wide as a Han character, as keyboards there write them → ASCII."""

_FORM = Refused("is not an e-mail address; write it as name@example.com")
_LOCAL_LONG = Refused("has more than 64 octets before the @ (RFC 5321)")
_LONG = Refused("is longer than 254 octets (RFC 5321)")
_DOMAIN = Refused("has a domain that no mail can go to; write it as name@example.com")
_PLACEHOLDER = Refused("is a placeholder that many people share; leave it out or send their own")

_MASKED = Refused("is masked, so that nobody can tell whose it is; leave it out or send it whole")
_MASK: Final = "**"
"""What exports that hide people's addresses leave of them: `ada***@example.com`."""

_PLACEHOLDER_LOCAL: Final = wordlist("placeholder_mailboxes")
_PLACEHOLDER_WHOLE: Final = wordlist("placeholder_addresses")


def normalize_email(value: str) -> Email | Refused:
    """Spell an address as it is compared. A `+tag` stays: it may be somebody's only address.

    Case before the `@` is dropped too, against the letter of RFC 5321: no mailbox provider
    tells people apart by it, and address books do not keep it.
    """
    text = value.strip().lower()
    if len(text) > 1_000:
        return _LONG
    if _ASCII.fullmatch(text) is None or "xn--" in text:
        found = _normalize_rare(text)
        if isinstance(found, Refused):
            return found
        text = found
    local = text.partition("@")[0]
    if len(text) > MAX_LENGTH and len(text.encode()) > MAX_LENGTH:
        return _LONG
    if len(local) > MAX_LOCAL or (not local.isascii() and len(local.encode()) > MAX_LOCAL):
        return _LOCAL_LONG
    if local in _PLACEHOLDER_LOCAL or text in _PLACEHOLDER_WHOLE:
        return _PLACEHOLDER
    return _MASKED if _MASK in local else Email(text)


def _normalize_rare(text: str) -> str | Refused:
    """Read what the fast pattern does not: `mailto:`, `Ada <ada@…>`, other scripts."""
    text = clean_text(text).translate(_WIDE).lower()
    if text.endswith(">") and "<" in text:
        text = text[text.rindex("<") + 1 : -1].strip()
    text = text.removeprefix("mailto:").partition("?")[0] if text.startswith("mailto:") else text
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain:
        return _FORM
    if _LOCAL.fullmatch(local) is None:
        return _FORM
    ascii_domain = ascii_host(domain.removesuffix("."))
    if ascii_domain is None or _ASCII.fullmatch(f"a@{ascii_domain}") is None:
        return _DOMAIN
    return f"{local}@{ascii_domain}"


def ascii_host(host: str) -> str | None:
    """Write a host name in ASCII (IDNA 2008 after UTS 46 mapping), if it has such a form."""
    if host.isascii() and "xn--" not in host:
        return host.lower()
    try:
        return idna.encode(host, uts46=True, transitional=False).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        return None
