"""Files that are imported while things break: a table and a mailbox, and what must come of each."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final, Self

import httpx

from kith import administration
from shared.auth import SCOPES
from shared.kafka.batch import ConsumerRecord
from tests.chaos.pipeline import PATIENCE_S, PAUSE_S
from tests.chaos.run import Run, check_told, make_place
from tests.chaos.workload import Place
from tests.support.invariants import Connection
from tests.support.mail import a_message, an_mbox

OWNER: Final = "me@home.example.com"
"""Whose mailbox it is."""

ANSWER_S: Final = 30.0
"""How long one answer may take, seconds."""


class Files:
    """Both files, in a tenant of their own."""

    def __init__(self, run: Run, place: tuple[Place, int], token: str) -> None:
        self._run = run
        self._sizes = {"table": run.plan.signals // 40 * 10, "mailbox": run.plan.signals // 20}
        """Rows and messages."""
        self._place = place
        self._bearer = {"Authorization": f"Bearer {token}"}
        self._imports: dict[str, str] = {}

    @classmethod
    async def uploaded(cls, run: Run) -> Self:
        """Upload both, each to be carried out when it is read."""
        place = await make_place(run.stack, "files")
        dsn = run.stack.postgres_dsn("kith_cli")
        async with administration.connected(dsn) as database:
            key = await administration.create_key(
                database, place[0].workspace, "chaos", list(SCOPES)
            )
        made = cls(run, place, key.token)
        wishes = {"execute": "true", "own": OWNER}
        for name, write in (("table", a_table), ("mailbox", a_mailbox)):
            content = write(made._sizes[name])
            begun = await made._ask("POST", "", params=wishes, content=content)
            made._imports[name] = begun["import_id"]
        run.beside.append(made.check)
        return made

    async def come(self, share: float) -> None:
        """Wait until one file is read so far (up to 1), or sent and decided (up to 2)."""
        await self._until(lambda shares: max(shares) >= share)

    async def done(self) -> None:
        """Wait until nothing is left to do with either."""
        await self._until(lambda shares: min(shares) >= 2)

    async def _until(self, is_so_far: Any) -> None:
        furthest, since = 0.0, time.monotonic()
        while not is_so_far(shares := [await self._share(name) for name in self._imports]):
            if sum(shares) > furthest:
                furthest, since = sum(shares), time.monotonic()
            elif time.monotonic() - since > PATIENCE_S:
                raise TimeoutError(f"imports did not go on: {shares}")
            await asyncio.sleep(PAUSE_S)

    async def _share(self, name: str) -> float:
        shown = await self._ask("GET", f"/{self._imports[name]}")
        whole = self._sizes[name]
        match shown["state"]:
            case "receiving" | "reading":
                return float(min(shown["rows"] / whole, 0.99))
            case "ready" | "executing":
                return float(1 + min(sum(shown["verdicts"].values()) / whole, 0.99))
            case "done":
                return 2
        raise TimeoutError(f"{name}: {shown['state']}, {shown.get('failure')}")

    async def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """Ask ingest until it answers; what it may not say is noted."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            url = f"{self._run.fleet.url('ingest')}/v1/imports{path}"
            try:
                async with httpx.AsyncClient(timeout=ANSWER_S, trust_env=False) as http:
                    answer = await http.request(method, url, headers=self._bearer, **more)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.is_success:
                said: dict[str, Any] = answer.json()
                return said
            if answer is not None and answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                self._run.broken.add("I8", f"{method} {path}: {answer.status_code} {answer.text}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"ingest does not answer {method} {path}")
            await asyncio.sleep(PAUSE_S)

    async def check(self, connection: Connection, events: Sequence[ConsumerRecord]) -> None:
        """Hold verdicts, ledger and contacts to what the files say."""
        await check_told(self._run, connection, self._place, events)
        rows, letters = self._sizes["table"], self._sizes["mailbox"]
        tenth = rows // 10
        of_table = {"created": 8 * tenth, "unchanged": tenth, "updated": tenth}
        for name, expected in (("table", of_table), ("mailbox", {"recorded": letters})):
            await self._check_verdicts(name, expected)
        # A row that says another again is no record, a sender is one.
        await self._check_ledger(connection, "source_record", 9 * tenth + letters)
        await self._check_ledger(connection, "activity_record", letters)
        await self._check_people(connection, people(rows, letters))

    async def _check_verdicts(self, name: str, expected: dict[str, int]) -> None:
        shown = await self._ask("GET", f"/{self._imports[name]}")
        found = {verdict: count for verdict, count in shown["verdicts"].items() if count}
        if (shown["state"], found) != ("done", expected):
            self._run.broken.add("I1", f"{name}: {shown['state']}, {found}, not {expected}")

    async def _check_ledger(self, connection: Connection, table: str, expected: int) -> None:
        found = await connection.fetchval(
            f"SELECT count(*) FROM contact.{table} WHERE tenant_id = $1", self._place[1]
        )
        if found != expected:
            kind = "I1" if found < expected else "I2"
            self._run.broken.add(kind, f"{table} has {found} rows of the files, not {expected}")

    async def _check_people(self, connection: Connection, meant: set[frozenset[str]]) -> None:
        groups: dict[int, set[str]] = defaultdict(set)
        for row in await connection.fetch(
            "SELECT contact_id, normalized_value FROM contact.contact_identifier"
            " WHERE tenant_id = $1 AND deleted_at IS NULL",
            self._place[1],
        ):
            groups[row["contact_id"]].add(row["normalized_value"])
        held = {frozenset(one) for one in groups.values()}
        for one in meant - held:
            self._run.broken.add("I1", f"{min(one)}: in a file, but no contact")
        for one in held - meant:
            self._run.broken.add("I4", f"{min(one)}: {len(one)} values that no file has so")


def a_table(rows: int) -> bytes:
    """Write a table.

    Of ten rows eight are of somebody new, one says the row above again, and one says more of whom
    that was about.
    """
    lines = ["Name,Email,Phone,Title"]
    for number in range(rows):
        match number % 10:
            case 8:
                lines.append(lines[-1])
            case 9:
                lines.append(_row(number - 2, phone=_phone(number)))
            case _:
                lines.append(_row(number))
    return "\n".join([*lines, ""]).encode()


def _row(number: int, phone: str = "") -> str:
    return f"P{number} Q{number},p{number}@table.example,{phone},Title {number}"


def _phone(number: int) -> str:
    return f"+4915190{number:07d}"


def a_mailbox(letters: int) -> bytes:
    """Write a mailbox, each message of another sender."""
    return an_mbox(
        *(
            a_message(
                message_id=f"<{number}@chaos>",
                **{"from": f"P{number} R{number} <p{number}@mail.example>", "to": OWNER},
            )
            for number in range(letters)
        )
    )


def people(rows: int, letters: int) -> set[frozenset[str]]:
    """Return the identifiers of everybody whom the files tell of."""
    of_table = {
        frozenset({f"p{number}@table.example", *([_phone(number + 2)] if number % 10 == 7 else ())})
        for number in range(rows)
        if number % 10 < 8
    }
    return of_table | {frozenset({f"p{number}@mail.example"}) for number in range(letters)}
