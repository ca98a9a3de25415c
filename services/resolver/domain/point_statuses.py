"""What was found out of e-mails and phones: what the weightiest record says that found anything.

A function of what a contact's present records say, so that a merge undone, a record that says
something else and an import taken back leave none of it. In the words of spec 004: e-mails are
verified, bounced, catch-all or spam traps, phones valid, invalid or not to be called.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from services.resolver.domain.details import EMAILS, PHONES, Telling
from services.resolver.domain.model import Claim, Contact, Plan, PointKind
from shared.events.signal import Facts, PointStatus

UNKNOWN: Final[PointStatus] = "unverified"
"""Nobody found anything out."""

_KINDS: Final[Mapping[PointKind, Telling]] = {"email": EMAILS, "phone": PHONES}
_WORDS: Final[Mapping[PointKind, Mapping[str, PointStatus]]] = {
    "email": {
        "verified": "verified",
        "valid": "verified",
        "bounced": "bounced",
        "invalid": "bounced",
        "catch_all": "catch_all",
        "spam_trap": "spam_trap",
    },
    "phone": {"valid": "valid", "verified": "valid", "invalid": "invalid", "dnc": "dnc"},
}
"""What records may say → the word for it; what is said of the other kind alone says nothing."""


def note_statuses(plan: Plan, contact: Contact, *said: Facts) -> None:
    """Plan what holds now of the values of which `said`, before or after, found something out."""
    for kind, telling in _KINDS.items():
        for facts in said:
            for point in telling(facts):
                if point.status is not None:
                    found = status_of(kind, point.value, contact.claims.values())
                    plan.statuses[kind, contact.id, point.value] = found


def statuses_of(claims: Iterable[Claim]) -> Iterator[tuple[PointKind, str, PointStatus]]:
    """Yield (kind, value, status) of all values of which these records found something out."""
    known = list(claims)
    for kind, telling in _KINDS.items():
        told = {p.value for claim in known for p in telling(claim.facts) if p.status is not None}
        for value in sorted(told):
            yield kind, value, status_of(kind, value, known)


def status_of(kind: PointKind, value: str, claims: Iterable[Claim]) -> PointStatus:
    """Return what was found out of one value."""
    telling, words = _KINDS[kind], _WORDS[kind]
    found = [
        (claim.weight, status)
        for claim in claims
        for point in telling(claim.facts)
        if point.value == value and (status := words.get(point.status or ""))
    ]
    return max(found, key=lambda one: one[0])[1] if found else UNKNOWN
