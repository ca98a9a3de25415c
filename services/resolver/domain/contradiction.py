"""What else denies an identifier, besides names: what a person has one of, and that differs.

A mailbox or a phone says who somebody is while nothing speaks against it (DESIGN 4.3, `exact`). Two
records of one name that share a mailbox, each with a phone of its own, may be two people. The gate
knows too little to weigh that and leaves the pair to matching, which knows how rare each value is,
and whose merges are explained and can be undone (ADR 0066).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import product
from typing import Final

from services.resolver.domain.matching.levels import (
    compare_birthdays,
    compare_keys,
    compare_numbers,
    compare_phones,
)
from services.resolver.domain.matching.profile import fold_text, squeeze
from services.resolver.domain.matching.vetoes import is_personal_number
from shared.events.signal import Facts, Point

MOST_RECORDS: Final = 32
"""Records of a contact that are asked: whom more sources know is not doubted for one value."""

_APART: Final = frozenset({"differ", "numbered"})
"""Levels at which two values are two, and not one that somebody mistyped."""

_COMPARE: Final[Mapping[str, Callable[[str, str], str]]] = {
    "phone_e164": compare_phones,
    "linkedin_public_id": compare_keys,
}
"""Types of identifiers of which many people have one → how two of them compare. Mailboxes are not
among them: most people have several."""


def is_contradicted(facts: Facts, known: Collection[Facts], hit: str) -> bool:
    """Tell whether a record and a contact that share one identifier differ in something else.

    `known` is what the contact's records say, `hit` the type of what they share: e-mail or phone.
    A second identifier in common settles it; a value that one side does not know says nothing.
    """
    said = {one.type for one in facts.identifiers if one.type != hit and one.type in _COMPARE}
    if not (said or facts.birthday or facts.custom_fields) or len(known) > MOST_RECORDS:
        return False
    differs = False
    for kind in said:
        ours = _points(facts, kind)
        theirs = [point for one in known for point in _points(one, kind)]
        if {one.value for one in ours} & {one.value for one in theirs}:
            return False
        differs = differs or _differ(ours, theirs, _COMPARE[kind])
    return differs or _is_born_otherwise(facts, known) or _has_other_papers(facts, known)


def _points(facts: Facts, kind: str) -> Collection[Point]:
    """Return what a record says of one type; of phones with their labels."""
    if kind == "phone_e164":
        return facts.phones
    return [Point(value=one.value) for one in facts.identifiers if one.type == kind]


def _differ(
    ours: Iterable[Point], theirs: Iterable[Point], compare: Callable[[str, str], str]
) -> bool:
    """Tell whether all that compare are two: the phone at home is no other phone at work."""
    levels = [
        compare(one.value, other.value)
        for one, other in product(ours, theirs)
        if not (one.label and other.label and one.label.casefold() != other.label.casefold())
    ]
    return bool(levels) and _APART.issuperset(levels)


def _is_born_otherwise(facts: Facts, known: Iterable[Facts]) -> bool:
    born = facts.birthday
    if born is None:
        return False
    levels = {compare_birthdays(born, one.birthday) for one in known if one.birthday}
    return levels == {"differ"}


def _has_other_papers(facts: Facts, known: Iterable[Facts]) -> bool:
    """Tell whether numbers that a state gives to one person differ: passport, social security."""
    ours = _papers(facts)
    if not ours:
        return False
    levels: dict[str, set[str]] = {}
    for theirs in map(_papers, known):
        for name in ours.keys() & theirs.keys():
            levels.setdefault(name, set()).add(compare_numbers(ours[name], theirs[name]))
    return {"differ"} in levels.values()


def _papers(facts: Facts) -> dict[str, str]:
    return {
        name: squeeze(str(value))
        for key, value in facts.custom_fields.items()
        if isinstance(value, str | int) and is_personal_number(name := fold_text(key), str(value))
    }
