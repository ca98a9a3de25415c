"""Whether a contact may take a signal that names it: what an identifier says, unless names deny it.

An identifier says who somebody is as long as nothing contradicts it. Names that contradict are
for a person to settle (DESIGN 4.4); names of which one may be garbled, and other evidence against
it, are left to matching, which weighs all that the records say and whose merges can be undone (ADR
0047, 0066).
"""

from collections.abc import Collection, Iterable, Mapping
from enum import Enum, auto
from functools import lru_cache
from operator import attrgetter
from typing import Final, NamedTuple, Protocol

from services.resolver.domain.claims import NAME_OF, Name, claims_naming
from services.resolver.domain.contradiction import MOST_RECORDS, is_contradicted
from services.resolver.domain.matching.profile import profile_of
from services.resolver.domain.matching.statistics import Counts
from services.resolver.domain.matching.vetoes import BARS, Veto, members_of, veto_of
from services.resolver.domain.model import (
    Claim,
    Contact,
    Delivery,
    IdentifierKey,
    Known,
    Source,
)
from services.resolver.domain.names.compare import NameLevel, compare_persons
from services.resolver.domain.names.person import PersonName, parse_person
from shared.events.contact import ProposalReason
from shared.events.signal import Facts, Identifier, ImportSource

Hits = Mapping[int, Collection[IdentifierKey]]
"""Contact that a signal names → the identifiers by which it does, strongest first."""

PHONE_BACKUPS: Final[frozenset[ImportSource]] = frozenset({"mark-import", "iris-import"})
"""Imports of whole address books: held to the customer's stricter rule (DESIGN 9)."""

SHAREABLE: Final = frozenset({"email", "phone_e164"})
"""Types of identifiers that several people may use; all others are one account's."""

_NO_COUNTS: Final = Counts()
"""The gate asks no statistics: what it decides must not depend on what came before."""

_AGREEING: Final = frozenset({NameLevel.EXACT, NameLevel.EQUIVALENT, NameLevel.NICKNAME})
"""Levels at which every part of both names says the same."""


class Applicant(Protocol):
    """What asks for a contact: a signal at the gate, or a delivery that is decided again."""

    @property
    def facts(self) -> Facts:
        """What it says."""

    @property
    def source(self) -> Source:
        """Who says it."""

    @property
    def identifiers(self) -> tuple[tuple[IdentifierKey, Identifier], ...]:
        """Whom it names, strongest first."""


class Admission(NamedTuple):
    """What becomes of a signal that names contacts."""

    receiver: int | None
    """The contact that takes the signal; None: one of its own."""
    proposals: tuple[tuple[int, ProposalReason], ...] = ()
    """Contacts that may be the same person, and why nobody but a person says so."""
    contested: tuple[IdentifierKey, ...] = ()
    """Identifiers that a contact holds whose names deny the signal: several people have them."""


def admit(delivery: Delivery, hits: Hits, pinned: int | None, known: Known) -> Admission:
    """Choose who takes a signal: the strongest identifier's contact that nothing speaks against.

    `pinned` is the contact of the record's present version: it keeps its record, whatever the new
    version says, since people are renamed.
    """
    bars = {
        contact: bar_of(delivery, known.contacts[contact], keys)
        for contact, keys in hits.items()
        if contact != pinned
    }
    receiver = pinned if pinned is not None else _receiver(delivery, hits, bars, known)
    if len(hits) == 1 and receiver in hits:  # as it nearly always is
        return Admission(receiver)
    return Admission(
        receiver,
        tuple(
            (contact, reason)
            for contact, bar in bars.items()
            if contact != receiver
            and (reason := _reason(delivery, bar, is_received=receiver is not None))
        ),
        tuple(
            key
            for contact, bar in bars.items()
            if bar in BARS and contact != receiver
            for key in hits[contact]
            if key[1] in SHAREABLE
        ),
    )


def _receiver(
    delivery: Delivery, hits: Hits, bars: Mapping[int, Veto | None], known: Known
) -> int | None:
    free = next((contact for contact, bar in bars.items() if bar is None), None)
    if delivery.signal.import_source in PHONE_BACKUPS:
        by_phone = any(kind == "phone_e164" for keys in hits.values() for _, kind, _ in keys)
        return free if by_phone and len(hits) == 1 else None
    return _bearer(delivery, hits, known) if free is None else free


def _bearer(delivery: Delivery, hits: Hits, known: Known) -> int | None:
    """Find who else has an identifier of the signal, by the very name that the signal says.

    The holder of a family's phone is whoever came first: the others find their own contacts too.
    """
    for keys in hits.values():
        for key in keys:
            sharing = known.sharing.get(key)
            for contact in sharing.contacts if sharing else ():
                if contact not in hits and is_agreed(delivery, known.contacts[contact]):
                    return contact
    return None


def _reason(delivery: Delivery, bar: Veto | None, *, is_received: bool) -> ProposalReason | None:
    match bar:
        case Veto.NAMES | Veto.RELATIVES:
            return "names_in_conflict"
        case Veto.GENERATIONS:
            return "father_and_son"
        case Veto.PROFILES:
            return "different_linkedin_members"
        case Veto.EVIDENCE:
            return "evidence_in_conflict"
    if delivery.signal.import_source in PHONE_BACKUPS:
        return "phone_backup"
    return "identifiers_of_several_contacts" if is_received else None


def bar_of(one: Applicant, contact: Contact, keys: Iterable[IdentifierKey]) -> Veto | None:
    """Return what speaks against a contact that the signal names by these identifiers.

    Who is the same LinkedIn member may be called anything. Where records of the contact name one
    of the identifiers, their names alone count: a contact that a person merged has several.
    """
    if one.identifiers and one.identifiers[0][0][1] == "linkedin_urn":
        if any(kind == "linkedin_urn" for _, kind, _ in keys):
            return None
        if _is_other_member(one, contact):
            return Veto.PROFILES
    if NAME_OF(one.facts) == _NAMELESS:
        return None
    return _bar_of_names(one.facts, contact, keys) or _bar_of_evidence(one, contact, keys)


def _bar_of_names(facts: Facts, contact: Contact, keys: Iterable[IdentifierKey]) -> Veto | None:
    said = NAME_OF(facts)
    claims = claims_naming(contact, keys)
    for claim in claims:
        if NAME_OF(claim.facts) == said:
            return None
    opposed = []
    for claim in claims:
        match _relation(said, NAME_OF(claim.facts)):
            case _Relation.SAME:
                return None
            case _Relation.OPPOSED:
                opposed.append(claim)
    return _veto(facts, contact, opposed, set(keys)) if opposed else None


def _bar_of_evidence(
    one: Applicant, contact: Contact, keys: Iterable[IdentifierKey]
) -> Veto | None:
    """Ask what a shared mailbox or phone alone cannot settle.

    A vendor that was asked about somebody may know another profile: that is its answer.
    """
    kinds = {kind for _, kind, _ in keys}
    if len(kinds) != 1 or not kinds <= SHAREABLE or one.source.is_enrichment:
        return None
    if len(contact.claims) > MOST_RECORDS:
        return None
    known = [claim.facts for claim in contact.claims.values()]
    return Veto.EVIDENCE if is_contradicted(one.facts, known) else None


def is_agreed(one: Applicant, contact: Contact) -> bool:
    """Tell whether a record of the contact says the signal's name, whole, and nothing denies it."""
    said = NAME_OF(one.facts)
    name = _person(said)
    return (
        bool(name.given and name.family)
        and any(
            _relation(said, NAME_OF(claim.facts)) is _Relation.SAME
            for claim in claims_naming(contact, ())
        )
        and bar_of(one, contact, ()) is None
    )


def _veto(
    facts: Facts, contact: Contact, opposed: Iterable[Claim], keys: Collection[IdentifierKey]
) -> Veto | None:
    """Ask the vetoes of matching: of the records that name the identifiers, if those have names."""
    naming = {
        claim.record_key
        for claim in claims_naming(contact, keys)
        if any((contact.tenant_id, one.type, one.value) in keys for one in claim.facts.identifiers)
        and NAME_OF(claim.facts) != _NAMELESS
    }
    asked = {
        NAME_OF(claim.facts): claim
        for claim in sorted(opposed, key=attrgetter("weight"))
        if not naming or claim.record_key in naming
    }
    profile = profile_of(facts)
    for claim in asked.values():
        veto = veto_of(profile, profile_of(claim.facts), _NO_COUNTS)
        if veto in BARS:
            return veto
    return Veto.DOUBT if asked else None


def _is_other_member(one: Applicant, contact: Contact) -> bool:
    """Tell whether the contact is a LinkedIn member, and none that the signal names."""
    ours = _members(one.facts)
    theirs: dict[str, set[str]] = {}
    for claim in claims_naming(contact, ()):
        for kind, members in _members(claim.facts).items():
            theirs.setdefault(kind, set()).update(members)
    return any(members.isdisjoint(theirs.get(kind, members)) for kind, members in ours.items())


def _members(facts: Facts) -> dict[str, set[str]]:
    return members_of(one.value for one in facts.identifiers if one.type == "linkedin_urn")


class _Relation(Enum):
    """How two names stand to one another."""

    SAME = auto()
    """Every part of both says the same."""
    OPEN = auto()
    """They may be one person's: one says less, or says it badly."""
    OPPOSED = auto()
    """They disagree, whether or not both look like names that somebody meant."""


_NAMELESS: Final[Name] = (None,) * 7


@lru_cache(maxsize=8_192)
def _relation(one: Name, other: Name) -> _Relation:
    agreement = compare_persons(_person(one), _person(other))
    if agreement.level in _AGREEING:
        return _Relation.SAME
    is_opposed = agreement.is_conflict or agreement.level is NameLevel.GARBLED
    return _Relation.OPPOSED if is_opposed else _Relation.OPEN


def _person(name: Name) -> PersonName:
    full, first, middle, last, prefix, suffix, nickname = name
    return parse_person(
        full,
        first_name=first,
        middle_name=middle,
        last_name=last,
        name_prefix=prefix,
        name_suffix=suffix,
        nickname=nickname,
    )
