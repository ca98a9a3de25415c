"""Whose value wins: the visible values of a contact, computed from all that is claimed of it.

DESIGN 4.6: the higher priority of the source wins, then the more confident, then the newer. What
belongs together is taken from one claim: a name, a job, an address are never mixed of two people's
spellings.
"""

from collections.abc import Iterable, Mapping

from services.resolver.domain.model import Claim
from shared.events.contact import FieldChange, Origin, VisibleField
from shared.events.signal import Employment, Facts, Point

Values = dict[VisibleField, tuple[str, Claim]]
"""Visible field → its value and the claim that it comes from."""


def choose(claims: Iterable[Claim]) -> Values:
    """Pick every visible value from the claims, best claim first."""
    ranked = sorted(claims, key=_weight, reverse=True)
    values: Values = {}
    for group in (_name, _job, _place, _email, _phone, _linkedin, _headline, _birthday):
        for claim in ranked:
            found = group(claim.facts)
            if found:
                for name, value in found.items():
                    values[name] = (value, claim)
                break
    return values


def _weight(claim: Claim) -> tuple[int, float, float, bytes]:
    return (
        claim.source.priority,
        claim.confidence,
        claim.asserted_at.timestamp(),
        claim.record_key,
    )


def _name(facts: Facts) -> dict[VisibleField, str]:
    display = facts.full_name or " ".join(
        part for part in (facts.first_name, facts.middle_name, facts.last_name) if part
    )
    return _present(
        first_name=facts.first_name,
        last_name=facts.last_name,
        display_name=display or facts.nickname,
    )


def primary_employment(facts: Facts) -> Employment | None:
    """Return the job that fills company and title: the current one that started last."""
    current = [job for job in facts.employments if job.is_current and not job.end_date]
    if not current:
        return None
    return max(current, key=lambda job: job.start_date.toordinal() if job.start_date else 0)


def _job(facts: Facts) -> dict[VisibleField, str]:
    job = primary_employment(facts)
    if job is None:
        return {}
    return _present(
        job_title=job.title,
        department=job.department,
        company_id=job.company_id,
        company_name=job.company_name or job.company_domain,
    )


def _place(facts: Facts) -> dict[VisibleField, str]:
    for address in facts.addresses:
        found = _present(city=address.city, state=address.state, country=address.country)
        if found:
            return found
    return {}


def _first(points: tuple[Point, ...]) -> str | None:
    for point in points:
        if point.primary:
            return point.value
    return points[0].value if points else None


def _email(facts: Facts) -> dict[VisibleField, str]:
    return _present(email_primary=_first(facts.emails))


def _phone(facts: Facts) -> dict[VisibleField, str]:
    return _present(phone_primary=_first(facts.phones))


def _linkedin(facts: Facts) -> dict[VisibleField, str]:
    return _present(linkedin_url=facts.linkedin_url)


def _headline(facts: Facts) -> dict[VisibleField, str]:
    return _present(headline=facts.headline)


def _birthday(facts: Facts) -> dict[VisibleField, str]:
    return _present(birthday=facts.birthday)


def _present(**values: str | None) -> dict[VisibleField, str]:
    return {name: value for name, value in values.items() if value}  # type: ignore[misc]


def differences(
    before: Mapping[VisibleField, tuple[str, Claim]],
    after: Mapping[VisibleField, tuple[str, Claim]],
    own: bytes,
) -> tuple[FieldChange, ...]:
    """List what changed; values that come from the record `own` need no origin of their own."""
    changes = []
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if old and new and old[0] == new[0] and old[1].record_key == new[1].record_key:
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
