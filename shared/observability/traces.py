"""Traces: one span a batch with links to what it holds, and a span a message only where sampled.

The context travels as the W3C `traceparent` header, also through the database.  A span never holds
a message's key, body or header values.  Without an OTLP endpoint nothing is recorded and the cost
is one test a batch.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

MAX_LINKS: Final = 32
"""Links of a batch span at most (runtime 4.1)."""


class TraceSettings(BaseSettings):
    """Where traces go, under the names OpenTelemetry gives them."""

    model_config = SettingsConfigDict(env_prefix="OTEL_", frozen=True)

    exporter_otlp_endpoint: str = Field(
        default="", description="OTLP/HTTP collector, like http://collector:4318; empty: no traces."
    )
    traces_sampler_arg: float = Field(
        default=0.01,
        ge=0.0,
        le=1.0,
        description="Share of new traces that is kept; a caller's own decision is always kept.",
    )


def configure_tracing(service: str, settings: TraceSettings) -> TracerProvider | None:
    """Start exporting spans; the caller shuts the returned provider down at the end."""
    if not settings.exporter_otlp_endpoint:
        return None
    provider = TracerProvider(
        resource=Resource.create({"service.name": f"kith-{service}"}),
        sampler=ParentBased(TraceIdRatioBased(settings.traces_sampler_arg)),
    )
    endpoint = settings.exporter_otlp_endpoint.rstrip("/") + "/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    trace.set_tracer_provider(provider)
    return provider


def enabled() -> bool:
    """Tell whether spans are recorded in this process."""
    return isinstance(trace.get_tracer_provider(), TracerProvider)


def parse_traceparent(text: str | bytes | None) -> SpanContext | None:
    """Read a W3C `traceparent`; None when it is absent or malformed."""
    if text is None:
        return None
    try:
        plain = text.decode("ascii") if isinstance(text, bytes) else text
        version, trace_id, span_id, flags = plain.strip().split("-")[:4]
        if version == "ff" or len(trace_id) != 32 or len(span_id) != 16:
            return None
        context = SpanContext(
            int(trace_id, 16),
            int(span_id, 16),
            is_remote=True,
            trace_flags=TraceFlags(int(flags, 16)),
        )
    except (UnicodeDecodeError, ValueError):
        return None
    return context if context.is_valid else None


def current_traceparent() -> str | None:
    """Write the running span as a `traceparent`, to go out with a message; None without one."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


@contextmanager
def batch_span(
    operation: str, destination: str, group: str, count: int, parents: Iterable[bytes | None]
) -> Iterator[Span | None]:
    """Span one batch, linked to at most 32 sampled messages; None when tracing is off.

    `parents` are the messages' `traceparent` headers and are read only when tracing is on.
    """
    if not enabled():
        yield None
        return
    links: list[Link] = []
    for parent in parents:
        context = parse_traceparent(parent)
        if context is not None and context.trace_flags.sampled:
            links.append(Link(context))
            if len(links) == MAX_LINKS:
                break
    # A batch that holds a sampled message is kept: it continues the first one's trace.
    parent_context = (
        trace.set_span_in_context(NonRecordingSpan(links[0].context)) if links else None
    )
    with trace.get_tracer("kith").start_as_current_span(
        f"{operation} {destination}",
        context=parent_context,
        kind=SpanKind.CONSUMER,
        links=links,
        record_exception=False,
        attributes={
            "messaging.system": "kafka",
            "messaging.destination.name": destination,
            "messaging.operation.name": operation,
            "messaging.operation.type": operation,
            "messaging.consumer.group.name": group,
            "messaging.batch.message_count": count,
        },
    ) as span:
        yield span


@contextmanager
def message_span(name: str, traceparent: str | bytes | None) -> Iterator[Span | None]:
    """Span the work on one message, only when its sender sampled it."""
    context = parse_traceparent(traceparent) if enabled() else None
    if context is None or not context.trace_flags.sampled:
        yield None
        return
    with trace.get_tracer("kith").start_as_current_span(
        name,
        context=trace.set_span_in_context(NonRecordingSpan(context)),
        record_exception=False,
    ) as span:
        yield span
