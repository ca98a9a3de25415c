"""What a delivery is to the ledger of its source record (DESIGN 3.1)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from msgspec.structs import replace

from services.resolver.domain.model import Contact, Delivery, Revision
from shared.events.structs import changed

Standing = Literal["new", "newer", "duplicate", "stale"]
"""A record's first delivery, a newer version, one already applied, or one that came too late."""


class Stated(Protocol):
    """What the ledger holds of one version of a record."""

    @property
    def content_hash(self) -> bytes:
        """What it said."""

    @property
    def occurred_at(self) -> datetime:
        """When that was stated."""

    @property
    def source_version(self) -> int | None:
        """The source's number of it."""

    @property
    def current(self) -> bool:
        """Whether it is the present version."""


def unsaid(delivery: Delivery) -> Delivery:
    """Return a delivery without what it says: of somebody who is gone nothing is kept."""
    signal = changed(delivery.signal, source_record_id=None, rejected=())
    return replace(delivery, signal=signal, raw="{}")


def standing(delivery: Delivery, revisions: Sequence[Revision]) -> Standing:
    """Say what a delivery is to its record's ledger: `new`, `newer`, `duplicate` or `stale`.

    With source versions the number decides, else the event's time. The content is compared with
    the present version only, so that A → B → A applies, while A again late does not. What was taken
    back with its import stays a duplicate, unless a later import brings it.
    """
    signal = delivery.signal
    if any(one.is_undone for one in revisions):
        if any(_repeats(delivery, one) for one in revisions if one.is_undone):
            return "duplicate"
        revisions = [one for one in revisions if not one.is_undone]
    return standing_of(delivery.content_hash, signal.occurred_at, signal.source_version, revisions)


def standing_of(
    content_hash: bytes,
    stated_at: datetime,
    source_version: int | None,
    revisions: Sequence[Stated],
) -> Standing:
    """Say the same of anything that was stated of a record, whatever kind of record it is."""
    if not revisions:
        return "new"
    current = next((one for one in revisions if one.current), None)
    if current is None:
        return "new"
    if any(
        one.content_hash == content_hash
        and one.occurred_at == stated_at
        and one.source_version == source_version
        for one in revisions
    ):
        return "duplicate"
    versions = (source_version, current.source_version)
    if not is_newer(stated_at, current.occurred_at, versions=versions):
        return "stale"
    return "duplicate" if current.content_hash == content_hash else "newer"


def _repeats(delivery: Delivery, undone: Revision) -> bool:
    """Tell whether a signal says again what was taken back, and no later import means it."""
    signal = delivery.signal
    return (
        undone.content_hash == delivery.content_hash
        and undone.occurred_at == signal.occurred_at
        and undone.source_version == signal.source_version
        and signal.import_id in (None, undone.import_id)
    )


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
        delivery.signal.import_id,
    )
