"""The CloudEvents headers of a normalised signal."""

from typing import Final

from services.ingest.domain.mapping import Origin
from shared.events.signal import NormalizedSignal
from shared.events.topics import TYPE_BY_MODEL

_FIXED: Final[list[tuple[str, bytes]]] = [
    ("content-type", b"application/json"),
    ("ce_specversion", b"1.0"),
    ("ce_source", b"/kith/ingest"),
    ("ce_type", TYPE_BY_MODEL[NormalizedSignal].encode()),
]


def normalized_headers(origin: Origin) -> list[tuple[str, bytes]]:
    """Write the headers, as `shared.events.envelope.to_headers` does for any event.

    Twice as fast, as the moments are already text here; a test holds the two together.
    """
    headers = [
        *_FIXED,
        ("ce_id", origin.signal_id.encode()),
        ("ce_time", origin.occurred_at.encode()),
        ("ce_tenant", origin.tenant.encode()),
        ("ce_workspace", origin.workspace.encode()),
        ("ce_recordedtime", origin.received_at.encode()),
    ]
    if origin.traceparent:
        headers.append(("traceparent", origin.traceparent.encode()))
    return headers
