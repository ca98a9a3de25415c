"""When a machine must not merge, whatever the score (DESIGN 4.4)."""

from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from typing import Final

from services.resolver.domain.matching.levels import (
    ALIKE,
    BIRTH_YEAR,
    SAME,
    comparator_of,
    compare_texts,
    kind_of,
)
from services.resolver.domain.matching.model import CUSTOM, Profile, Statistics
from services.resolver.domain.matching.profile import is_numbered, is_personal
from services.resolver.domain.matching.statistics import ESTABLISHED
from services.resolver.domain.names.compare import PartLevel, compare_persons
from services.resolver.domain.names.given import are_forms_of_one, is_known
from services.resolver.domain.names.person import PersonName
from services.resolver.domain.names.tables import read_words

_SHORTEST: Final = 3
"""Letters from which a word can be told from a cut-off one."""

_STRANGE: Final = frozenset({"loose", "remote", "differ"})
"""Levels at which two words are not one, misspelt or cut."""


_ANOTHER: Final = frozenset({"remote", "differ"})
"""Levels at which one word is no slip of the other."""

_OWN: Final = frozenset({"linkedin", "linkedin_urn", "handle", "birthday", "company", "title"})
"""What people who live together do not share, twins aside: they share address, line and mailbox."""

_GENERATION: Final = range(15, 51)
"""Years between the births of father and son: a default like 1900 is mostly further off."""

_AGE: Final = f"{CUSTOM}age"
_AGES: Final = range(1, 111)

_SAME_STREET: Final = SAME | {"prefix", "subset"}
"""Levels at which two streets are one: the flat, or the estate, is often left out."""


class Veto(StrEnum):
    """Why two records must not be merged, or not silently."""

    NAMES = "names_in_conflict"
    GENERATIONS = "father_and_son"
    PROFILES = "different_linkedin_members"
    RELATIVES = "another_given_name"
    """One family name and two given names, known or not: what a household shares merges nobody."""
    DOUBT = "names_doubtful"
    """The names disagree, but one may be garbled: a merge is flagged, not barred."""
    HOUSEHOLD = "may_be_relatives"
    """The given names may be two, and all that agrees a household shares: a merge is flagged."""
    EVIDENCE = "evidence_in_conflict"
    """An identifier agrees and something else differs: not for the gate, for matching to weigh."""


BARS: Final = frozenset({Veto.NAMES, Veto.RELATIVES, Veto.GENERATIONS, Veto.PROFILES})
"""Vetoes after which only a person can merge."""


def veto_of(left: Profile, right: Profile, statistics: Statistics) -> Veto | None:
    """Return why a machine must not merge two records, the strictest reason first.

    The same LinkedIn member excuses every disagreement of names: people change theirs. Members that
    differ by URNs of one kind are two, whatever URNs of another kind say.
    """
    urns, others = (members_of(one.values.get("linkedin_urn", ())) for one in (left, right))
    if both := urns.keys() & others.keys():
        are_two = any(urns[kind].isdisjoint(others[kind]) for kind in both)
        return Veto.PROFILES if are_two else None
    one, another = left.name.generation, right.name.generation
    if one is not None and another is not None and one != another:
        return Veto.GENERATIONS
    if _are_generations_apart(left, right):
        return Veto.GENERATIONS
    return _names(left, right, statistics)


def members_of(urns: Iterable[str]) -> dict[str, set[str]]:
    """Sort LinkedIn URNs by their kind: URNs of two kinds say nothing of one another."""
    kinds: dict[str, set[str]] = {}
    for urn in urns:
        kinds.setdefault(urn.rpartition(":")[0], set()).add(urn)
    return kinds


def _names(left: Profile, right: Profile, statistics: Statistics) -> Veto | None:
    """Two well-formed names that disagree. A word is taken for one when many bear it.

    Garbled names look well-formed more often than not, so that form alone only casts doubt, but
    among those who may be relatives; so does a word that disagrees where one record has given and
    family name in each other's place.
    """
    is_crossed = _is_crossed(left, right)
    strange = []
    for attribute, across in (("given", "family"), ("family", "given")):
        one = left.values.get(attribute)
        other = right.values.get(across if is_crossed else attribute)
        if one and other and _is_strange(attribute, one[0], other[0]):
            strange.append((attribute, one[0], other[0]))
    if is_crossed:
        return Veto.DOUBT if strange else None
    relatives = Veto.RELATIVES if _are_relatives(left, right) else None
    if not strange or not compare_persons(left.name, right.name).is_conflict:
        return relatives
    for attribute, word, another in strange:
        if _is_established(attribute, word, statistics) and _is_established(
            attribute, another, statistics
        ):
            is_documented = _is_documented(left, right, {part for part, _, _ in strange})
            return (relatives or Veto.DOUBT) if is_documented else Veto.NAMES
    return relatives or Veto.DOUBT


def _are_relatives(left: Profile, right: Profile) -> bool:
    """Tell whether two names of one family agree in nothing that a household does not share.

    Nobody needs to know the given names: no word of them is a slip of the other's, its initial or
    its pet form. A mailbox may be the family's, too.
    """
    one, other = left.values.get("given"), right.values.get("given")
    if not one or not other or one[0] == other[0]:
        return False
    family, another = left.values.get("family"), right.values.get("family")
    return (
        family is not None
        and another is not None
        and compare_texts(family[0], another[0]) in ALIKE
        and _are_given_to_two(one[0].split(), other[0].split(), left.name, right.name)
        and not _agree_in_own(left, right)
    )


def _are_given_to_two(
    words: Sequence[str], others: Sequence[str], one: PersonName, other: PersonName
) -> bool:
    """Tell whether two given names are two people's: another first one, or the same and other more.

    An initial in the middle stands for what somebody may be called instead, and for nothing else:
    `Daniel P` and `Rebecca P` have a letter in common. `Maria Elena` is neither `Maria Rosa` nor
    `Maria R`.
    """
    (first, *rest), (another, *others_rest) = words, others
    middle, more = _without_particles(rest), _without_particles(others_rest)
    if not _are_two(first, another):
        is_told = bool(middle and more) and one.script == other.script
        return first == another and is_told and _are_all_two(middle, more)
    full, theirs = ([word for word in part if len(word) > 1] for part in (middle, more))
    if middle and more and one.script == other.script:
        # Who is called by either name has each of them, or its initial, beside the other.
        is_one = _is_among(another, middle) and _is_among(first, more)
        return not is_one and _are_all_two(full, theirs)
    return (
        _are_all_two(full, theirs)
        and _are_all_two([first], more)
        and _are_all_two(middle, [another])
        and _are_read_apart(one, other)
    )


def _is_among(word: str, others: Sequence[str]) -> bool:
    return not _are_all_two([word], others)


def _without_particles(words: Sequence[str]) -> list[str]:
    """Leave out what belongs to the family name: `Juan de` | `Silva` is called Juan."""
    particles = read_words("particles")
    return [word for word in words if word not in particles]


def _are_all_two(words: Sequence[str], others: Sequence[str]) -> bool:
    return all(_are_two(word, other) for word in words for other in others)


def _are_two(word: str, other: str) -> bool:
    return compare_texts(word, other) in _ANOTHER and not are_forms_of_one(word, other)


def _are_read_apart(one: PersonName, other: PersonName) -> bool:
    """Tell whether two given names are two in whatever script; kanji may be read in many ways."""
    if one.script != other.script and not (one.is_well_formed and other.is_well_formed):
        return False
    return compare_persons(one, other).given is PartLevel.OTHER


def _are_generations_apart(left: Profile, right: Profile) -> bool:
    """Tell whether two who share a line, a mailbox or a street were born as father and son were.

    They agree in nothing that a household does not share. Without any of it it is for the
    evidence to say: records that were typed in anew have other birthdays, too.
    """
    born, others = left.values.get("birthday"), right.values.get("birthday")
    if not born or not others:
        return _are_of_two_ages(left, right)
    years = [
        abs(int(one[:4]) - int(other[:4]))
        for one in born
        for other in others
        if one[:4].isdecimal() and other[:4].isdecimal()
    ]
    return (
        bool(years)
        and all(year in _GENERATION for year in years)
        and any("equal" in _levels(left, right, kind) for kind in ("phone", "email", "street"))
        and not _agree_in_own(left, right)
    )


def _are_of_two_ages(left: Profile, right: Profile) -> bool:
    """Tell whether the ages of two differ by a generation: that of one moves by some years."""
    if _AGE not in left.values or _AGE not in right.values:
        return False
    ages, others = (
        [int(age) for age in one.values[_AGE] if age.isdecimal() and int(age) in _AGES]
        for one in (left, right)
    )
    return (
        bool(ages and others)
        and all(abs(age - other) >= _GENERATION.start for age in ages for other in others)
        and not _agree_in_own(left, right)
    )


def _agree_in_own(left: Profile, right: Profile) -> bool:
    """Tell whether something agrees that is one person's own, or nearly does."""
    mine, theirs = left.values, right.values
    return any(
        not _levels(left, right, attribute).isdisjoint(ALIKE)
        for attribute in mine.keys() & theirs.keys()
        if attribute in _OWN or _is_numbered(attribute, mine[attribute])
    )


def _is_numbered(attribute: str, values: Collection[str]) -> bool:
    return attribute.startswith(CUSTOM) and any(is_numbered(attribute, one) for one in values)


def _is_documented(left: Profile, right: Profile, strange: Collection[str]) -> bool:
    """Tell whether papers say that it is one person after all: id number, birthday, address.

    Twins share birthday and address, spouses an account and an address: where both birthdays are
    known, another given name is excused by number and birthday alone, unless the number is one
    that the state gives to one person. Another family name, as after a marriage, by any two.
    """
    numbers = {
        attribute: min(levels)
        for attribute, values in left.values.items()
        if _is_numbered(attribute, values)
        if (levels := _levels(left, right, attribute) & SAME)
    }
    papers = {"birthday": _agree(left, right, "birthday"), "number": bool(numbers)}
    is_anyones_own = any(
        level == "equal" and is_personal(attribute) for attribute, level in numbers.items()
    )
    born = "birthday" in left.values and "birthday" in right.values
    if "given" not in strange or not born or is_anyones_own:
        papers["address"] = _are_at_one_address(left, right)
    return sum(papers.values()) >= 2


def _are_at_one_address(left: Profile, right: Profile) -> bool:
    """Tell whether two live in one street; one that is misspelt more needs postcode and city."""
    streets = _levels(left, right, "street")
    places = [_agree(left, right, place) for place in ("postcode", "city")]
    return (not streets.isdisjoint(_SAME_STREET) and any(places)) or (
        "similar" in streets and all(places)
    )


def _agree(left: Profile, right: Profile, attribute: str) -> bool:
    return not _levels(left, right, attribute).isdisjoint(SAME)


def _levels(left: Profile, right: Profile, attribute: str) -> set[str]:
    """Return how far the values of two agree. A year of birth alone is no birthday."""
    compare = comparator_of(attribute)
    return {
        compare(one, other)
        for one in left.values.get(attribute, ())
        for other in right.values.get(attribute, ())
        if kind_of(attribute, one, other) != BIRTH_YEAR
    }


def _is_crossed(left: Profile, right: Profile) -> bool:
    """Tell whether one record has given and family name in each other's place."""
    return any(
        one and other and compare_texts(one[0], other[0]) in SAME
        for one, other in (
            (left.values.get("given"), right.values.get("family")),
            (left.values.get("family"), right.values.get("given")),
        )
    )


def _is_strange(attribute: str, one: str, other: str) -> bool:
    if compare_texts(one, other) not in _STRANGE:
        return False
    first, second = one.partition(" ")[0], other.partition(" ")[0]
    return attribute == "family" or not are_forms_of_one(first, second)


def _is_established(attribute: str, value: str, statistics: Statistics) -> bool:
    if statistics.holders(attribute, value) >= ESTABLISHED and len(value) >= _SHORTEST:
        return True
    words = [word for word in value.split() if len(word) > 1]
    if not words:
        return False
    if read_words("known_names").issuperset(words):
        return True
    return attribute == "given" and all(map(is_known, words))
