"""The statuses of a contact, as far as they follow from what is told of it (spec 003, 8.1, 8.2)."""

from collections.abc import Container

from services.resolver.domain.model import Source
from shared.events.contact import ContactStatus
from shared.events.signal import Facts


def status_at_birth(source: Source, facts: Facts) -> ContactStatus:
    """Participants of mail and finds of vendors wait for a name to be confirmed."""
    if source.name == "email_sync" or source.source_type == "enrichment":
        return "incomplete"
    return "active" if facts.full_name or facts.first_name or facts.last_name else "incomplete"


def grown(status: ContactStatus, fields: Container[str]) -> ContactStatus:
    """Make an incomplete contact active once a later record shows its name."""
    return "active" if status == "incomplete" and "display_name" in fields else status
