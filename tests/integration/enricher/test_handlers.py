"""Events and orders from real Kafka to rows, and findings from rows to real Kafka."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from ulid import ULID

from services.enricher.domain.rules import AutoRule
from services.enricher.handlers.contacts import ContactEvents
from services.enricher.handlers.lookups import Lookups
from services.enricher.handlers.orders import EnrichmentOrders
from services.enricher.handlers.signals import SignalSender
from services.enricher.providers.apollo import Apollo
from services.enricher.store import Store
from shared.cache import RateLimit
from shared.errors import TransientError
from shared.events.codec import Attributes, encode, event_headers
from shared.events.contact import ContactCreated
from shared.events.enrichment import EnrichmentRequested
from shared.events.envelope import Envelope, header, to_headers
from shared.events.signal import Facts, Identifier, NormalizedSignal
from shared.events.topics import TYPE_BY_MODEL, Topic
from shared.identifiers.digests import Digests
from shared.kafka import Outgoing
from tests.integration.enricher.conftest import VENDOR_KEY, Bench, Database, Vendor
from tests.support.kafka import KafkaLab, eventually

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def created(workspace: str, email: str, source: str = "google_contacts") -> ContactCreated:
    """Build a new contact."""
    contact_id = f"con_{ULID()}"
    return ContactCreated.model_validate(
        {
            "contact_id": contact_id,
            "version": 1,
            "source": source,
            "status": "active",
            "occurred_at": NOW,
            "cause": "/test#1",
            "workspace": workspace,
            "identifiers": [Identifier(type="email", value=email).model_dump()],
            "changes": [{"field": "email_primary", "new": email}],
            "asserted": {
                "source": source,
                "source_record": "0" * 32,
                "asserted_at": NOW,
                "facts": Facts().model_dump(),
            },
        }
    )


def message(topic: Topic, event: ContactCreated, tenant: str) -> Outgoing:
    """Wrap an event as the relay does."""
    attributes = Attributes(f"evt_{ULID()}", tenant, None, NOW, TRACE)
    return Outgoing(
        topic.name, event.contact_id.encode(), encode(event), event_headers(event, attributes)
    )


async def rows(database: Database) -> list[dict[str, Any]]:
    """Read all requests."""
    async with database.connected() as owner:
        found = await owner.fetch("SELECT * FROM enrichment.enrichment_requests ORDER BY id")
    return [dict(row) for row in found]


async def test_new_contacts_that_the_rule_selects_become_requests_once(
    lab: KafkaLab, store: Store, bench: Bench, database: Database
) -> None:
    """Selected and skipped, repeated and broken: neighbours do not matter to one another."""
    topic = await lab.topic(partitions=2)
    group = topic.consumers[0]
    wanted = created(bench.workspace, "match+ada@example.com")
    messages = [
        message(topic, wanted, bench.tenant),
        message(topic, created(bench.workspace, "info@example.com"), bench.tenant),
        message(topic, created(bench.workspace, "x@example.com", "apollo"), bench.tenant),
        message(topic, created(f"wsp_{ULID()}", "y@example.com"), bench.tenant),
        message(topic, wanted, bench.tenant)._replace(value=b"{"),
        Outgoing(topic.name, b"k", b"not looked at", [("ce_type", b"kith.other.v1")]),
        message(topic, wanted, bench.tenant),
    ]
    await lab.producer.send_batch(messages)
    handler = ContactEvents(store, AutoRule(enabled=True, share=1.0), "apollo")
    async with lab.consuming(topic, handler, offsets=store):
        letters = await lab.read(topic.dead_letters(group), 2)

        async def applied() -> bool:
            return sum((await lab.committed(topic)).values()) == len(messages)

        await eventually(applied)
    assert {header(one.headers, "kith_dlq_reason") for one in letters} == {
        "unknown_tenant",
        "invalid",
    }
    [row] = await rows(database)
    assert row["entity_public_id"] == wanted.contact_id
    assert (row["status"], row["source"], row["traceparent"]) == ("pending", "apollo", TRACE)
    assert row["public_id"].startswith("req_")
    assert sum((await store.load(group, topic.name)).values()) > 0


async def test_switched_off_nothing_is_decoded_or_recorded(
    lab: KafkaLab, store: Store, bench: Bench, database: Database
) -> None:
    topic = await lab.topic()
    event = created(bench.workspace, "match+ada@example.com")
    broken = message(topic, event, bench.tenant)._replace(value=b"{")
    await lab.producer.send_batch([message(topic, event, bench.tenant), broken])
    handler = ContactEvents(store, AutoRule(enabled=False, share=1.0), "apollo")
    async with lab.consuming(topic, handler, offsets=store, heeded=False):

        async def applied() -> bool:
            return await lab.committed(topic) == {0: 2}

        await eventually(applied)
    assert await rows(database) == []
    assert await store.load(topic.consumers[0], topic.name) == {0: 2}


async def insert_contact(database: Database, event: ContactCreated) -> None:
    """Store a contact's event as the resolver does."""
    async with database.connected("kith_resolver") as resolver:
        contact = await resolver.fetchval(
            "INSERT INTO contact.contact (tenant_id, public_id, status, source_id, version,"
            " created_at, updated_at) VALUES (1, $1, 'active', 1, 1, now(), now()) RETURNING id",
            event.contact_id,
        )
        await resolver.execute(
            "INSERT INTO contact.contact_event (tenant_id, entity_id, entity_public_id,"
            " sequence_number, event_id, event_type, payload, cause, occurred_at)"
            " VALUES (1, $1, $2, 1, $3, 'ContactCreated', $4, 'test', now())",
            contact,
            event.contact_id,
            f"evt_{ULID()}",
            encode(event).decode(),
        )


def order(topic: Topic, bench: Bench, contact_id: str, **changes: Any) -> Outgoing:
    """Order a lookup."""
    requested = EnrichmentRequested.model_validate(
        {
            "request_id": f"req_{ULID()}",
            "idempotency_key": uuid4().hex,
            "tenant": bench.tenant,
            "workspace": bench.workspace,
            "contact_id": contact_id,
            "source": "apollo",
            "requested_at": NOW,
            **changes,
        }
    )
    envelope = Envelope("1", "/kith/api", TYPE_BY_MODEL[EnrichmentRequested], b"")
    return Outgoing(topic.name, contact_id.encode(), encode(requested), to_headers(envelope))


async def test_orders_become_requests_with_what_is_known_of_the_contact(
    lab: KafkaLab, store: Store, bench: Bench, database: Database
) -> None:
    topic = await lab.topic()
    known = created(bench.workspace, "match+grace@example.com", "hubspot_crm")
    await insert_contact(database, known)
    bare = known.model_copy(
        update={"contact_id": f"con_{ULID()}", "identifiers": (), "changes": ()}
    )
    await insert_contact(database, bare)
    await lab.producer.send_batch(
        [
            order(topic, bench, known.contact_id, idempotency_key="once"),
            order(topic, bench, known.contact_id, idempotency_key="once"),
            order(topic, bench, bare.contact_id),
            order(topic, bench, f"con_{ULID()}"),
            order(topic, bench, known.contact_id, source="crunchbase"),
            order(topic, bench, known.contact_id, workspace=f"wsp_{ULID()}"),
            order(topic, bench, known.contact_id)._replace(value=b'{"source": 1}'),
        ]
    )
    handler = EnrichmentOrders(store, frozenset({"apollo"}))
    async with lab.consuming(topic, handler, offsets=store):
        letters = await lab.read(topic.dead_letters(topic.consumers[0]), 3)

        async def applied() -> bool:
            return await lab.committed(topic) == {0: 7}

        await eventually(applied)
    reasons = {header(one.headers, "kith_dlq_reason") for one in letters}
    assert reasons == {"unknown_source", "unknown_tenant", "invalid"}
    found = await rows(database)
    assert len(found) == 3
    assert {(row["status"], row["reason"]) for row in found} == {
        ("pending", None),
        ("failed", "missing_input"),
        ("failed", "unknown_contact"),
    }
    [asked] = [row["question"] for row in found if row["question"]]
    assert "match+grace@example.com" in asked


class Refusing:
    """A producer whose Kafka is away."""

    async def send_batch(self, messages: object) -> None:
        raise TransientError("away")


async def test_findings_reach_kafka_at_least_once_and_are_then_forgotten(
    lab: KafkaLab, store: Store, bench: Bench, vendor: Vendor, database: Database
) -> None:
    """Sent and killed before it was noted, a signal is sent again: byte for byte the same."""
    topic = await lab.topic()
    await bench.add("match", "match")
    async with Apollo.connect(vendor.url, VENDOR_KEY, 2.0) as apollo:
        work = Lookups(
            store,
            apollo,
            RateLimit(None, "apollo", 50.0),
            Digests("a secret of tests"),
            concurrency=2,
            lease_seconds=30.0,
        )
        while await work.begin_one():
            pass
        await work.drain()
    with pytest.raises(TransientError):
        await SignalSender(store, Refusing(), topic.name).send()  # type: ignore[arg-type]
    sender = SignalSender(store, lab.producer, topic.name)
    async with store.unsent(10) as killed_before_marking:
        assert len(killed_before_marking.signals) == 2
        async with store.unsent(10) as another_replicas:
            assert another_replicas.signals == []
        await lab.producer.send_batch(sender.wrap(killed_before_marking))
    assert await sender.send() is False
    assert await sender.send() is False
    records = await lab.read(topic.name, 4)
    assert len(records) == 4
    assert [one.value for one in records[:2]] == [one.value for one in records[2:]]
    signal = NormalizedSignal.model_validate_json(records[0].value)
    assert records[0].key == signal.record_key.encode()
    assert header(records[0].headers, "ce_tenant") == bench.tenant
    assert header(records[0].headers, "ce_type") == "kith.signal.normalized.v1"
    for row in await rows(database):
        assert row["signal"] is None
        assert row["signal_sent_at"] is not None
