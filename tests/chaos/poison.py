"""Messages that nobody can read, each bad in its own way."""

from typing import Final

import orjson

VARIANTS: Final = (
    "bad_json",
    "wrong_types",
    "large",
    "nul",
    "not_utf8",
    "depth_bomb",
    "nobody",
    "empty",
    "unknown_version",
    "bad_header",
)

LARGE_BYTES: Final = 1_000_000
"""As large as a topic takes."""
DEPTH: Final = 20_000
"""Brackets of a body that nests deeper than any parser should follow."""

Headers = list[tuple[str, bytes]]


def poisoned(variant: str, mark: str, headers: Headers) -> tuple[bytes | None, Headers]:
    """Make a value and headers that ingest must refuse; `ce_id` says which one it is."""
    return _value(variant, mark), _headers(variant, headers)


def _value(variant: str, mark: str) -> bytes | None:
    body = {"mark": mark, "source": "hubspot_crm", "first_name": "Ada"}
    plain = orjson.dumps(body)
    values: dict[str, bytes | None] = {
        "bad_json": plain[:-1],
        "wrong_types": orjson.dumps({**body, "emails": {"value": 7}}),
        "large": orjson.dumps({**body, "notes": "x" * LARGE_BYTES}),
        "nul": orjson.dumps({**body, "last_name": "Love\x00lace"}),
        "not_utf8": plain.replace(b"Ada", b"\xff\xfe"),
        "depth_bomb": b'{"custom_fields": ' + b"[" * DEPTH + b"]" * DEPTH + b"}",
        "nobody": orjson.dumps({"mark": mark, "source": "hubspot_crm"}),
        "empty": None,
    }
    return values.get(variant, plain)


def _headers(variant: str, headers: Headers) -> Headers:
    if variant == "unknown_version":
        return [(k, b"kith.signal.contact.v9" if k == "ce_type" else v) for k, v in headers]
    if variant == "bad_header":
        return [(k, b"\xff\xfe" if k == "ce_tenant" else v) for k, v in headers]
    return headers
