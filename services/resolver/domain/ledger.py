"""What a delivery is to the ledger of its source record (DESIGN 3.1)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from services.resolver.domain.model import Contact, Delivery, Revision

Standing = Literal["new", "newer", "duplicate", "stale"]
"""A record's first delivery, a newer version, one already applied, or one that came too late."""


def standing(delivery: Delivery, revisions: Sequence[Revision]) -> Standing:
    """Say what a delivery is to its record's ledger: `new`, `newer`, `duplicate` or `stale`.

    With source versions the number decides, else the event's time. The content is compared with
    the present version only, so that A → B → A applies, while A again late does not.
    """
    if not revisions:
        return "new"
    current = next((one for one in revisions if one.current), None)
    if current is None:
        return "new"
    signal = delivery.signal
    if any(
        one.content_hash == delivery.content_hash
        and one.occurred_at == signal.occurred_at
        and one.source_version == signal.source_version
        for one in revisions
    ):
        return "duplicate"
    versions = (signal.source_version, current.source_version)
    if not is_newer(signal.occurred_at, current.occurred_at, versions=versions):
        return "stale"
    return "duplicate" if current.content_hash == delivery.content_hash else "newer"


def is_newer(
    occurred_at: datetime, before: datetime, *, versions: tuple[int | None, int | None]
) -> bool:
    """Tell whether a delivery replaces the one before: by version where both have one, by time."""
    version, present = versions
    if version is not None and present is not None and version != present:
        return version > present
    return occurred_at >= before


def after(
    delivery: Delivery, revisions: Sequence[Revision], contact: Contact, *, current: bool
) -> Revision:
    """Return the revision that a delivery becomes: the next of its record."""
    return Revision(
        revisions[-1].number + 1 if revisions else 1,
        delivery.content_hash,
        delivery.signal.occurred_at,
        delivery.signal.source_version,
        current,
        contact.id,
        contact.version,
    )
