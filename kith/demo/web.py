"""What the demo does over HTTP, as any client would: a key, file uploads, contacts, metrics."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from kith import administration
from kith.demo.ages import Buckets, read_buckets
from kith.demo.errors import DemoError
from kith.demo.ledger import Home
from kith.demo.report import tell_verdicts
from kith.imports_client import ImportsClient, RefusedError
from kith.imports_text import conflict_of
from kith.stack import Fleet
from kith.stack.state import write_private
from shared.auth import SCOPES

KEY_NAME: Final = "kith demo"
TAGS: Final = {"phone_backup.csv": "mark-import"}
"""File → the tag of its records."""
AGE_METRIC: Final = "pipeline_end_to_end_seconds"


@dataclass(frozen=True, slots=True)
class Upload:
    """What became of one file."""

    file: str
    import_id: str
    source: str
    rows: int
    verdicts: Mapping[str, int]
    conflict: tuple[str, ...]
    """A row in doubt beside the contact that it may be about, line by line; or nothing."""

    @property
    def words(self) -> str:
        """Say it on one line."""
        return f"{self.rows} rows: {tell_verdicts(self.verdicts)}"


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


async def import_file(fleet: Fleet, token: str, file: Path) -> Upload:
    """Import one file of contacts as its preview says; returns when every row has a verdict."""
    return await asyncio.to_thread(_import, fleet.url("ingest"), token, file)


def _import(url: str, token: str, file: Path) -> Upload:
    tag = TAGS.get(file.name)
    with httpx.Client(base_url=url, timeout=60, headers=bearer(token), trust_env=False) as http:
        client = ImportsClient(http)
        try:
            begun = client.upload(file, {"import_source": tag} if tag else {}, _unheard)
            name = begun["import_id"]
            preview = client.follow(name, _unheard)
            doubtful = client.rows(name, class_="conflict", limit=1)
            if preview["state"] == "ready":
                client.order(name, "execute")
            done = client.follow(name, _unheard)
        except (RefusedError, httpx.HTTPError) as error:
            raise DemoError(f"ingest did not import {file.name}: {error}") from None
    if done["state"] != "done":
        raise DemoError(f"ingest did not import {file.name}: {done['failure']}")
    return Upload(
        file=file.name,
        import_id=name,
        source=done["source"],
        rows=done["rows"],
        verdicts=done["verdicts"],
        conflict=tuple(conflict_of(doubtful[0])) if doubtful else (),
    )


def _unheard(_what: str, _done: int, _all: int) -> None:
    """Take progress and say nothing: a sample is read before one could look."""


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
