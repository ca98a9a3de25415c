"""Take back what was brought: contacts become what everything else makes of them.

Nothing is put back from a copy. The deliveries of an import, or of records that their source has no
more, are left out, and the contacts concerned are composed anew from the others at their homes, as
after a merge or a split (ADR 0043, 0053).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.resolver.domain.assigning import Assigned
from services.resolver.domain.cluster import NOTHING_KEPT, Cluster, Order, Pair, Reshaping
from services.resolver.domain.composition import Applied
from services.resolver.domain.homes import Homes, Merge
from services.resolver.domain.ledger import is_newer
from services.resolver.domain.model import IdentifierKey
from services.resolver.domain.redeciding import Delivered, name_of, redecide, to_decide
from services.resolver.domain.reshaping import reshape
from services.resolver.domain.telling_retractions import Retold, withdraw
from services.resolver.domain.words import rehome_words, telling_homes


@dataclass(frozen=True, slots=True)
class Import:
    """What of an import is to be taken back, and what hangs on it."""

    import_id: str
    """Empty: records were taken back, not an import."""
    workspace: int
    chosen: frozenset[Delivered]
    """Its deliveries."""
    proposed: frozenset[Pair] = frozenset()
    """Candidates that its signals proposed."""
    asked: frozenset[bytes] = frozenset()
    """Records of people who were asked about one contact: they stay with it."""


@dataclass(frozen=True, slots=True)
class KeptEdit:
    """A contact that others edited since the import, and the fields that stay as they made them."""

    contact: str
    """Public id."""
    fields: tuple[str, ...]


def retract(cluster: Cluster, taken: Import, order: Order) -> tuple[Reshaping, list[KeptEdit]]:
    """Plan what follows when these deliveries are left out; says what others' edits survive.

    The machine's merges that rest on one of them come apart, to be decided again; a person's stay.
    """
    before = Assigned.of(cluster)
    redecided = redecide(before, _left(before, taken.chosen), taken.asked, order.ids)
    after = redecided.assigned
    merges, undone = _lasting(before, after, taken.chosen)
    cluster.candidates, withdrawn = _lasting_candidates(cluster, before, after, taken)
    homes = Homes(cluster.contacts, merges)
    after, about_nobody = rehome_words(before, after, homes)
    after.applied = {
        root: [one for one in applied if name_of(one) not in about_nobody]
        for root, applied in after.applied.items()
    }
    taken = replace(taken, chosen=taken.chosen | about_nobody)
    retold = Retold(
        order,
        before=before,
        after=after,
        homes=homes,
        chosen=taken.chosen,
        redecided=redecided,
        undone=undone,
    )
    plan = reshape(before, after, merges, order, retold.tell)
    plan.undone = [one.public_id for one in undone]
    plan.retracted = sorted(taken.chosen)
    plan.restored = _restored(before, after, taken.chosen)
    plan.released = redecided.released
    plan.withdrawn = sorted(withdrawn)
    plan.sources = {
        contact: source for contact, source in retold.sources.items() if contact in retold.shaped
    }
    withdraw(plan, homes, retold.shaped)
    return plan, _kept(plan, before, after, taken)


def _without(
    applied: Sequence[Applied], late: Iterable[Applied], chosen: Collection[Delivered]
) -> list[Applied]:
    """Leave deliveries out; one that came too late because of them counts after all."""
    records = {one.claim.record_key for one in applied if name_of(one) in chosen}
    if not records:
        return list(applied)
    home = {one.claim.record_key: one.home for one in applied}
    by_record: dict[bytes, list[Applied]] = {}
    for one in sorted((*applied, *late), key=lambda one: one.revision):
        if one.claim.record_key in records and name_of(one) not in chosen:
            by_record.setdefault(one.claim.record_key, []).append(one)
    counting = {name_of(one): one for each in by_record.values() for one in in_force(each)}
    kept = [
        one for one in applied if one.claim.record_key not in records or name_of(one) in counting
    ]
    for name in sorted(counting.keys() - {name_of(one) for one in kept}):
        returning = counting[name]
        place = next(
            (n for n, other in enumerate(kept) if other.applied_at > returning.applied_at),
            len(kept),
        )
        kept.insert(place, replace(returning, home=home[name[0]], evidence="record"))
    return kept


def in_force(revisions: Iterable[Applied]) -> list[Applied]:
    """Return the revisions of one record, in their order, that did not come too late."""
    kept: list[Applied] = []
    for one in revisions:
        if not kept or is_newer(
            one.claim.asserted_at,
            kept[-1].claim.asserted_at,
            versions=(one.source_version, kept[-1].source_version),
        ):
            kept.append(one)
    return kept


def asked_again(cluster: Cluster, chosen: Collection[Delivered]) -> list[IdentifierKey]:
    """Return the identifiers that decide again what came after these deliveries.

    Contacts that hold them have to be in the cluster, too.
    """
    before = Assigned.of(cluster)
    return sorted(
        {
            key
            for _, _, again in to_decide(before, _left(before, chosen))
            for one in again
            for key, _ in one.identifiers
        }
    )


def _left(before: Assigned, chosen: Collection[Delivered]) -> dict[int, list[Applied]]:
    return {
        root: _without(before.applied[root], before.cluster.late.get(root, ()), chosen)
        for root in before.homes.groups
    }


def _lasting(
    before: Assigned, after: Assigned, chosen: Collection[Delivered]
) -> tuple[list[Merge], list[Merge]]:
    """Tell merges that last from those of the machine that rest on a delivery taken back."""
    lost: dict[int, datetime] = {}
    for applied in before.applied.values():
        for one in applied:
            if name_of(one) in chosen and one.home is not None:
                lost[one.home] = min(one.applied_at, lost.get(one.home, one.applied_at))
    empty = emptied(before, after)
    lasting: list[Merge] = []
    undone: list[Merge] = []
    for merge in before.cluster.merges:
        # Either side as it was when they were merged: what lasts of earlier merges.
        sides = Homes(before.cluster.contacts, lasting)
        group = {
            home
            for named in (merge.survivor, merge.absorbed)
            for home in sides.groups[sides.root(named)]
        }
        rests = any(
            home in empty or merge.made_at is None or lost[home] <= merge.made_at
            for home in group & lost.keys()
        )
        (undone if rests and not merge.by_person else lasting).append(merge)
    return lasting, undone


def emptied(before: Assigned, after: Assigned) -> set[int]:
    """Return the homes of which something was told and nothing is any more."""
    return telling_homes(before) - telling_homes(after)


def _lasting_candidates(
    cluster: Cluster, before: Assigned, after: Assigned, taken: Import
) -> tuple[set[Pair], set[Pair]]:
    """Tell candidates that still wait from those that nothing proposes any more."""
    empty = emptied(before, after)
    withdrawn = {
        pair for pair in cluster.candidates if pair in taken.proposed or empty.intersection(pair)
    }
    return cluster.candidates - withdrawn, withdrawn


def _restored(before: Assigned, after: Assigned, chosen: Collection[Delivered]) -> list[Delivered]:
    """Return the deliveries that are their records' present version again."""
    restored = []
    for root, applied in before.applied.items():
        present = {one.claim.record_key: one.revision for one in applied}
        left = {one.claim.record_key: one.revision for one in after.applied[root]}
        restored += [
            (record, left[record])
            for record, revision in present.items()
            if (record, revision) in chosen and record in left
        ]
    return sorted(restored)


def _kept(plan: Reshaping, before: Assigned, after: Assigned, taken: Import) -> list[KeptEdit]:
    """List the contacts that others edited since the import, with what stays of it."""
    since: dict[int, datetime] = {}
    for root, applied in before.applied.items():
        times = [one.applied_at for one in applied if name_of(one) in taken.chosen]
        if times:
            since[root] = min(times)
    later = {
        one.claim.record_key
        for root, applied in after.applied.items()
        if root in since
        for one in applied
        if one.applied_at > since[root] and one.import_id != taken.import_id
    }
    kept = []
    for contact, made in plan.composed.items():
        fields: set[str] = {
            name for name, claim in made.origins.items() if claim.record_key in later
        }
        for claim in made.claims.values():
            if claim.record_key in later and claim.workspace_id == taken.workspace:
                said = claim.facts
                private = {
                    "notes": said.notes,
                    "labels": said.labels or said.labels_removed,
                    "custom_fields": said.custom_fields,
                    "groups": said.groups or said.groups_left,
                }
                fields |= {name for name, value in private.items() if value}
        if contact in since and made.claims:
            fields.update(_set_by_people(plan, contact, taken.workspace))
        if fields:
            name = plan.cluster.contacts[contact].public_id
            kept.append(KeptEdit(name, tuple(sorted(fields))))
    return sorted(kept, key=lambda one: one.contact)


def _set_by_people(plan: Reshaping, contact: int, workspace: int) -> Iterator[str]:
    for one in plan.bindings:
        if (one.contact, one.workspace) == (contact, workspace):
            for name in ("stage", "contact_owner_id", "is_favorite"):
                if getattr(one.shown, name) != getattr(NOTHING_KEPT, name):
                    yield name
