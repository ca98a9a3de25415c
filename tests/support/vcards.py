"""What the tests of vCards start from: cards, and what is read of them."""

import io
from typing import Any

import orjson

from services.ingest.domain.mapping import to_draft
from services.ingest.domain.reading import read_value
from services.ingest.sources.row import BadRow, Blank, Row
from services.ingest.sources.sniffed import Sniffed
from services.ingest.sources.vcard import read_vcard
from shared.errors import PoisonMessageError


def card(*lines: str, version: str = "3.0") -> bytes:
    """Return one card."""
    whole = ("BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", "")
    return "\r\n".join(whole).encode()


def read(data: bytes, encoding: str = "utf-8") -> list[Row | BadRow | Blank]:
    """Read a file."""
    return list(read_vcard(io.BytesIO(data), Sniffed("vcard", encoding, assumed=False)))


def facts_of(*lines: str) -> dict[str, Any]:
    """Return the facts of one card."""
    [account] = accounts_of(card(*lines))
    facts: dict[str, Any] = account["facts"]
    return facts


def accounts_of(
    data: bytes, encoding: str = "utf-8", region: str | None = None
) -> list[dict[str, Any]]:
    """Say of every row of a file what becomes of it."""
    return [_account(row, region) for row in read(data, encoding)]


def _account(row: Row | BadRow | Blank, region: str | None) -> dict[str, Any]:
    if isinstance(row, Blank):
        return {"line": row.line, "verdict": "blank"}
    if isinstance(row, BadRow):
        return {"line": row.line, "verdict": "refused", "field": row.field, "reason": row.reason}
    record = {**row.record, "source": "vcard_upload"}
    if region:
        record["phone_region"] = region
    try:
        signal, _ = read_value(record, may_hold_nul=True)
        draft = to_draft(signal, "US")
    except PoisonMessageError as error:
        field = row.columns.get(error.field, error.field)
        return {"line": row.line, "verdict": "refused", "field": field, "reason": error.detail}
    rejected = [[row.columns[one["field"]], one["reason"]] for one in draft.rejected]
    account: dict[str, Any] = {"line": row.line, "verdict": "taken", "facts": draft.facts}
    account |= {"uid": row.uid} if row.uid else {}
    version = row.record.get("source_version")
    account |= {"version": version} if version is not None else {}
    left_out = [list(one) for one in row.left_out] + rejected
    account |= {"left_out": left_out} if left_out else {}
    found: dict[str, Any] = orjson.loads(orjson.dumps(account))
    return found
