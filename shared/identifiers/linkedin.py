"""LinkedIn profiles: the public id or the URN behind every form of their addresses."""

import re
import unicodedata
from typing import Final
from urllib.parse import unquote

from shared.identifiers.names import clean_text
from shared.identifiers.types import LinkedIn, Refused

MAX_LENGTH: Final = 1_000
"""Characters that are read."""

_USUAL = re.compile(r"https?://(?:www\.)?linkedin\.com/in/([a-z0-9-]{3,100})/?")
"""The form that nearly all sources send; the rest takes the long way."""

_PUBLIC_ID = re.compile(r"[^\s/?#%\\<>\"'&=:;,@\x00-\x1f]{2,100}")
"""LinkedIn allows letters of any script, digits and hyphens; old ids hold a few other marks."""

_HOST = re.compile(r"(?:[a-z]{2,3}\.|www\.|m\.|touch\.|touch\.www\.|mobile\.)?linkedin\.(?:com|cn)")
_MEMBER_ID = re.compile(r"[1-9][0-9]{0,18}")
_PROFILE_ID = re.compile(r"AC[or]AA[A-Za-z0-9_-]{5,80}")
_SALES_ID = re.compile(r"ACwAA[A-Za-z0-9_-]{5,80}")
_URN = re.compile(
    r"urn:li:(member|person|fsd_profile|fs_profile|fs_miniprofile|fs_salesprofile):"
    r"\(?([A-Za-z0-9_-]{1,100})[^/]*",
    re.IGNORECASE,
)
_BEFORE_PATH: Final = frozenset({"mwlite", "comm"})
"""What may stand before the path of a profile: the light site, and the links in LinkedIn's mail."""

_PLACEHOLDERS: Final = frozenset(
    {
        "in",
        "me",
        "na",
        "none",
        "null",
        "unknown",
        "undefined",
        "profile",
        "username",
        "yourname",
        "your-name",
        "test",
        "example",
        "edit",
        "settings",
        "view",
    }
)

_FORM = Refused("is not a person's LinkedIn profile; write it as https://www.linkedin.com/in/name")
_COMPANY = Refused("is the page of a company or school; a person's begins linkedin.com/in/")
_SHORT = Refused("is a shortened link; send the profile's own address, linkedin.com/in/name")
_LONG = Refused("is longer than 1,000 characters; write https://www.linkedin.com/in/name")
_PLACEHOLDER = Refused("is a placeholder, not somebody's profile; leave it out")


def normalize_linkedin(value: str) -> LinkedIn | Refused:
    """Read a profile's address or URN; the host, the case, the query and the tail don't matter."""
    usual = _USUAL.fullmatch(value)
    if usual is not None and usual[1] not in _PLACEHOLDERS:
        return LinkedIn("linkedin_public_id", usual[1])
    if len(value) > MAX_LENGTH:
        return _LONG
    text = clean_text(value)
    if text[:7].lower() == "urn:li:":
        return normalize_linkedin_urn(text)
    address = text.partition("://")[2] if "://" in text else text.lstrip("/")
    host, _, rest = address.partition("/")
    host = host.lower().partition(":")[0]
    if host == "lnkd.in":
        return _SHORT
    if _HOST.fullmatch(host) is None:
        if "://" in text or host not in ("in", "pub"):
            return _FORM
        rest = address
    return _from_path(rest)


def normalize_public_id(value: str) -> LinkedIn | Refused:
    """Spell a public id, the last part of a profile's address; a whole address will do."""
    text = clean_text(value)
    if "/" in text or text[:7].lower() == "urn:li:":
        return normalize_linkedin(text)
    return _public_id(text)


def normalize_linkedin_urn(value: str) -> LinkedIn | Refused:
    """Spell a URN; ids of one kind under several names become one, ids of two kinds stay apart."""
    text = clean_text(value)
    match = _URN.fullmatch(text)
    if match is not None:
        return _urn(match[2], match[1].lower())
    if "/" in text:
        return normalize_linkedin(text)
    return _urn(text, "member" if text.isascii() and text.isdigit() else "fsd_profile")


def _urn(identity: str, kind: str) -> LinkedIn | Refused:
    if _PROFILE_ID.fullmatch(identity):
        return LinkedIn("linkedin_urn", f"urn:li:fsd_profile:{identity}")
    if _SALES_ID.fullmatch(identity):
        return LinkedIn("linkedin_urn", f"urn:li:fs_salesProfile:{identity}")
    if kind == "member" and _MEMBER_ID.fullmatch(identity):
        return LinkedIn("linkedin_urn", f"urn:li:member:{identity}")
    if kind == "person" and len(identity) >= 6:
        return LinkedIn("linkedin_urn", f"urn:li:person:{identity}")
    return _FORM


def _from_path(rest: str) -> LinkedIn | Refused:
    path, _, query = rest.partition("?")
    parts = [part for part in path.partition("#")[0].split("/") if part]
    if parts and parts[0].lower() in _BEFORE_PATH:
        parts = parts[1:]
    match [parts[0].lower() if parts else "", *parts[1:]]:
        case ["in", name, *_]:
            return _public_id(unquote(name))
        case ["pub", name, first, second, third, *_]:
            return _old_public_id(unquote(name), first, second, third)
        case ["pub", name]:
            return _public_id(unquote(name))
        case ["profile", "view", *_]:
            found = re.search(r"(?:^|&)id=([^&#]+)", query)
            return normalize_linkedin_urn(unquote(found[1])) if found else _FORM
        case ["sales", "lead" | "people" | "profile", identity, *_]:
            return _urn(unquote(identity).partition(",")[0], "fs_salesprofile")
        case ["company" | "school" | "showcase" | "groups", *_]:
            return _COMPANY
        case _:
            return _FORM


def _public_id(name: str) -> LinkedIn | Refused:
    if _PROFILE_ID.fullmatch(name) or _SALES_ID.fullmatch(name):
        return _urn(name, "fsd_profile")
    spelt = unicodedata.normalize("NFC", clean_text(name).lower())
    if spelt in _PLACEHOLDERS:
        return _PLACEHOLDER
    if _PUBLIC_ID.fullmatch(spelt) is None:
        return _FORM
    return LinkedIn("linkedin_public_id", spelt)


def _old_public_id(name: str, first: str, second: str, third: str) -> LinkedIn | Refused:
    """Build the id that `/pub/ada-lovelace/1/23/456` redirects to: `ada-lovelace-4560231`."""
    tail = f"{third.lower().zfill(3)}{second.lower().zfill(3)}{first.lower()}"
    if re.fullmatch(r"[0-9a-z]{7,9}", tail) is None:
        return _public_id(name)
    return _public_id(f"{name}-{tail}")
