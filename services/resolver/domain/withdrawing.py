"""Take back what an import told of activities: they leave timelines, or are as they were before.

An activity that something else told as well stays (ADR 0070).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from msgspec import Struct

from services.resolver.domain.cluster import Order
from services.resolver.domain.ledger import is_newer
from services.resolver.domain.model import Contact, Plan
from services.resolver.domain.relocating import Stored, tell

VersionName = tuple[bytes, int]
"""(record key, revision)."""


class Version(Struct, frozen=True, gc=False):
    """A delivery of an activity that the ledger counts."""

    record_key: bytes
    revision: int
    activity_id: int
    stated_at: datetime
    source_version: int | None
    import_id: str | None
    current: bool
    is_told_elsewhere: bool
    """Something else told exactly this."""
    is_kept: bool
    """What the activity was like is kept, since a newer version replaced this one."""


@dataclass(slots=True)
class Withdrawal:
    """What is to be taken back."""

    undone: list[VersionName] = field(default_factory=list)
    """Versions that count no more."""
    restored: list[VersionName] = field(default_factory=list)
    """Versions that are shown again."""
    present: list[VersionName] = field(default_factory=list)
    """Versions that are the present ones again, those that are shown again among them."""
    withdrawn: list[int] = field(default_factory=list)
    """Activities that nobody tells of any more."""


def withdraw_import(versions: Iterable[Version], import_id: str) -> Withdrawal:
    """Choose what follows when an import's versions are left out; `versions` by record, in order.

    Of what is left the newest is the present one.  A version of which nothing was kept, because it
    came in one batch with the one that replaced it, leaves what is shown as it is.
    """
    found = Withdrawal()
    for _, group in groupby(versions, key=attrgetter("record_key")):
        told = list(group)
        own = [one for one in told if one.import_id == import_id and not one.is_told_elsewhere]
        found.undone += [(one.record_key, one.revision) for one in own]
        if not any(one.current for one in own):
            continue
        newest = _newest(one for one in told if one not in own)
        if newest is None:
            found.withdrawn.append(own[0].activity_id)
            continue
        name = (newest.record_key, newest.revision)
        found.present.append(name)
        if newest.is_kept:
            found.restored.append(name)
    return found


def _newest(versions: Iterable[Version]) -> Version | None:
    newest: Version | None = None
    for one in versions:
        if newest is None or is_newer(
            one.stated_at,
            newest.stated_at,
            versions=(one.source_version, newest.source_version),
        ):
            newest = one
    return newest


@dataclass(slots=True)
class Told:
    """What to write so that everybody concerned hears of it."""

    plan: Plan
    versions: list[tuple[int, int, int, int]] = field(default_factory=list)
    """(activity, participant, contact, version that tells of it)."""


def tell_withdrawn(
    activities: Iterable[Stored],
    before: Mapping[int, set[int]],
    contacts: Mapping[int, Contact],
    tenant: str,
    order: Order,
) -> Told:
    """Tell whoever had activities, and whoever has them again, as they are stored now.

    `before` says who had them: activity → contacts.
    """
    told = Told(Plan(now=order.now))
    for one in activities:
        now = {person.at: person.at_name for person in one.people}
        for contact_id in sorted(now.keys() | before.get(one.id, set())):
            own = [person for person in one.people if person.at == contact_id]
            told.versions += tell(
                told.plan,
                one,
                contacts[contact_id],
                own,
                sorted(now.values()),
                reason="retracted",
                tenant=tenant,
                order=order,
            )
    return told
