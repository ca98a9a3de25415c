"""Every contact as it is on `contact.state.v1`: the newest of each, nothing private, tombstones."""

from collections.abc import Sequence
from typing import cast

from services.indexer.store import StateTopic
from shared.events import topics
from shared.events.contact import ContactEvent
from shared.events.envelope import from_record
from shared.events.fold import fold
from shared.events.state import ContactSnapshot, state_from
from shared.kafka.producer import Outgoing, Producer
from tests.integration.indexer.conftest import Indexer
from tests.support.events import born, changed, noted, public_id
from tests.support.merges import a_shape, deleted, merged


class Kept:
    """What a compacted topic would keep; an outside client reads the real one in `tests/e2e`."""

    def __init__(self) -> None:
        self.messages: dict[bytes | None, Outgoing] = {}

    async def send_batch(self, messages: Sequence[Outgoing]) -> None:
        """Keep the newest of each key."""
        self.messages |= {one.key: one for one in messages}

    def state(self, contact: str) -> ContactSnapshot | None:
        """Read a contact's state as a consumer does; None: a tombstone."""
        message = self.messages[contact.encode()]
        envelope = from_record(message.headers, message.value)
        assert message.topic == topics.STATE.name
        assert (envelope.type, envelope.subject) == ("kith.contact.state.v1", contact)
        if message.value is None:
            return None
        state = ContactSnapshot.model_validate_json(message.value)
        assert int(envelope.extensions["sequence"]) == state.version
        return state


async def test_the_state_is_the_fold_without_what_is_private(indexer: Indexer) -> None:
    log, kept, ada, bob = indexer.log, Kept(), public_id("con"), public_id("con")
    index = StateTopic(cast("Producer", kept))
    here, there = log.workspaces

    async def happen(*events: ContactEvent) -> None:
        await log.append(events)
        assert await indexer.handle(log.batch(events, "indexer-state"), index) == []

    told: list[ContactEvent] = [
        born(ada, here),
        noted(ada, 2, here, "between us"),
        changed(ada, 3, there, city="London"),
    ]
    await happen(*told)
    state = kept.state(ada)
    assert state is not None
    message = kept.messages[ada.encode()]
    assert b"between us" not in (message.value or b"")
    whole = fold(None, told)
    assert whole is not None
    read = state_from(state, {})
    assert (read.version, read.fields, read.provenance) == (3, whole.fields, whole.provenance)
    assert read.bindings.keys() == whole.bindings.keys() == {here, there}

    await happen(born(bob, here))
    pair = (ada, bob)
    await happen(merged(ada, 4, pair, a_shape("Ada", here, there)), merged(bob, 2, pair))
    absorbed = kept.state(bob)
    assert absorbed is not None
    assert (absorbed.status, absorbed.survivor_id, absorbed.fields) == ("merged", ada, {})
    await happen(deleted(ada, 5))
    assert kept.state(ada) is None
