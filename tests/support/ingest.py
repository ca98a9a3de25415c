"""What the tests of ingest start from."""

from typing import Any

import orjson

from services.ingest.domain.activities import to_normalized_activity
from services.ingest.domain.mapping import Normalized, Origin, Rules, to_normalized
from services.ingest.domain.reading import read_activity_body, read_body
from shared.identifiers.digests import Digests

TENANT = "ten_01J00000000000000000000000"
WORKSPACE = "wsp_01J00000000000000000000000"
RULES = Rules(Digests("a secret of the tests"), "US")
NOW = "2026-01-31T12:00:00Z"
ORIGIN = Origin("/crm#1", TENANT, WORKSPACE, NOW, NOW)


def normalized(**fields: Any) -> Normalized:
    """Take a signal through reading and mapping."""
    body = orjson.dumps({"source": "hubspot_crm", **fields})
    return to_normalized(*read_body(body), ORIGIN, RULES)


def facts(**fields: Any) -> dict[str, Any]:
    """Return the facts of a signal."""
    found: dict[str, Any] = orjson.loads(normalized(**fields).body)["facts"]
    return found


def normalized_activity(**fields: Any) -> Normalized:
    """Take an activity signal through reading and mapping."""
    body = orjson.dumps({"source": "calendar", "kind": "call", "occurred_at": NOW, **fields})
    return to_normalized_activity(*read_activity_body(body), ORIGIN, RULES)
