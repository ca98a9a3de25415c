"""From the sender's `traceparent` to the read model, and nothing where nobody asked for it."""

import secrets

import orjson
import pytest

from tests.e2e.collector import Seen
from tests.e2e.running import Headers, Home, Running, until

pytestmark = pytest.mark.stack

STAGES = {"kith-ingest", "kith-resolver", "kith-projector", "kith-indexer", "kith-enricher"}
MAX_LINKS = 32


def a_trace() -> tuple[str, str]:
    """Make a trace id and the id of the sender's span."""
    return secrets.token_hex(16), secrets.token_hex(8)


def a_message(home: Home, name: str, traceparent: str) -> tuple[bytes, Headers]:
    body = {"source": "hubspot_crm", "source_record_id": name, "full_name": f"Grace {name}"}
    return orjson.dumps(body), [*home.headers(), ("traceparent", traceparent.encode())]


async def arrived(running: Running, trace_id: str, stages: set[str]) -> list[Seen]:
    async def found() -> list[Seen] | None:
        spans = running.collector.of_trace(trace_id)
        return spans if stages <= {span.service for span in spans} else None

    return await until(found)


async def test_a_sampled_signal_leaves_spans_at_every_stage(running: Running) -> None:
    home = await running.home()
    trace_id, span_id = a_trace()
    await running.publish([a_message(home, "hopper", f"00-{trace_id}-{span_id}-01")])
    spans = await arrived(running, trace_id, STAGES)
    for span in spans:
        assert span.trace_id != trace_id or span.parent_id == span_id, span
        assert (trace_id, span_id) in span.links, span
        assert span.attributes["messaging.system"] == "kafka"
    names = {span.name for span in spans}
    assert {
        "process contact.signals.v1",
        "process contact.signals.normalized.v1",
        "process contact.events.v1",
    } <= names


async def test_a_push_is_traced_as_well(running: Running) -> None:
    home = await running.home()
    trace_id, span_id = a_trace()
    answer = await running.push(
        home,
        {"source": "hubspot_crm", "full_name": "Grace Hopper"},
        {"traceparent": f"00-{trace_id}-{span_id}-01"},
    )
    assert answer.status_code == 202
    await arrived(running, trace_id, STAGES)


async def test_a_signal_that_nobody_sampled_leaves_none(running: Running) -> None:
    """Two more are sampled, before and after: their spans say that all three are through."""
    home = await running.home()
    silent, (before, span_id), (after, _) = a_trace()[0], a_trace(), a_trace()
    await running.publish([a_message(home, "one", f"00-{before}-{span_id}-01")])
    await running.publish([a_message(home, "two", f"00-{silent}-{span_id}-00")])
    position = await running.push_one(home, full_name="Grace Two Hopper", source_record_id="two-b")
    await running.get(home, "/contacts", position)
    await running.publish([a_message(home, "three", f"00-{after}-{span_id}-01")])
    await arrived(running, before, STAGES)
    await arrived(running, after, STAGES)
    assert running.collector.of_trace(silent) == []


async def test_a_batch_links_at_most_32(running: Running) -> None:
    """A batch of many sampled signals has one span, which belongs to the first one's trace."""
    home = await running.home()
    traces = [a_trace() for _ in range(400)]
    await running.publish(
        [
            a_message(home, f"n{number}", f"00-{trace_id}-{span_id}-01")
            for number, (trace_id, span_id) in enumerate(traces)
        ]
    )
    known = dict(traces)

    async def full() -> Seen | None:
        mine = [span for span in running.collector.spans if span.trace_id in known]
        return next((span for span in mine if len(span.links) == MAX_LINKS), None)

    span = await until(full)
    assert int(span.attributes["messaging.batch.message_count"]) > MAX_LINKS
    assert span.parent_id == known[span.trace_id]
    assert all(len(one.links) <= MAX_LINKS for one in running.collector.spans)
