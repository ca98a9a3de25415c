"""Traces follow a message's own context."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.observability import traces

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SAMPLED = f"00-{TRACE_ID}-00f067aa0ba902b7-01"
UNSAMPLED = f"00-{TRACE_ID}-00f067aa0ba902b7-00"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    return exporter


@pytest.mark.parametrize("text", [None, "", "x", b"\xff", "00-0-0-00", "00-" + "0" * 32 + "-x-01"])
def test_a_malformed_context_is_none(text: str | bytes | None) -> None:
    assert traces.parse_traceparent(text) is None


def test_a_batch_continues_the_first_sampled_message_and_links_at_most_32(
    spans: InMemorySpanExporter,
) -> None:
    parents = [None, UNSAMPLED.encode(), *[SAMPLED.encode()] * 40]
    with traces.batch_span("process", "contact.events.v1", "projector", 42, parents):
        assert (traces.current_traceparent() or "").startswith(f"00-{TRACE_ID}-")
    [span] = spans.get_finished_spans()
    assert span.name == "process contact.events.v1"
    assert len(span.links) == traces.MAX_LINKS
    assert (span.attributes or {})["messaging.batch.message_count"] == 42


def test_a_message_has_a_span_only_when_sampled(spans: InMemorySpanExporter) -> None:
    with traces.message_span("decide", UNSAMPLED) as none:
        assert none is None
    with traces.message_span("decide", SAMPLED):
        pass
    [span] = spans.get_finished_spans()
    assert span.context is not None
    assert format(span.context.trace_id, "032x") == TRACE_ID


def test_without_an_endpoint_nothing_is_recorded() -> None:
    with traces.batch_span("process", "t", "g", 1, [SAMPLED.encode()]) as span:
        assert span is None
