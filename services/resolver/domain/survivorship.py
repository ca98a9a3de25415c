"""Whose value wins: the visible values of a contact, computed from all that is claimed of it.

DESIGN 4.6: the higher priority of the source wins, then the more confident, then the newer. What
belongs together is taken from one claim: a name, a job, an address are never mixed of two people's
spellings.
"""

from collections.abc import Collection, Iterable
from operator import attrgetter
from typing import Final

from services.resolver.domain.model import Claim, Group
from shared.events.contact import FieldChange, Origin, VisibleField
from shared.events.signal import Employment, Facts, Point
from shared.events.structs import struct_of

Values = dict[VisibleField, str]
"""The visible values of a contact."""

_GROUPS: Final[tuple[tuple[VisibleField, ...], ...]] = (
    ("display_name",),
    ("first_name", "last_name", "display_name"),
    ("job_title", "department", "company_id", "company_name", "seniority"),
    ("city", "state", "country"),
    ("email_primary",),
    ("phone_primary",),
    ("linkedin_url",),
    ("headline",),
    ("birthday",),
    ("timezone",),
    ("avatar_url",),
)
"""What is taken from one claim together, in the order of `groups_of`.

A later group overrules an earlier one: what activities call somebody shows until a record says a
name.
"""

_GROUPS_OF: Final = {
    name: [index for index, names in reversed(list(enumerate(_GROUPS))) if name in names]
    for names in _GROUPS
    for name in names
}
"""Visible field → the groups that have it, the one that counts first."""


def groups_of(facts: Facts) -> tuple[Group, ...]:
    """Read what a document says of each group of visible values; empty where it says nothing."""
    return (
        {"display_name": facts.called} if facts.called else _NOTHING,
        _name(facts),
        _job(facts),
        _place(facts),
        _first(facts.emails, "email_primary"),
        _first(facts.phones, "phone_primary"),
        {"linkedin_url": facts.linkedin_url} if facts.linkedin_url else _NOTHING,
        {"headline": facts.headline} if facts.headline else _NOTHING,
        {"birthday": facts.birthday} if facts.birthday else _NOTHING,
        {"timezone": facts.timezone} if facts.timezone else _NOTHING,
        {"avatar_url": facts.photo_url} if facts.photo_url else _NOTHING,
    )


def choose(claims: Collection[Claim]) -> Values:
    """Pick every group of visible values from the best claim that has it."""
    values: Values = {}
    if len(claims) == 1:
        (only,) = claims
        for group in only.groups:
            values.update(group)
        return values
    ranked = sorted(claims, key=_weight, reverse=True)
    for groups in zip(*[claim.groups for claim in ranked], strict=True):
        for group in groups:
            if group:
                values.update(group)
                break
    return values


def source_of(name: VisibleField, claims: Iterable[Claim]) -> Claim:
    """Return the claim that a visible value comes from."""
    claims = list(claims)
    for index in _GROUPS_OF[name]:
        having = [claim for claim in claims if claim.groups[index]]
        if having:
            return max(having, key=_weight)
    raise LookupError(f"no claim says {name}")


_weight = attrgetter("weight")

_NOTHING: Group = {}


def display_name(facts: Facts) -> str:
    """Return the name that a record says, as a list shows it; empty where it says none."""
    whole = facts.full_name or " ".join(
        part for part in (facts.first_name, facts.middle_name, facts.last_name) if part
    )
    return whole or facts.nickname or ""


def _name(facts: Facts) -> Group:
    found: Group = {}
    display = display_name(facts)
    if facts.first_name:
        found["first_name"] = facts.first_name
    if facts.last_name:
        found["last_name"] = facts.last_name
    if display:
        found["display_name"] = display
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
    if job.seniority:
        found["seniority"] = job.seniority
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


def differences(
    before: Values, after: Values, claims: Collection[Claim], own: bytes
) -> tuple[FieldChange, ...]:
    """List the values that changed; those that come from the record `own` need no origin.

    `claims` are those that `after` was chosen from. A value that a second record repeats stays
    with the record that first brought it: that a better source agrees is no change.
    """
    if before == after:
        return ()
    return tuple(
        _FieldChange(
            field=name,
            old=before.get(name),
            new=after.get(name),
            origin=_origin(source_of(name, claims), own) if name in after else None,
        )
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    )


def _origin(claim: Claim, own: bytes) -> Origin | None:
    if claim.record_key == own:
        return None
    return _Origin(
        source=claim.source.name,
        source_record=claim.record_key.hex(),
        asserted_at=claim.asserted_at,
    )


_FieldChange: Final = struct_of(FieldChange)
_Origin: Final = struct_of(Origin)
