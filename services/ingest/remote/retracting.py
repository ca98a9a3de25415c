"""Orders to take back what entries said that an account no longer has."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from ulid import ULID

from shared.auth import Place
from shared.events import topics
from shared.events.codec import encode
from shared.events.command import RetractRecords
from shared.events.envelope import Envelope, to_headers
from shared.identifiers.digests import Digests
from shared.kafka.producer import Outgoing

AT_ONCE: Final = 500
"""Entries of one order: the resolver takes them back in one transaction."""


def retractions(
    gone: Sequence[str], source: str, place: Place, digests: Digests, now: datetime
) -> list[Outgoing]:
    """Write the orders for entries by their ids at the source, ready for `contact.commands.v1`."""
    orders = []
    for begin in range(0, len(gone), AT_ONCE):
        order = RetractRecords(
            command_id=f"cmd_{ULID()}",
            tenant=place.tenant,
            workspace=place.workspace,
            issued_at=now,
            records=tuple(
                digests.record_key(place.tenant, place.workspace, source, one).hex()
                for one in gone[begin : begin + AT_ONCE]
            ),
            reason="the account no longer has it",
        )
        envelope = Envelope(
            order.command_id, "/kith/ingest", topics.TYPE_BY_MODEL[RetractRecords], b""
        )
        # All orders of a workspace in their order.
        key = place.workspace.encode()
        orders.append(Outgoing(topics.COMMANDS.name, key, encode(order), to_headers(envelope)))
    return orders
