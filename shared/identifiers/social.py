"""User names and ids of social networks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from shared.identifiers.names import clean_text
from shared.identifiers.types import Handle, Refused
from shared.identifiers.wordlists import wordlist

Network = Literal["fb_user_id", "ig_user_id", "ig_username", "twitter_handle", "github_username"]


@dataclass(frozen=True, slots=True)
class _Form:
    hosts: frozenset[str]
    pattern: re.Pattern[str]
    refused: Refused


_PROFILE_ID = re.compile(r"profile\.php\?(?:.*&)?id=([0-9]+).*")
"""Facebook's address of a person without a user name."""

_BLOCKED: Final = wordlist("placeholder_handles")
_PLACEHOLDER = Refused("is a placeholder, not somebody's account; leave it out")

_FORMS: Final[Mapping[Network, _Form]] = MappingProxyType(
    {
        "fb_user_id": _Form(
            frozenset({"facebook.com", "fb.com", "m.facebook.com"}),
            re.compile(r"[1-9][0-9]{2,19}"),
            Refused("is not a Facebook user id; it is 3 to 20 digits"),
        ),
        "ig_user_id": _Form(
            frozenset(),
            re.compile(r"[1-9][0-9]{0,19}"),
            Refused("is not an Instagram user id; it is at most 20 digits"),
        ),
        "ig_username": _Form(
            frozenset({"instagram.com", "instagr.am"}),
            re.compile(r"(?!\.)(?!.*\.\.)[a-z0-9._]{1,30}(?<!\.)"),
            Refused("is not an Instagram user name; 1 to 30 of a-z 0-9 . _"),
        ),
        "twitter_handle": _Form(
            frozenset({"twitter.com", "x.com", "mobile.twitter.com"}),
            re.compile(r"[a-z0-9_]{1,15}"),
            Refused("is not an X (Twitter) handle; 1 to 15 of a-z 0-9 _"),
        ),
        "github_username": _Form(
            frozenset({"github.com"}),
            re.compile(r"[a-z0-9](?:[a-z0-9]|-(?=[a-z0-9])){0,38}"),
            Refused("is not a GitHub user name; 1 to 39 of a-z 0-9 and single hyphens"),
        ),
    }
)


def normalize_handle(network: Network, value: str) -> Handle | Refused:
    """Spell an account's name as its network compares them: no `@`, no URL, lower-case."""
    form = _FORMS[network]
    text = clean_text(value[:2_000]).lower()
    if "/" in text:
        found = _from_url(form, text)
        if found is None:
            return form.refused
        text = found
    text = text.removeprefix("@")
    if text in _BLOCKED or (len(text) > 3 and text.isdigit() and len(set(text)) == 1):
        return _PLACEHOLDER
    return Handle(text) if form.pattern.fullmatch(text) else form.refused


def _from_url(form: _Form, text: str) -> str | None:
    """Read the account's name out of its page's address; None when the site is another one."""
    host, _, path = text.rpartition("://")[2].partition("/")
    if host.removeprefix("www.") not in form.hosts:
        return None
    by_id = _PROFILE_ID.fullmatch(path)
    return by_id[1] if by_id else re.split(r"[/?#]", path, maxsplit=1)[0]
