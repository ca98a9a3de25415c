"""What directories call a company: the last part of its page's address."""

import re
from typing import Final
from urllib.parse import unquote

from shared.identifiers.names import clean_text
from shared.identifiers.types import Refused

MAX_LENGTH: Final = 1_000
"""Characters that are read."""

_SLUG: Final = re.compile(r"[^\s/?#%\\<>\"'&=:;,@\x00-\x1f]{1,150}")
_LINKEDIN: Final = re.compile(
    r"(?:https?:)?(?://)?(?:[a-z]{2,3}\.|www\.|m\.)?linkedin\.(?:com|cn)"
    r"/(?:company|school|showcase|company-beta)/([^/?#]+).*",
    re.IGNORECASE,
)
_CRUNCHBASE: Final = re.compile(
    r"(?:https?:)?(?://)?(?:www\.)?crunchbase\.com/organization/([^/?#]+).*", re.IGNORECASE
)
_TRACXN: Final = re.compile(
    r"(?:https?:)?(?://)?(?:www\.)?tracxn\.com/(?:o|d/companies)/([^/?#]+).*", re.IGNORECASE
)


_NOT_WORD: Final = re.compile(r"[\W_]+")


def company_name_key(name: str) -> str | None:
    """Normalise a company's name, as `org_identifier` keeps it: `Stripe, Inc.` → `stripe_inc`."""
    return _NOT_WORD.sub("_", name.casefold()).strip("_") or None


def normalize_company_linkedin(value: str) -> str | Refused:
    """Return LinkedIn's name or number of a company; its page's whole address will do."""
    return _slug(
        value, _LINKEDIN, "is no company's page; write it as https://www.linkedin.com/company/name"
    )


def normalize_crunchbase(value: str) -> str | Refused:
    """Return Crunchbase's name of a company; its page's whole address will do."""
    return _slug(value, _CRUNCHBASE, "is no company's page; write crunchbase.com/organization/name")


def normalize_tracxn(value: str) -> str | Refused:
    """Return Tracxn's name of a company; its page's whole address will do."""
    return _slug(value, _TRACXN, "is no company's page; write it as https://tracxn.com/o/name")


def _slug(value: str, page: re.Pattern[str], reason: str) -> str | Refused:
    if len(value) > MAX_LENGTH:
        return Refused(reason)
    text = clean_text(value)
    match = page.fullmatch(text)
    slug = unquote(match[1]) if match else text
    if _SLUG.fullmatch(slug) is None:
        return Refused(reason)
    return clean_text(slug).casefold()[:150] or Refused(reason)
