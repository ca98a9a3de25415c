"""Blocking: two records that share a key are worth comparing, unless the key is hot."""

from collections.abc import Iterable
from itertools import product
from typing import Final

from services.resolver.domain.matching.levels import NEW_YEAR
from services.resolver.domain.matching.model import CUSTOM, IDENTIFIERS, Profile
from services.resolver.domain.matching.profile import is_number
from services.resolver.domain.matching.sharing import is_role_mailbox

HOT: Final = 60
"""Records with a key from which it is hot: it tells too little to be worth its pairs."""

_HALF: Final = 6
"""Letters of a mailbox's name or digits of a phone that survive a slip in the rest."""

_HEAD_OF_MAILBOX: Final = 8
"""Letters at the start of a mailbox's name, where most names begin alike."""

_LINE: Final = 7
"""Last digits of a phone number that countries write alike."""

_HEAD: Final = 3
"""Letters of a word that survive most slips and cuts."""

_DAY: Final = 10
"""Characters of a day with its year."""


def blocking_keys(profile: Profile) -> frozenset[str]:
    """Return the keys of a record; each begins with the letter of its kind."""
    values = profile.values
    keys = set(_identifier_keys(profile))
    given, family = values.get("given", ()), values.get("family", ())
    company, title, city = (values.get(part, ()) for part in ("company", "title", "city"))
    for one, other in product(given, family):
        low, high = sorted((one, other))
        keys.add(f"n:{low}|{high}")
        keys.add(f"f:{other}|{one[0]}")
        keys.add(f"g:{one}|{other[0]}")
        keys.add("h:" + "|".join(sorted((one[:_HEAD], other[:_HEAD]))))
    keys.update(_pairs("fc", family, company))
    keys.update(_pairs("gc", given, company))
    keys.update(_pairs("ft", family, title, whole=True))
    keys.update(_pairs("gt", given, title, whole=True))
    keys.update(_pairs("ct", company, title, whole=True))
    keys.update(_pairs("it", city, title, whole=True))
    keys.update(_pairs("ci", company, city))
    keys.update(_pairs("fi", family, city))
    keys.update(_pairs("gi", given, city))
    postcode, birthday = values.get("postcode", ()), values.get("birthday", ())
    keys.update(_pairs("fp", family, postcode, whole=True))
    keys.update(_pairs("gp", given, postcode, whole=True))
    days = [day for day in birthday if _is_day(day)]
    for kind, names in (("fb", family), ("gb", given)):
        keys.update(f"{kind}:{name[0]}|{day}" for name, day in product(names, days))
        keys.update(_pairs(kind, names, set(birthday).difference(days), whole=True))
    keys.update(_pairs("ib", city, days, whole=True))
    keys.update(_pairs("bp", birthday, postcode, whole=True))
    keys.update(_pairs("si", values.get("street", ()), city))
    return frozenset(keys)


def _is_day(birthday: str) -> bool:
    """Tell whether a birthday is a whole day, which few have, and none that stands for its year."""
    return len(birthday) == _DAY and birthday[0].isdecimal() and not birthday.endswith(NEW_YEAR)


def _pairs(
    kind: str, values: Iterable[str], others: Iterable[str], *, whole: bool = False
) -> Iterable[str]:
    """Join the heads of values with the heads of others, or with the whole of them."""
    for one, other in product(values, others):
        yield f"{kind}:{one[:_HEAD]}|{other if whole else other[: _HEAD + 1]}"


def _identifier_keys(profile: Profile) -> Iterable[str]:
    for attribute, values in profile.values.items():
        if attribute in IDENTIFIERS:
            for value in values:
                if attribute == "email":
                    yield from _email_keys(value)
                else:
                    yield f"{attribute}:{value}"
                if attribute == "phone":
                    yield from _phone_keys(value)
        elif attribute.startswith(CUSTOM):
            for value in values:
                if is_number(value):
                    yield f"{attribute}:{value}"


def _email_keys(email: str) -> Iterable[str]:
    if is_role_mailbox(email):
        return
    mailbox = email.rpartition("@")[0]
    yield f"email:{email}"
    if len(mailbox) >= _HALF:
        yield f"el:{mailbox}"
        yield f"e<:{mailbox[:_HEAD_OF_MAILBOX]}"
        yield f"e>:{mailbox[-_HALF:]}"


def _phone_keys(phone: str) -> Iterable[str]:
    number, _, extension = phone.partition(";ext=")
    yield f"p7:{number[-_LINE:]}{extension}"
    yield f"p4:{(number + extension)[-_HALF:]}"
