"""A source record as it is compared: every attribute in one spelling, made once per record."""

import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Final

from services.resolver.domain.matching.model import CUSTOM, Profile, Term
from services.resolver.domain.names.folding import clean_name, fold, repair_lookalikes
from services.resolver.domain.names.person import parse_person
from shared.events.signal import Facts
from shared.identifiers.domain import company_domain
from shared.identifiers.types import Email

MOST_VALUES: Final = 8
"""Values of one attribute that are compared: a pair costs their product."""

LONGEST_CUSTOM: Final = 64
"""Characters of a custom field that can tell who someone is; longer ones are prose."""

_HANDLES: Final = frozenset(
    {"fb_user_id", "ig_user_id", "ig_username", "twitter_handle", "github_username", "domain"}
)
_DAY: Final = re.compile(r"\s*(\d{4}-\d\d?-\d\d?|\d\d?[./]\d\d?[./]\d{4})")
"""A custom value that begins with a day, or is one: when something happened tells nobody apart."""

_NOT_ALPHANUMERIC: Final = re.compile(r"[\W_]+")


def profile_of(facts: Facts) -> Profile:
    """Make the profile of one source record."""
    name = parse_person(
        facts.full_name,
        first_name=facts.first_name,
        middle_name=facts.middle_name,
        last_name=facts.last_name,
        name_prefix=facts.name_prefix,
        name_suffix=facts.name_suffix,
        nickname=facts.nickname,
    )
    build = _Builder()
    build.add("given", " ".join(name.given), facts.first_name or facts.full_name)
    build.add("family", " ".join(name.family), facts.last_name or facts.full_name)
    for identifier in facts.identifiers:
        build.add(attribute_of(identifier.type), _handle(identifier.type, identifier.value))
        if identifier.type == "email":
            build.add("domain", _domain_of_host(identifier.value.rpartition("@")[2]))
    for job in facts.employments:
        build.text("company", job.company_name)
        build.text("title", job.title)
        build.add("domain", job.company_domain)
    for address in facts.addresses:
        build.text("street", address.street)
        build.text("city", address.city)
        build.text("state", address.state)
        build.add("postcode", squeeze(address.postal_code), address.postal_code)
        build.text("country", address.country)
    build.add("birthday", facts.birthday)
    for key, value in facts.custom_fields.items():
        if isinstance(value, str | int) and not isinstance(value, bool):
            build.custom(key, str(value))
    return Profile(
        name,
        {attribute: tuple(values[:MOST_VALUES]) for attribute, values in build.values.items()},
        build.shown,
    )


def without(profile: Profile, blocked: Collection[Term]) -> Profile:
    """Leave out the values that a tenant blocked: they tell nothing of anybody."""
    kept = {
        attribute: tuple(value for value in values if (attribute, value) not in blocked)
        for attribute, values in profile.values.items()
    }
    values = {attribute: values for attribute, values in kept.items() if values}
    return Profile(profile.name, values, profile.shown)


class _Builder:
    """A profile in the making."""

    def __init__(self) -> None:
        self.values: dict[str, list[str]] = {}
        self.shown: dict[Term, str] = {}

    def add(self, attribute: str, value: str | None, raw: str | None = None) -> None:
        if not value:
            return
        values = self.values.setdefault(attribute, [])
        if value not in values:
            values.append(value)
            if raw and raw != value:
                self.shown[attribute, value] = raw

    def text(self, attribute: str, raw: str | None) -> None:
        if raw:
            self.add(attribute, fold_text(raw), raw)

    def custom(self, key: str, raw: str) -> None:
        if len(raw) <= LONGEST_CUSTOM and not _DAY.match(raw):
            self.add(CUSTOM + fold_text(key).replace(" ", "_"), fold_text(raw), raw)


@lru_cache(maxsize=8_192)
def fold_text(text: str) -> str:
    """Fold text to plain lower-case words: `Café  Zürich, Inc.` → `cafe zurich inc`."""
    return _NOT_ALPHANUMERIC.sub(" ", fold(repair_lookalikes(clean_name(text)))).strip()


def squeeze(text: str | None) -> str:
    """Fold text to letters and digits only: `SW1A 1AA` → `sw1a1aa`."""
    return fold_text(text).replace(" ", "") if text else ""


def initials_of(profile: Profile) -> str:
    """Tell people apart roughly, by the first letters of their names; empty for the nameless."""
    values = profile.values
    return "".join(values[part][0][0] for part in ("given", "family") if part in values)


def terms_of(profile: Profile) -> Iterable[Term]:
    """Return every value that statistics count."""
    return ((name, value) for name, values in profile.values.items() for value in values)


def attribute_of(kind: str) -> str:
    """Name the attribute that identifiers of a type are compared as."""
    match kind:
        case "phone_e164":
            return "phone"
        case "linkedin_public_id":
            return "linkedin"
        case _:
            return "handle" if kind in _HANDLES else kind


def _handle(kind: str, value: str) -> str:
    return f"{kind}:{value}" if kind in _HANDLES else value


@lru_cache(maxsize=8_192)
def _domain_of_host(host: str) -> str | None:
    return company_domain(Email(f"anyone@{host}"))
