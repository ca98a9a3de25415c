"""Every kind of bad input among good neighbours: a reason for each, and nothing lost."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import orjson
import pytest

from shared.events import topics
from shared.kafka.dead_letter_log import read_dead_letters
from tests.e2e.running import Headers, Home, Running, until

pytestmark = pytest.mark.stack

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Bad:
    """Something that no one can take, and what its sender is told."""

    name: str
    reason: str
    field: str = ""
    says: str = ""
    """Part of the detail: what would be right."""
    body: bytes | None = None
    fields: dict[str, Any] | None = None
    """Fields of an otherwise good signal."""
    header: tuple[str, bytes] | None = None
    """A header of an otherwise good message."""

    @property
    def value(self) -> bytes:
        """The message's value."""
        return self.body if self.body is not None else orjson.dumps(a_signal(**self.fields or {}))


def a_signal(**fields: Any) -> dict[str, Any]:
    said = {"source": "hubspot_crm", "full_name": "Emmy Noether", **fields}
    return {name: value for name, value in said.items() if value is not ...}


def nested(depth: int) -> bytes:
    return b'{"source": "hubspot_crm", "full_name": "E", "x": ' + b"[" * depth + b"]" * depth + b"}"


FIELDS = (
    Bad("a number for a name", "invalid", "full_name", "string", fields={"full_name": 7}),
    Bad(
        "an object for a list", "invalid", "emails", "list", fields={"emails": {"value": "e@x.org"}}
    ),
    Bad("text for an e-mail", "invalid", "emails.0", "object", fields={"emails": ["e@x.org"]}),
    Bad("no source", "invalid", "source", "required", fields={"source": ...}),
    Bad("a source of no form", "invalid", "source", "hubspot_crm", fields={"source": "Hub Spot!"}),
    Bad("NUL in a value", "invalid", "last_name", "NUL", fields={"last_name": "Noe\0ther"}),
    Bad("NUL in an unknown field", "invalid", "", "NUL", fields={"shoe": {"size": "4\x000"}}),
    Bad("an absurd length", "invalid", "full_name", "255", fields={"full_name": "E" * 300}),
    Bad("too many values", "invalid", "websites", "50", fields={"websites": ["x.org"] * 51}),
    Bad("a day that is none", "invalid", "birthday", "1815-12-10", fields={"birthday": "soon"}),
    Bad("certain beyond doubt", "invalid", "confidence", "1", fields={"confidence": 3.5}),
    Bad(
        "nothing but an e-mail that is none",
        "invalid",
        "emails.0.value",
        "@",
        fields={"full_name": ..., "emails": [{"value": "emmy at goettingen"}]},
    ),
    Bad(
        "nothing but a number that is none",
        "invalid",
        "phones.0.value",
        "",
        fields={"full_name": ..., "phones": [{"value": "12"}]},
    ),
    Bad("nobody", "invalid", "", "name", fields={"full_name": ...}),
    Bad("too large", "too_large", "", "65536", fields={"note_to_self": "x" * 70_000}),
    Bad("nested too deeply", "malformed", "", "64", body=nested(100)),
)
"""Bad either way."""

BODIES = (
    Bad("broken JSON", "malformed", "", "JSON", body=b'{"source": "hubspot_crm", "full_name": '),
    Bad("not UTF-8", "malformed", "", "UTF-8", body=b'{"full_name": "\xff\xfe"}'),
    Bad("a depth bomb", "malformed", "", "", body=nested(20_000)),
    Bad("half a character", "malformed", "", "JSON", body=b'{"full_name": "E\\ud800"}'),
    Bad("a list", "malformed", "", "object", body=b"[1, 2]"),
    Bad("nothing", "malformed", "", "JSON", body=b""),
    Bad("1 MB", "too_large", "", "65536", fields={"note_to_self": "x" * MB}),
)
"""Bad as a message."""

IN_THREE_DAYS = (datetime.now(UTC) + timedelta(days=3)).isoformat().encode()
ENVELOPES = (
    Bad(
        "version 9",
        "unknown_version",
        "ce_type",
        "v1",
        header=("ce_type", b"kith.signal.contact.v9"),
    ),
    Bad(
        "CloudEvents 0.3",
        "unknown_version",
        "ce_specversion",
        "1.0",
        header=("ce_specversion", b"0.3"),
    ),
    Bad("from the future", "invalid", "ce_time", "24 hours", header=("ce_time", IN_THREE_DAYS)),
    Bad("a time that is none", "invalid", "ce_time", "RFC 3339", header=("ce_time", b"yesterday")),
    Bad(
        "a header that is not UTF-8",
        "malformed",
        "ce_tenant",
        "UTF-8",
        header=("ce_tenant", b"\xff\xfe"),
    ),
    Bad("no id", "invalid", "ce_id", "required", header=("ce_id", b"")),
    Bad(
        "a tenant of nowhere",
        "unknown_tenant",
        "workspace",
        "",
        header=("ce_tenant", b"ten_" + b"0" * 26),
    ),
)
"""Bad headers."""

SENT = (*FIELDS, *BODIES, *ENVELOPES)


def a_message(home: Home, bad: Bad) -> tuple[bytes, Headers]:
    headers = dict([*home.headers(), ("test_name", bad.name.encode())])
    if bad.header:
        headers[bad.header[0]] = bad.header[1]
    return bad.value, list(headers.items())


def good(number: int) -> dict[str, Any]:
    return a_signal(source_record_id=f"good-{number}", full_name=f"Sofia Number{number:03d}")


async def applied(running: Running, home: Home) -> set[str]:
    """Return the ids of the source records that the ledger of a workspace holds."""
    connection = await asyncpg.connect(running.stack.postgres_dsn("postgres"))
    try:
        rows = await connection.fetch(
            "SELECT r.source_record_id FROM contact.source_record r"
            " JOIN app.workspace w ON w.id = r.workspace_id WHERE w.public_id = $1",
            home.workspace,
        )
    finally:
        await connection.close()
    return {row["source_record_id"] for row in rows}


def check_told(bad: Bad, told: dict[str, Any]) -> None:
    assert told["reason"] == bad.reason, (bad.name, told)
    assert bad.field in told["field"], (bad.name, told)
    assert bad.says in told["detail"], (bad.name, told)
    assert told["detail"], bad.name


async def test_each_signal_of_a_push_has_a_verdict_of_its_own(running: Running) -> None:
    """Fed = applied + rejected; each verdict says the reason, the field and what would be right."""
    home = await running.home()
    body, expected = [], {}
    for number, bad in enumerate(FIELDS):
        body += [good(number), orjson.loads(bad.value)]
        expected[2 * number + 1] = bad
    answer = await running.push(home, body)
    assert answer.status_code == 202, answer.text
    report = answer.json()
    assert (report["accepted"], report["rejected"]) == (len(FIELDS), len(FIELDS))
    for verdict in report["signals"]:
        refused = expected.get(verdict["index"])
        assert verdict["status"] == ("accepted" if refused is None else "rejected")
        if refused is not None:
            check_told(refused, verdict["error"])
    wanted = {f"good-{number}" for number in range(len(FIELDS))}

    async def all_applied() -> bool:
        return await applied(running, home) == wanted

    await until(all_applied)


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b'{"source": ', 400, "malformed"),
        (b'{"full_name": "\xff"}', 400, "malformed"),
        (b"[" * 20_000 + b"]" * 20_000, 400, "malformed"),
        (b"7", 400, "malformed"),
        (b"[]", 422, "invalid"),
        (b"[" + b",".join([b"{}"] * 1_001) + b"]", 413, "too_large"),
        (b'{"x": "' + b"x" * 20 * MB + b'"}', 413, "too_large"),
    ],
    ids=["broken", "not-utf8", "depth-bomb", "a-number", "empty", "too-many", "too-large"],
)
async def test_a_request_that_cannot_be_read_is_refused_whole(
    running: Running, body: bytes, status: int, reason: str
) -> None:
    home = await running.home()
    answer = await running.push(home, body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["reason"] == reason
    assert answer.json()["detail"]


async def test_what_can_be_understood_is_taken(running: Running) -> None:
    """A value that does not parse is left out with a word; unknown fields are kept as they came."""
    home = await running.home()
    signal = a_signal(
        source_record_id="half",
        emails=[{"value": "emmy at goettingen"}, {"value": "emmy@noether.example"}],
        phones=[{"value": "12"}],
        shoe={"size": [40, 41]},
    )
    answer = await running.push(home, signal)
    verdict = answer.json()["signals"][0]
    assert verdict["status"] == "accepted"
    assert {one["field"] for one in verdict["warnings"]} == {"emails.0.value", "phones.0.value"}
    contact = await running.find_one(home, "Noether")
    said = (await running.contact(home, contact, verdict["position"]))["attributes"]
    assert said["emails"] == ["emmy@noether.example"]
    assert said["phones"] == []
    connection = await asyncpg.connect(running.stack.postgres_dsn("postgres"))
    try:
        raw = await connection.fetchval(
            "SELECT r.raw::text FROM contact.source_record r JOIN app.workspace w"
            " ON w.id = r.workspace_id WHERE w.public_id = $1",
            home.workspace,
        )
    finally:
        await connection.close()
    assert orjson.loads(raw)["shoe"] == {"size": [40, 41]}


async def test_bad_messages_are_set_aside_among_good_neighbours(running: Running) -> None:
    """Fed = applied + set aside, byte for byte; `kith dead` lists, replays and drops them."""
    home = await running.home()
    known = {letter["id"] for letter in await running.dead_letters()}
    messages = []
    for number, bad in enumerate(SENT):
        messages.append((orjson.dumps(good(number)), home.headers()))
        messages.append(a_message(home, bad))
    await running.publish(messages)
    wanted = {f"good-{number}" for number in range(len(SENT))}

    async def all_settled() -> list[dict[str, Any]] | None:
        letters = [one for one in await running.dead_letters() if one["id"] not in known]
        done = len(letters) >= len(SENT) and await applied(running, home) == wanted
        return letters if done else None

    letters = {one["id"]: one for one in await until(all_settled)}
    assert len(letters) == len(SENT)
    kept = {
        letter.id: letter.replayed()
        async for letter in read_dead_letters(
            running.kafka, [topics.SIGNALS.dead_letters("ingest")]
        )
    }
    sent = {dict(headers)["ce_id"]: (value, headers) for value, headers in messages[1::2]}
    for place, told in letters.items():
        original, headers = kept[place], dict(kept[place].headers)
        bad = next(one for one in SENT if one.name.encode() == headers["test_name"])
        check_told(bad, told)
        assert (original.value, original.headers) == sent[headers["ce_id"] or b""], bad.name
        assert told["origin"]["topic"] == original.topic == topics.SIGNALS.name
        assert told["bytes"] == len(bad.value)
    shown = await running.kith("dead", "show", next(iter(letters)), "--with-body")
    assert orjson.loads(shown)["body"]


async def test_a_dead_letter_is_replayed_after_the_fix_or_dropped(running: Running) -> None:
    """A workspace that was not known yet: once it is made, the same message is applied."""
    home = await running.home()
    later = f"wsp_{home.workspace[4:-4]}ZZZZ"
    known = {letter["id"] for letter in await running.dead_letters()}

    async def new_letters(count: int) -> list[dict[str, Any]] | None:
        letters = [one for one in await running.dead_letters() if one["id"] not in known]
        return letters if len(letters) == count else None

    early = [(k, later.encode() if k == "ce_workspace" else v) for k, v in home.headers()]
    await running.publish([(orjson.dumps(good(0)), early), (b"{", home.headers())])

    async def two() -> list[dict[str, Any]] | None:
        return await new_letters(2)

    by_reason = {one["reason"]: one["id"] for one in await until(two)}
    assert by_reason.keys() == {"unknown_tenant", "malformed"}
    said = await running.kith("dead", "replay", by_reason["unknown_tenant"], "--dry-run")
    assert said.startswith("would send")

    connection = await asyncpg.connect(running.stack.postgres_dsn("kith_cli"))
    try:
        await connection.execute(
            "INSERT INTO app.workspace (public_id, tenant_id, name)"
            " SELECT $1, id, 'later' FROM app.tenant WHERE public_id = $2",
            later,
            home.tenant,
        )
    finally:
        await connection.close()
    assert "sent 1 of 1" in await running.kith("dead", "replay", by_reason["unknown_tenant"])
    new = Home(home.tenant, later, "")

    async def arrived() -> bool:
        return await applied(running, new) == {"good-0"}

    await until(arrived)
    await running.kith("dead", "drop", by_reason["malformed"], "--why", "sent by a test")
    assert await new_letters(0) == []
    resolved = await running.dead_letters("--resolved")
    done = {one["id"]: one["resolution"] for one in resolved if one["id"] not in known}
    assert done == {by_reason["unknown_tenant"]: "replayed", by_reason["malformed"]: "dropped"}
