"""Internet domains: the registrable part, and whether it tells anything about its owner."""

import ipaddress
import re
from functools import lru_cache
from typing import Final

from tldextract import TLDExtract

from shared.identifiers.email import ascii_host
from shared.identifiers.names import clean_text
from shared.identifiers.types import Domain, Email, Refused
from shared.identifiers.wordlists import wordlist

_EXTRACT: Final = TLDExtract(
    suffix_list_urls=(), cache_dir=None, fallback_to_snapshot=True, include_psl_private_domains=True
)
"""The public suffix list as the package ships it: never fetched, so the same on every replica."""

_FREE_MAIL: Final = wordlist("free_mail")
_SHARED_HOSTING: Final = wordlist("shared_hosting")

_HOST = re.compile(
    r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
_FORM = Refused("is not an internet domain; write it as example.com")
_SUFFIX = Refused("is not under a public suffix; write it as example.com")


@lru_cache(maxsize=16_384)
def normalize_domain(value: str) -> Domain | Refused:
    """Return the registrable domain of a host name, a URL or a bare domain."""
    host = _host(value)
    if host is None:
        return _FORM
    parts = _EXTRACT.extract_str(host)
    if not parts.suffix or not parts.domain:
        return _SUFFIX
    return Domain(f"{parts.domain}.{parts.suffix}")


def _host(value: str) -> str | None:
    text = clean_text(value).lower()
    if len(text) > 2_000:
        return None
    text = text.partition("://")[2] if "://" in text else text
    text = re.split(r"[/?#\\]", text, maxsplit=1)[0].rpartition("@")[2].partition(":")[0]
    host = ascii_host(text.removesuffix("."))
    if host is None or len(host) > 253 or _HOST.fullmatch(host) is None or _is_address(host):
        return None
    return host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=16_384)
def is_free_mail(domain: str) -> bool:
    """Tell whether anyone can have an address there, so that it names no employer."""
    if domain in _FREE_MAIL:
        return True
    registrable = normalize_domain(domain)
    return isinstance(registrable, str) and registrable in _FREE_MAIL


@lru_cache(maxsize=16_384)
def is_shared_hosting(domain: str) -> bool:
    """Tell whether many people have pages there, so that it is nobody's own domain."""
    host = _host(domain)
    if host is None:
        return False
    parts = _EXTRACT.extract_str(host)
    return parts.is_private or f"{parts.domain}.{parts.suffix}" in _SHARED_HOSTING


def company_domain(email: Email) -> Domain | None:
    """Return the domain of the company that a normalised address speaks of, if of any."""
    host = email.rpartition("@")[2]
    if is_free_mail(host):
        return None
    domain = normalize_domain(host)
    if isinstance(domain, Refused) or is_shared_hosting(host):
        return None
    return domain
