"""Whose value wins: the visible values of a contact, computed from all that is claimed of it.

DESIGN 4.6: the higher priority of the source wins, then the more confident, then the newer. What
belongs together is taken from one claim: a name, a job, an address are never mixed of two people's
spellings.
"""

from collections.abc import Collection
from operator import attrgetter

from services.resolver.domain.model import Claim, Group
from shared.events.contact import FieldChange, Origin, VisibleField
from shared.events.signal import Employment, Facts, Point

Values = dict[VisibleField, tuple[str, Claim]]
"""Visible field → its value and the claim that it comes from."""


def groups_of(facts: Facts) -> tuple[Group, ...]:
    """Read what a document says of each group of visible values; empty where it says nothing."""
    return (
        _name(facts),
        _job(facts),
        _place(facts),
        _first(facts.emails, "email_primary"),
        _first(facts.phones, "phone_primary"),
        {"linkedin_url": facts.linkedin_url} if facts.linkedin_url else _NOTHING,
        {"headline": facts.headline} if facts.headline else _NOTHING,
        {"birthday": facts.birthday} if facts.birthday else _NOTHING,
    )


def choose(claims: Collection[Claim]) -> Values:
    """Pick every group of visible values from the best claim that has it."""
    if len(claims) == 1:
        (claim,) = claims
        return {name: (value, claim) for group in claim.groups for name, value in group.items()}
    values: Values = {}
    taken: set[int] = set()
    for claim in sorted(claims, key=_weight, reverse=True):
        for index, group in enumerate(claim.groups):
            if group and index not in taken:
                taken.add(index)
                for name, value in group.items():
                    values[name] = (value, claim)
    return values


_weight = attrgetter("weight")

_NOTHING: Group = {}


def _name(facts: Facts) -> Group:
    found: Group = {}
    display = facts.full_name or " ".join(
        part for part in (facts.first_name, facts.middle_name, facts.last_name) if part
    )
    if facts.first_name:
        found["first_name"] = facts.first_name
    if facts.last_name:
        found["last_name"] = facts.last_name
    if display or facts.nickname:
        found["display_name"] = display or facts.nickname or ""
    return found


def primary_employment(facts: Facts) -> Employment | None:
    """Return the job that fills company and title: the current one that started last."""
    current = [job for job in facts.employments if job.is_current and not job.end_date]
    if len(current) < 2:
        return current[0] if current else None
    return max(current, key=lambda job: job.start_date.toordinal() if job.start_date else 0)


def _job(facts: Facts) -> Group:
    job = primary_employment(facts) if facts.employments else None
    if job is None:
        return _NOTHING
    found: Group = {}
    if job.title:
        found["job_title"] = job.title
    if job.department:
        found["department"] = job.department
    if job.company_id:
        found["company_id"] = job.company_id
    if company := job.company_name or job.company_domain:
        found["company_name"] = company
    return found


def _place(facts: Facts) -> Group:
    for address in facts.addresses:
        found: Group = {}
        if address.city:
            found["city"] = address.city
        if address.state:
            found["state"] = address.state
        if address.country:
            found["country"] = address.country
        if found:
            return found
    return _NOTHING


def _first(points: tuple[Point, ...], name: VisibleField) -> Group:
    if not points:
        return _NOTHING
    chosen = next((point for point in points if point.primary), points[0])
    return {name: chosen.value}


def differences(before: Values, after: Values, own: bytes) -> tuple[FieldChange, ...]:
    """List the values that changed; those that come from the record `own` need no origin.

    A value that a second record repeats stays with the record that first brought it: that a
    better source agrees is no change.
    """
    changes = []
    for name in after if before.keys() <= after.keys() else {**before, **after}:
        old, new = before.get(name), after.get(name)
        if old and new and old[0] == new[0]:
            continue
        origin = None
        if new and new[1].record_key != own:
            origin = Origin(
                source=new[1].source.name,
                source_record=new[1].record_key.hex(),
                asserted_at=new[1].asserted_at,
            )
        changes.append(
            FieldChange(
                field=name, old=old[0] if old else None, new=new[0] if new else None, origin=origin
            )
        )
    return tuple(changes)
