"""What the demo does over HTTP, as any client would: a key, file uploads, contacts, metrics."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from kith import administration
from kith.demo.ages import Buckets, read_buckets
from kith.demo.errors import DemoError
from kith.demo.ledger import Home
from kith.stack import Fleet
from kith.stack.state import write_private
from shared.auth import SCOPES

KEY_NAME: Final = "kith demo"
TYPES: Final = {".csv": "text/csv", ".vcf": "text/vcard"}
"""Ending of a file → its media type."""
AGE_METRIC: Final = "pipeline_end_to_end_seconds"


@dataclass(frozen=True, slots=True)
class Upload:
    """What ingest said of one file."""

    file: str
    import_id: str
    source: str
    rows: int
    accepted: int
    rejected_rows: int
    seen_before: bool


async def find_token(
    client: httpx.AsyncClient, fleet: Fleet, home: Home, dsn: str, remembered: Path
) -> str:
    """Answer the API key of the demo before, while it works; else make one and remember it."""
    token = _remembered(remembered)
    if token and await _works(client, fleet, token):
        return token
    async with administration.connected(dsn) as database, database.transaction():
        made = await administration.create_key(database, home.workspace, KEY_NAME, SCOPES)
    write_private(remembered, json.dumps({"token": made.token}))
    return made.token


def _remembered(file: Path) -> str | None:
    try:
        return str(json.loads(file.read_bytes())["token"])
    except (FileNotFoundError, ValueError, KeyError):
        return None


async def _works(client: httpx.AsyncClient, fleet: Fleet, token: str) -> bool:
    answer = await client.get(
        f"{fleet.url('api')}/api/v1/contacts", params={"page[size]": "1"}, headers=bearer(token)
    )
    return answer.status_code == httpx.codes.OK


def bearer(token: str) -> dict[str, str]:
    """Write the header of a key."""
    return {"authorization": f"Bearer {token}"}


async def upload(client: httpx.AsyncClient, fleet: Fleet, token: str, file: Path) -> Upload:
    """Upload one file of contacts; returns when Kafka has its rows."""
    answer = await client.post(
        f"{fleet.url('ingest')}/v1/imports",
        content=await asyncio.to_thread(file.read_bytes),
        headers={**bearer(token), "content-type": TYPES[file.suffix]},
    )
    if answer.status_code != httpx.codes.ACCEPTED:
        raise DemoError(f"ingest refused {file.name}: {answer.status_code} {answer.text[:500]}")
    report = answer.json()
    return Upload(
        file=file.name,
        import_id=report["import_id"],
        source=report["source"],
        rows=report["rows"],
        accepted=report["accepted"],
        rejected_rows=report["rejected_rows"],
        seen_before=report["same_file_as"] is not None,
    )


async def get_contact(
    client: httpx.AsyncClient, fleet: Fleet, token: str, contact: str
) -> dict[str, Any]:
    """Read one contact."""
    answer = await client.get(
        f"{fleet.url('api')}/api/v1/contacts/{contact}", headers=bearer(token)
    )
    if answer.status_code != httpx.codes.OK:
        raise DemoError(f"the api has no {contact}: {answer.status_code} {answer.text[:500]}")
    found: dict[str, Any] = answer.json()["data"]
    return found


async def read_ages(client: httpx.AsyncClient, fleet: Fleet) -> Sequence[Buckets]:
    """Read each projector's histogram of how old signals were when they could be read."""
    readings = []
    for running in fleet.processes("projector"):
        answer = await client.get(f"http://127.0.0.1:{running.port}/metrics")
        readings.append(read_buckets(answer.text, AGE_METRIC, {"path": "read_model"}))
    return readings
