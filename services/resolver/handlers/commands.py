"""The resolver's orders: what an operator decided, carried out once."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import NamedTuple, assert_never, cast

from pydantic import ValidationError

from services.resolver.domain.archiving import Archiving, archive
from services.resolver.store import Store
from shared.auth import Place
from shared.errors import PoisonMessageError
from shared.events import topics
from shared.events.command import (
    ArchiveContact,
    CompanyOrder,
    EraseContact,
    Judgement,
    RetractImport,
    RetractRecords,
    UnarchiveContact,
)
from shared.events.envelope import from_record
from shared.events.refusal import invalid
from shared.kafka.batch import Batch, ConsumerRecord, Rejected
from shared.observability.logs import get_logger

log = get_logger(__name__)

Ordered = (
    Judgement
    | CompanyOrder
    | RetractImport
    | RetractRecords
    | EraseContact
    | ArchiveContact
    | UnarchiveContact
)
"""What is ordered on the topic."""


class Commanded(NamedTuple):
    """A command as it came."""

    command: Ordered
    place: Place
    traceparent: str | None


async def handle_commands(batch: Batch, store: Store) -> Sequence[Rejected]:
    """Carry out orders one after another; one already carried out changes nothing.

    What says who is whom, or takes something back, has transactions of its own, since it may take
    long.
    """
    orders, rejected = [], []
    for record in batch.records:
        try:
            orders.append(await _command(record, store))
        except PoisonMessageError as error:
            rejected.append(Rejected(record, error))
    for carry_out_all, run in groupby(orders, key=_by):
        await carry_out_all(list(run), store)
    async with store.transaction() as tx:
        await tx.save_offsets(batch.group, batch.next_offsets)
    return rejected


def _by(order: Commanded) -> Callable[[Sequence[Commanded], Store], Awaitable[None]]:
    """Return what carries an order out."""
    match order.command:
        case Judgement():
            return _judge
        case CompanyOrder():
            return _judge_companies
        case RetractImport() | RetractRecords():
            return _retract
        case EraseContact():
            return _erase
        case ArchiveContact() | UnarchiveContact():
            return _archive
        case _:
            assert_never(order.command)


async def _retract(orders: Sequence[Commanded], store: Store) -> None:
    for command, place, traceparent in orders:
        if isinstance(command, RetractImport | RetractRecords):
            while (await store.retract(command, place, traceparent)).remaining:
                pass


async def _erase(orders: Sequence[Commanded], store: Store) -> None:
    for command, place, traceparent in orders:
        if isinstance(command, EraseContact):
            answer = await store.erase(command, place, traceparent)
            log.info(
                "a contact was to be erased", command=command.command_id, reason=answer.outcome
            )


async def _judge(orders: Sequence[Commanded], store: Store) -> None:
    for command, place, traceparent in orders:
        if isinstance(command, Judgement):
            answer = await store.judge(command, place, traceparent)
            if answer.outcome != "done":
                log.info(
                    "an order changed nothing", command=command.command_id, reason=answer.outcome
                )


async def _judge_companies(orders: Sequence[Commanded], store: Store) -> None:
    for command, place, traceparent in orders:
        if isinstance(command, CompanyOrder):
            answer = await store.judge_companies(command, place, traceparent)
            if answer.outcome != "done":
                log.info(
                    "an order changed nothing", command=command.command_id, reason=answer.outcome
                )


async def _archive(orders: Sequence[Commanded], store: Store) -> None:
    archivings: list[Archiving] = [
        (one.command, one.place.tenant_id, one.traceparent)
        for one in orders
        if isinstance(one.command, ArchiveContact | UnarchiveContact)
    ]
    async with store.transaction() as tx:
        contacts = await tx.load_contacts(
            [(tenant_id, command.contact_id) for command, tenant_id, _ in archivings]
        )
        done = await tx.find_commands([command.command_id for command, _, _ in archivings])
        ids = await tx.take_ids(len(archivings))
        plan, rows = archive(archivings, contacts, done, ids, datetime.now(UTC))
        await tx.apply(plan)
        await tx.log_commands(rows, plan)


async def _command(record: ConsumerRecord, store: Store) -> Commanded:
    envelope = from_record(record.headers, record.value)
    model = topics.COMMANDS.messages.get(envelope.type)
    if model is None:
        raise PoisonMessageError("unknown_version", "is no command known here", field="ce_type")
    try:
        command = cast("Ordered", model.model_validate_json(envelope.data))
    except ValidationError as error:
        raise invalid(error) from None
    place = await store.directory.resolve(command.tenant, command.workspace)
    return Commanded(command, place, envelope.traceparent)
