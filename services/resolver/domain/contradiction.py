"""What else denies an identifier, besides names: what a person has one of, and that differs.

A mailbox or a phone says who somebody is while nothing speaks against it (DESIGN 4.3, `exact`). Two
records of one name that share it, each with a birthday of its own, are father and son more often
than one person. The gate knows too little to weigh that and leaves the pair to matching, which
knows how rare each value is, and whose merges are explained and can be undone (ADR 0066).
"""

from collections.abc import Collection, Iterable
from typing import Final

from services.resolver.domain.matching.levels import compare_birthdays, compare_numbers
from services.resolver.domain.matching.profile import (
    custom_attribute,
    is_number,
    is_personal,
    spell_custom,
)
from shared.events.signal import Facts

MOST_RECORDS: Final = 32
"""Records of a contact that are asked: whom more sources know is not doubted for one value."""

_PROFILE: Final = "linkedin_public_id"


def is_contradicted(facts: Facts, known: Collection[Facts]) -> bool:
    """Tell whether a record and a contact that share a mailbox or a phone differ in something else.

    `known` is what the contact's records say. What one side does not know says nothing, nor do
    other mailboxes, phones, employers and addresses: people have several, and move.
    """
    profiles = _profiles(facts)
    if not (profiles or facts.birthday or facts.custom_fields) or len(known) > MOST_RECORDS:
        return False
    if profiles:
        theirs = set().union(*map(_profiles, known))
        if not profiles.isdisjoint(theirs):
            return False
        if theirs:
            return True
    return _is_born_otherwise(facts, known) or _has_other_papers(facts, known)


def _profiles(facts: Facts) -> set[str]:
    return {one.value for one in facts.identifiers if one.type == _PROFILE}


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
        name: number
        for key, value in facts.custom_fields.items()
        if isinstance(value, str | int)
        and is_personal(name := custom_attribute(key))
        and is_number(number := spell_custom(name, str(value)))
    }
