"""Where a card's person is found on the net: websites, profiles, messengers."""

import re
from typing import Final
from urllib.parse import unquote

from services.ingest.sources.vcard_gathered import MAX_SHORT, Gathered, text_of
from services.ingest.sources.vcard_property import Property
from shared.identifiers.linkedin import normalize_linkedin
from shared.identifiers.social import Network, normalize_handle
from shared.identifiers.types import Refused

_LINK = re.compile(
    r"(?:(?P<scheme>https?)://|//)?(?:www\.|m\.|mobile\.)?(?P<host>[a-z0-9-]+(?:\.[a-z0-9-]+)+)"
    r"(?:/(?P<path>[^?#]*))?(?:\?(?P<query>[^#]*))?(?:#.*)?",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):(?://)?([^?;]*)", re.IGNORECASE)

_NETWORKS: Final[dict[str, Network]] = {
    "twitter": "twitter_handle",
    "x": "twitter_handle",
    "github": "github_username",
    "instagram": "ig_username",
    "facebook": "fb_user_id",
}
"""Service → the identifier that its accounts have."""

_HOSTS: Final = {
    "twitter.com": "twitter",
    "x.com": "twitter",
    "github.com": "github",
    "instagram.com": "instagram",
    "instagr.am": "instagram",
    "facebook.com": "facebook",
    "fb.com": "facebook",
    "linkedin.com": "linkedin",
    "linkedin.cn": "linkedin",
}

_NO_ACCOUNT: Final = frozenset(
    {
        "about", "explore", "hashtag", "help", "home", "i", "intent", "login", "orgs", "p",
        "pages", "privacy", "reel", "search", "settings", "share", "sponsors", "stories", "topics",
    }
)  # fmt: skip
"""First parts of paths that are no account's name."""

_SCHEMES: Final = {
    "xmpp": "jabber",
    "msnim": "msn",
    "ymsgr": "yahoo",
    "gtalk": "google_talk",
    "gg": "gadu_gadu",
    "tg": "telegram",
    "sip": "sip",
    "im": "im",
}
"""Scheme of a messenger's address → its name, where they differ."""

_MESSENGERS: Final = {
    "X-AIM": "aim",
    "X-ICQ": "icq",
    "X-JABBER": "jabber",
    "X-MSN": "msn",
    "X-YAHOO": "yahoo",
    "X-YAHOO-ID": "yahoo",
    "X-SKYPE": "skype",
    "X-SKYPE-USERNAME": "skype",
    "X-GOOGLE-TALK": "google_talk",
    "X-GTALK": "google_talk",
    "X-QQ": "qq",
    "X-GADUGADU": "gadu_gadu",
    "X-GROUPWISE": "groupwise",
    "X-MATRIX": "matrix",
    "X-TELEGRAM": "telegram",
    "X-WHATSAPP": "whatsapp",
    "X-SIGNAL": "signal",
    "X-WECHAT": "wechat",
    "X-LINE": "line",
    "X-SIP": "sip",
    "X-MS-IMADDRESS": "im",
    "X-KADDRESSBOOK-X-IMADDRESS": "im",
}
"""Property → the messenger whose address it holds."""

_PROFILES: Final = {
    "X-TWITTER": "twitter",
    "X-GITHUB": "github",
    "X-INSTAGRAM": "instagram",
    "X-FACEBOOK": "facebook",
    "X-LINKEDIN": "linkedin",
}
_PAGES: Final = (
    "URL",
    "X-EVOLUTION-BLOG-URL",
    "X-EVOLUTION-VIDEO-URL",
    "X-KADDRESSBOOK-BLOGFEED",
    "X-MS-OL-WEBPAGE",
    "CONTACT-URI",
)
_NO_SERVICE: Final = frozenset({"pref", "home", "work", "other", "personal", "business"})


def add_links(found: Gathered) -> None:
    """Add websites and profiles; a profile of a known network is an identifier."""
    for one in found.take("X-SOCIALPROFILE", "SOCIALPROFILE", *_PROFILES):
        _add_profile(found, one, _PROFILES.get(one.head.name) or _service(one))
    for one in found.take(*_PAGES):
        _add_page(found, text_of(one), one.head.name)
    for one in found.take("IMPP", *_MESSENGERS):
        _add_messenger(found, one)


def _service(one: Property) -> str:
    """Return the service that a property names, in lower case; empty if it names none."""
    parameters = one.head.parameters
    named = parameters.get("SERVICE-TYPE") or parameters.get("X-SERVICE-TYPE")
    if named:
        return named.lower()
    return next(iter(sorted(one.head.types - _NO_SERVICE)), "").removeprefix("x-")


def _add_profile(found: Gathered, one: Property, service: str) -> None:
    """Add a profile, by its address or by the account's name."""
    parameters = one.head.parameters
    value = text_of(one)
    user = parameters.get("X-USER") or parameters.get("USERNAME") or ""
    if value.lower().startswith("x-apple:"):
        user, value = user or unquote(value[8:]), ""
    link = _LINK.fullmatch(value) if "/" in value else None
    if link is not None and _add_known(found, link, value, one.head.name):
        return
    accounts = [user or ("" if link is not None else value)]
    if service == "facebook":
        accounts.append(parameters.get("X-USERID", ""))
    known = [_add_account(found, service, text, one.head.name) for text in accounts if text]
    if link is not None and (service == "facebook" or not any(known)):
        found.append_value("websites", value, one.head.name)
    elif not any(known):
        found.keep(service.replace("-", "_") or "profile", user or value, one.head.name)


def _add_page(found: Gathered, value: str, name: str) -> None:
    link = _LINK.fullmatch(value)
    if link is None or not _add_known(found, link, value, name):
        found.append_value("websites", value, name)


def _add_known(found: Gathered, link: re.Match[str], value: str, name: str) -> bool:
    """Add the account behind a link, if it is one of a network that is known."""
    host = link["host"].lower()
    service = _HOSTS.get(host) or _HOSTS.get(host.partition(".")[2], "")
    if service == "linkedin":
        return _add_linkedin(found, value, name)
    parts = [part for part in (link["path"] or "").split("/") if part]
    if service == "facebook" and parts == ["profile.php"]:
        return _add_account(found, service, value, name)
    if len(parts) != 1 or parts[0].lower() in _NO_ACCOUNT:
        return False
    return _add_account(found, service, unquote(parts[0]), name)


def _add_account(found: Gathered, service: str, account: str, name: str) -> bool:
    if service == "linkedin":
        if "/" not in account and ":" not in account:
            account = f"https://www.linkedin.com/in/{account}"
        return _add_linkedin(found, account, name)
    network = _NETWORKS.get(service)
    if network is None or isinstance(normalize_handle(network, account), Refused):
        return False
    if len(account) > MAX_SHORT:
        return False
    identifier = {"type": network, "value": account}
    if identifier not in found.record.get("identifiers", ()):
        found.append_value("identifiers", identifier, name)
    return True


def _add_linkedin(found: Gathered, value: str, name: str) -> bool:
    """Take the first profile for the person's own; a company's page is a website."""
    if isinstance(normalize_linkedin(value), Refused):
        return False
    if "linkedin_url" in found.record:
        return bool(found.record["linkedin_url"] == value)
    found.record["linkedin_url"] = value
    found.columns["linkedin_url"] = name
    return True


def _add_messenger(found: Gathered, one: Property) -> None:
    """Keep a messenger's address under its name."""
    value = text_of(one)
    service = _MESSENGERS.get(one.head.name) or _service(one)
    match = _SCHEME.match(value)
    if match is not None and match[1].lower() in ("http", "https"):
        _add_page(found, value, one.head.name)
        return
    if match is not None:
        scheme = match[1].lower()
        value = unquote(match[2]) or value
        service = service or ("" if scheme == "x-apple" else _SCHEMES.get(scheme, scheme))
    key = (service or "im").replace("-", "_").replace(" ", "_")
    found.keep({"googletalk": "google_talk", "xmpp": "jabber"}.get(key, key), value, one.head.name)
