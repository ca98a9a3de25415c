"""The statuses of a contact, as far as they follow from what is told of it (spec 003, 8.1, 8.2)."""

from collections.abc import Iterable

from services.resolver.domain.model import Claim, Source
from shared.events.contact import ContactStatus
from shared.events.signal import Facts


def status_at_birth(source: Source, facts: Facts) -> ContactStatus:
    """Participants of mail and finds of vendors wait for a name to be confirmed."""
    if source.name == "email_sync" or source.is_enrichment:
        return "incomplete"
    return "active" if facts.full_name or facts.first_name or facts.last_name else "incomplete"


def grown(status: ContactStatus, claims: Iterable[Claim]) -> ContactStatus:
    """Make an incomplete contact active once a later record shows its name.

    What the participants of activities are called is no such name: they wait on.
    """
    if status == "incomplete" and any(has_name(claim.facts) for claim in claims):
        return "active"
    return status


def has_name(facts: Facts) -> bool:
    """Tell whether a record says a name, in whole or in part."""
    return bool(
        facts.full_name
        or facts.first_name
        or facts.middle_name
        or facts.last_name
        or facts.nickname
    )
