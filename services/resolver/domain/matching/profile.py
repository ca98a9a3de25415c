"""A source record as it is compared: every attribute in one spelling, made once per record."""

import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Final

from services.resolver.domain.matching.model import CUSTOM, Profile, Term
from services.resolver.domain.names.folding import clean_name, fold, repair_lookalikes
from services.resolver.domain.names.person import PersonName, parse_person
from services.resolver.domain.names.tables import read_pairs
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

_YEAR: Final = re.compile(r"\s*(?:1[5-9]|20)\d\d\s*", re.ASCII)

_NOT_ALPHANUMERIC: Final = re.compile(r"[\W_]+")

_APART: Final = re.compile(r"[\s,]+")
"""What stands between words, and between the parts of a number that is written in several."""

_ORDINAL: Final = re.compile(r"\d*(1st|2nd|3rd|\dth)")

_MOST_LETTERS: Final = 2
"""Letters of a word that belongs to a number, as in `QQ 12 34 56 C`; more are a street's."""

_END: Final = 4
"""Digits at the end of a number by which it is told where the whole is nobody's business."""

_PERSONAL: Final = frozenset(
    {"ssn", "soc", "social", "passport", "national", "nino", "cpf", "dni", "nhs", "aadhaar"}
)
"""Words in the name of a field that holds one person's number: spouses share no passport."""

_SHORTEST_NUMBER: Final = 5
"""Characters from which a value with a digit is compared as a number, not as a word."""


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
            text = str(value)
            if not _repeats(name, text):
                build.custom(key, text)
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


def _repeats(name: PersonName, text: str) -> bool:
    """Tell whether a custom value is the name once more, `Sort name: Lovelace Ada`.

    It agrees wherever the name does, and would count as evidence of its own.
    """
    words = fold_text(text).split() if len(text) <= LONGEST_CUSTOM else ()
    return len(words) > 1 and set(words) <= set(name.words)


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
        if len(raw) > LONGEST_CUSTOM or _DAY.match(raw):
            return
        attribute = custom_attribute(key)
        if attribute not in BIRTH_YEARS:
            self.add(attribute, spell_custom(attribute, raw), raw)
        elif "birthday" not in self.values and _YEAR.fullmatch(raw):
            self.add("birthday", raw.strip())


@lru_cache(maxsize=8_192)
def fold_text(text: str) -> str:
    """Fold text to plain lower-case words: `Café  Zürich, Inc.` → `cafe zurich inc`."""
    return _NOT_ALPHANUMERIC.sub(" ", fold(repair_lookalikes(clean_name(text)))).strip()


def squeeze(text: str | None) -> str:
    """Fold text to letters and digits only: `SW1A 1AA` → `sw1a1aa`."""
    return fold_text(text).replace(" ", "") if text else ""


def custom_attribute(key: str) -> str:
    """Name the attribute that a custom field is compared as."""
    return CUSTOM + fold_text(key).replace(" ", "_")


def spell_custom(attribute: str, raw: str) -> str:
    """Bring a value of a custom field to the spelling in which it is compared.

    Numbers lose what parts them, `MEMB-0042` → `memb0042`, and sexes are `f` or `m`; whatever else
    is said of a sex tells nothing, and is empty. Signals hold values as their sources wrote them:
    whoever asks about those spells them first.
    """
    if attribute in SEXES:
        return _sex_of(raw)
    return squeeze(raw) if _is_number_as_written(raw) else fold_text(raw)


def is_number(value: str) -> bool:
    """Tell whether a custom value, as it is spelled for comparing, is a code or an id number."""
    return len(value) >= _SHORTEST_NUMBER and " " not in value and _has_digit(value)


def is_numbered(attribute: str, value: str) -> bool:
    """Tell whether a custom field holds a code or an id number, or the end of one: `SSN last 4`."""
    return is_number(value) or (len(value) == _END and value.isdecimal() and is_personal(attribute))


@lru_cache(maxsize=1_024)
def is_personal(attribute: str) -> bool:
    """Tell whether a custom field, by its name, holds a number that one person has."""
    words = attribute.removeprefix(CUSTOM).split("_")
    return any(word.rstrip("0123456789") in _PERSONAL for word in words)


@lru_cache(maxsize=8_192)
def _is_number_as_written(raw: str) -> bool:
    """Tell whether a value is one number: a word with a digit, or several that are parts of it.

    Of several most have digits, and what has none is a letter or two, or most mix letters and
    digits (`RSSMRA 85T10 A562S`). `1201 42nd St` is a household's, not somebody's.
    """
    if len(raw) > LONGEST_CUSTOM:
        return False
    words = [word for part in _APART.split(raw) if (word := squeeze(part))]
    if sum(map(len, words)) < _SHORTEST_NUMBER:
        return False
    if len(words) == 1:
        return _has_digit(words[0])
    parts = [word for word in words if _has_digit(word) and not _ORDINAL.fullmatch(word)]
    mixed = sum(not word.isdigit() for word in parts)
    longest = max((len(word) for word in words if word not in parts), default=0)
    return 2 * mixed > len(words) or (2 * len(parts) > len(words) and longest <= _MOST_LETTERS)


def _has_digit(word: str) -> bool:
    return any(map(str.isdigit, word))


def _sex_of(raw: str) -> str:
    """Return `f` or `m`. Words are looked up as they stand, too: folded, 男 would be `nan`."""
    sexes = read_pairs("sexes")
    return sexes.get(clean_name(raw).casefold()) or sexes.get(fold_text(raw), "")


BIRTH_YEARS: Final = frozenset(
    map(custom_attribute, ("birth year", "birthyear", "year of birth", "yob", "born in"))
)
"""Custom fields of the year in which somebody was born, which is a birthday of which no more is
known."""

SEXES: Final = frozenset(
    map(
        custom_attribute,
        (
            *("gender", "gender code", "sex", "sex code", "geschlecht", "sexe", "sexo", "género"),
            *("sesso", "geslacht", "kön", "kjønn", "płeć", "cinsiyet"),
            *("пол", "性別", "性别", "성별"),
        ),
    )
)
"""Custom fields that say whether somebody is a woman or a man, by their usual names."""


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
