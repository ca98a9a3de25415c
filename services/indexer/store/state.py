"""The newest state of every contact on `contact.state.v1`, for whoever begins to listen.

The topic is compacted: of each contact the newest message stays, and of a deleted one nothing. A
contact's messages are written by the one consumer of its partition of events; around a rebalance
an older state may come again after a newer, as its version says.
"""

from typing import Final

from typing_extensions import override

from services.indexer.domain.changes import Changes, Contact
from services.indexer.store.events import Transaction
from services.indexer.store.index import Index
from shared.events import topics
from shared.events.envelope import Envelope, to_headers
from shared.events.state import ContactSnapshot, snapshot_of
from shared.events.structs import to_json
from shared.kafka.producer import Outgoing, Producer

SOURCE: Final = "/kith/indexer"
"""CloudEvents `source` of every state."""

_TYPE: Final = topics.TYPE_BY_MODEL[ContactSnapshot]


class StateTopic(Index):
    """Sends contacts as they are, without what a workspace keeps for itself."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    @override
    async def save(self, tx: Transaction, changes: Changes) -> None:
        await self._producer.send_batch([_message(one) for one in changes.contacts])

    @override
    async def ping(self) -> None:
        """Leave it to the events: they come from the same Kafka."""


def _message(contact: Contact) -> Outgoing:
    """Write a contact's state; of one that was deleted a tombstone."""
    state = contact.state
    value = None if state.status == "deleted" else to_json(snapshot_of(state))
    envelope = Envelope(
        id=f"{state.contact_id}.{state.version}",
        source=SOURCE,
        type=_TYPE,
        data=b"",
        time=state.updated_at,
        subject=state.contact_id,
        tenant=contact.tenant,
        extensions={"sequence": f"{state.version:010d}"},
    )
    return Outgoing(topics.STATE.name, state.contact_id.encode(), value, to_headers(envelope))
