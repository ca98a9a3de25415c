"""The projector's one handler: a batch of events into the read models, in one transaction."""

import time
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Final

from services.projector.domain.confirmed import confirmations, without
from services.projector.domain.events import Event, read_event, read_strictly
from services.projector.domain.projection import (
    MISSING_HISTORY,
    UNKNOWN_PLACE,
    fold_all,
    histories,
    older_ones,
    project,
)
from services.projector.store import Store
from shared.errors import PoisonMessageError
from shared.kafka.batch import Batch, ConsumerRecord, Rejected
from shared.observability import metrics

Reader = Callable[[Iterable[tuple[str, bytes | None]], bytes | None], Event]

MALFORMED = (KeyError, ValueError, TypeError, AttributeError)
"""What folding JSON raises that is not an event's."""

OBSERVED: Final = 8
"""One event in so many is timed: a share of them tells the ages, and each costs a microsecond."""

Read = list[tuple[ConsumerRecord, Event]]


async def handle_events(batch: Batch, store: Store) -> Sequence[Rejected]:
    """Fold a batch into the read models.

    When the batch cannot be folded as it is, it is read once more, every event by its model, so
    that the ones to blame are named and set aside.
    """
    try:
        return await _apply(batch, store, read_event)
    except MALFORMED:
        return await _apply(batch, store, read_strictly)


async def _apply(batch: Batch, store: Store, reader: Reader) -> Sequence[Rejected]:
    read, rejected = _read(batch.records, reader)
    places = await store.places(event for _, event in read)
    if not places.know_all(event for _, event in read):
        strange = [record for record, event in read if not places.know(event)]
        rejected += [Rejected(record, UNKNOWN_PLACE) for record in strange]
        read = [one for one in read if places.know(one[1])]
    events = [event for _, event in read]
    async with store.transaction() as tx:
        by_contact = histories(events)
        confirmed = await tx.confirm(confirmations(by_contact, places.workspaces))
        grouped = without(by_contact, confirmed)
        folded = fold_all(await tx.find_states(older_ones(grouped)), grouped)
        if folded.gaps:
            fetched = await tx.find_events(folded.gaps)
            places = await store.places(fetched)
            whole = fold_all({}, histories([*fetched, *_of(events, folded.gaps)]))
            folded.states.update(whole.states)
            lost = set(folded.gaps) - whole.states.keys()
            rejected += [
                Rejected(one, MISSING_HISTORY) for one, event in read if _about(event, lost)
            ]
            events = [event for event in [*fetched, *events] if not _about(event, lost)]
        if events:
            await tx.save(project(events, folded.states, places))
        await tx.save_offsets(batch.group, batch.next_offsets)
    _observe(event for _, event in read[::OBSERVED])
    return rejected


def _read(records: Sequence[ConsumerRecord], reader: Reader) -> tuple[Read, list[Rejected]]:
    read: Read = []
    rejected: list[Rejected] = []
    for record in records:
        try:
            read.append((record, reader(record.headers, record.value)))
        except PoisonMessageError as error:
            rejected.append(Rejected(record, error))
    return read, rejected


def _about(event: Event, contacts: Container[str]) -> bool:
    return event.body.get("contact_id") in contacts


def _of(events: Sequence[Event], contacts: Sequence[str]) -> list[Event]:
    wanted = set(contacts)
    return [event for event in events if _about(event, wanted)]


def _observe(events: Iterable[Event]) -> None:
    now = time.time()
    observe = metrics.END_TO_END_SECONDS.labels("read_model").observe
    for event in events:
        observe(now - event.recorded_at.timestamp())
