"""What identifiers in common say within a component: who shares one is one person until denied.

The gate gives a signal to whoever holds one of its identifiers, so that a contact is a chain: one
record names a mailbox, another that mailbox and a phone, a third the phone. Whether the ends of a
chain are one person is for the evidence to say, and only where they contradict one another (ADR
0074): all of this follows from the records, never from the order in which they came. So it is where
two records of one employer each name a mailbox, or an extension, of their own: namesakes share a
switchboard, an office and a typist's mistakes (ADR 0128).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import combinations
from typing import Final

from services.resolver.domain.matching.levels import EXTENSION
from services.resolver.domain.matching.linking import Verdict
from services.resolver.domain.matching.model import CUSTOM, IDENTIFIERS, Profile, Signal
from services.resolver.domain.matching.partitioning import Link, Pair, Record
from services.resolver.domain.matching.statistics import Counts
from services.resolver.domain.matching.tiers import Action, Tier, is_paper
from services.resolver.domain.matching.vetoes import veto_of
from shared.identifiers.domain import is_free_mail

_ONES_OWN: Final = ("linkedin_urn", "linkedin", "email", "phone")
"""Attributes of which a person normally has one: two records that name others contradict."""

_ANOTHERS: Final = frozenset({"differ", "numbered", "neighbour", "similar"})
"""Levels of mailboxes and lines that are two: no slip of the pen makes one of the other."""

_OTHER_DESKS: Final = _ANOTHERS | {"line"}
"""The same of two numbers with extensions, which one switchboard may have, too."""

_ONE_EMPLOYER: Final = frozenset({"equal", "near", "subset"})
"""Levels of employers' names that are one employer's."""

_NO_COUNTS: Final = Counts()

_ORDER: Final = 1e-6
"""Bits that raised weights keep of their evidence, at most: their order alone. Each bit that the
evidence is below the least halves them."""


def differ(one: Profile, other: Profile) -> bool:
    """Tell whether two records name another account, mailbox or number of some kind, and no same.

    What one side does not know contradicts nothing.
    """
    mine, theirs = one.values, other.values
    return any(
        kind in mine and kind in theirs and set(mine[kind]).isdisjoint(theirs[kind])
        for kind in _ONES_OWN
    )


def are_colleagues(one: Profile, other: Profile, signals: Iterable[Signal]) -> bool:
    """Tell whether two records of one employer name two mailboxes there, or two extensions.

    A person has one of each, and what people have elsewhere, a mailbox at home or a mobile, says
    nothing of it. `signals` are how the two compare.
    """
    levels = {signal.attribute: signal.level for signal in signals}
    if levels.get("email") in _ANOTHERS:
        return not _hosts(one).isdisjoint(_hosts(other))
    return (
        levels.get("phone") in _OTHER_DESKS
        and _have_extensions(one)
        and _have_extensions(other)
        and (levels.get("company") in _ONE_EMPLOYER or not _hosts(one).isdisjoint(_hosts(other)))
    )


def _hosts(profile: Profile) -> set[str]:
    """Return where a record has mailboxes that are an employer's."""
    hosts = {mailbox.rpartition("@")[2] for mailbox in profile.values.get("email", ())}
    return {host for host in hosts if not is_free_mail(host)}


def _have_extensions(profile: Profile) -> bool:
    return all(EXTENSION in phone for phone in profile.values["phone"])


def is_clear(profiles: Collection[Profile]) -> bool:
    """Tell whether identifiers alone make one contact of these records, and nothing in them denies.

    Asked before anything is compared: nearly all contacts are clear. It holds for a contact alone:
    what somebody else's records agree with better may be theirs.
    """
    if len(profiles) < 2:
        return True
    records = {str(place).encode(): profile for place, profile in enumerate(profiles)}
    together = _Groups(records)
    for one, other in _sharing(records):
        together.join(one, other)
    return together.count <= 1 and not any(
        differ(one, other) or _may_deny(one, other) for one, other in combinations(profiles, 2)
    )


def _may_deny(one: Profile, other: Profile) -> bool:
    """Tell whether names or papers of two records may deny an identifier that both have."""
    mine, theirs = one.values, other.values
    return (one.name != other.name and veto_of(one, other, _NO_COUNTS) is not None) or any(
        kind in theirs and values != theirs[kind]
        for kind, values in mine.items()
        if kind == "birthday" or kind.startswith(CUSTOM)
    )


class Chains:
    """The records of some contacts, as identifiers chain them together."""

    def __init__(
        self, profiles: Mapping[Record, Profile], judge: Callable[[Record, Record], Verdict]
    ) -> None:
        self._profiles = profiles
        self._judge = judge
        self._groups = _Groups(profiles)
        self._exact: set[Pair] = set()
        """Pairs that the gate would have joined: an identifier is the same, and nothing denies."""
        for pair in _sharing(profiles):
            if judge(*pair).tier is Tier.EXACT and not self._is_contradicted(*pair):
                self._exact.add(pair)
                self._groups.join(*pair)

    def link(self, one: Record, other: Record, least: float) -> Link:
        """Return how two records compare, the lower first, given the chain that they are in.

        The same identifier is worth a flagged merge at least (tier `exact`), which is `least` bits,
        and so is standing in one chain, for records that contradict one another in no identifier.
        Of pairs that are raised to that, those whose evidence says more come first.
        """
        link = self._judge(one, other).link
        if (one, other) not in self._exact and (
            not self._groups.are_one(one, other)
            or differ(self._profiles[one], self._profiles[other])
            or self._is_denied(one, other)
        ):
            return link
        raised = least + _ORDER * 2.0 ** (min(link.weight, least) - least)
        return Link(max(link.weight, raised), max(link.allowed, Action.FLAG), link.is_barred)

    def _is_contradicted(self, one: Record, other: Record) -> bool:
        """Tell whether what two records share is denied, or for the evidence to weigh."""
        return self._is_denied(one, other) or are_colleagues(
            self._profiles[one], self._profiles[other], self._judge(one, other).score.signals
        )

    def _is_denied(self, one: Record, other: Record) -> bool:
        """Tell whether names, another profile or papers deny an identifier, as at the gate.

        Without statistics: what the gate joins does not depend on what came before.
        """
        return veto_of(self._profiles[one], self._profiles[other], _NO_COUNTS) is not None or any(
            signal.level == "differ" and (signal.attribute == "linkedin" or is_paper(signal))
            for signal in self._judge(one, other).score.signals
        )


def _sharing(profiles: Mapping[Record, Profile]) -> Iterable[Pair]:
    """Return the pairs that have the value of an identifier in common, each once."""
    naming: dict[tuple[str, str], list[Record]] = {}
    for record in sorted(profiles):
        values = profiles[record].values
        for kind in IDENTIFIERS & values.keys():
            for value in values[kind]:
                naming.setdefault((kind, value), []).append(record)
    return sorted({pair for records in naming.values() for pair in combinations(records, 2)})


class _Groups:
    """Records that are together, directly or through others."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._group_of = {record: [record] for record in records}
        self.count = len(self._group_of)

    def are_one(self, one: Record, other: Record) -> bool:
        return self._group_of[one] is self._group_of[other]

    def join(self, one: Record, other: Record) -> None:
        mine, theirs = self._group_of[one], self._group_of[other]
        if mine is not theirs:
            mine += theirs
            self._group_of.update(dict.fromkeys(theirs, mine))
            self.count -= 1
