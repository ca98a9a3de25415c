"""The resolver's orders: what an operator decided, carried out once."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from pydantic import ValidationError

from services.resolver.domain.commands import Order, carry_out
from services.resolver.store import Store
from shared.errors import PoisonMessageError
from shared.events import topics
from shared.events.command import ArchiveContact, UnarchiveContact
from shared.events.envelope import from_record
from shared.events.refusal import invalid
from shared.kafka.batch import Batch, ConsumerRecord, Rejected

_COMMANDS: Final[dict[str, type[ArchiveContact | UnarchiveContact]]] = {
    topics.TYPE_BY_MODEL[ArchiveContact]: ArchiveContact,
    topics.TYPE_BY_MODEL[UnarchiveContact]: UnarchiveContact,
}


async def handle_commands(batch: Batch, store: Store) -> Sequence[Rejected]:
    """Carry out orders; one already carried out changes nothing."""
    orders, rejected = [], []
    for record in batch.records:
        try:
            orders.append(await _order(record, store))
        except PoisonMessageError as error:
            rejected.append(Rejected(record, error))
    async with store.transaction() as tx:
        contacts = await tx.load_contacts(
            [(tenant_id, command.contact_id) for command, tenant_id, _ in orders]
        )
        done = await tx.find_commands([command.command_id for command, _, _ in orders])
        ids = await tx.take_ids(len(orders))
        plan, log = carry_out(orders, contacts, done, ids, datetime.now(UTC))
        await tx.apply(plan)
        await tx.log_commands(log, plan)
        await tx.save_offsets(batch.group, batch.next_offsets)
    return rejected


async def _order(record: ConsumerRecord, store: Store) -> Order:
    envelope = from_record(record.headers, record.value)
    model = _COMMANDS.get(envelope.type)
    if model is None:
        raise PoisonMessageError("unknown_version", "is no command known here", field="ce_type")
    try:
        command = model.model_validate_json(envelope.data)
    except ValidationError as error:
        raise invalid(error) from None
    place = await store.directory.resolve(command.tenant, command.workspace)
    return command, place.tenant_id, envelope.traceparent
