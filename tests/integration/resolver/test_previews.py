"""What an import asks before and after: answered as the gate decides, and nothing written."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import orjson
import pytest

from kith.administration import create_key
from services.resolver.routes import create_http
from shared.auth import KeyRing
from shared.events.codec import encode
from shared.events.signal import NormalizedSignal
from tests.integration.resolver.conftest import Home, Resolver

EVERYTHING = "SELECT (SELECT count(*) FROM contact.contact), (SELECT count(*) FROM contact.outbox)"


class Asking:
    """A caller of the resolver's questions about imports."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def decisions(
        self, *signals: NormalizedSignal, context: tuple[NormalizedSignal, ...] = ()
    ) -> list[dict[str, Any]]:
        body = {
            "signals": [orjson.Fragment(encode(one)) for one in signals],
            "context": [orjson.Fragment(encode(one)) for one in context],
        }
        answer = await self.client.post("/v1/decisions", content=orjson.dumps(body))
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["decisions"]
        assert [one["signal_id"] for one in found] == [one.signal_id for one in signals]
        return found

    async def verdicts(self, *signals: NormalizedSignal) -> list[dict[str, Any]]:
        sent = [
            {
                "signal_id": one.signal_id,
                "record_key": one.record_key,
                "content_hash": one.content_hash,
            }
            for one in signals
        ]
        answer = await self.client.post("/v1/verdicts", json={"signals": sent})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["verdicts"]
        return found


@pytest.fixture
async def asking(home: Home, resolver: Resolver) -> AsyncIterator[Asking]:
    http = create_http()
    http.state.store = resolver.store
    http.state.keys = KeyRing(resolver.store._pool)
    connection = await asyncpg.connect(home.dsn("kith_cli"))
    key = await create_key(connection, home.workspace, "test", ["contacts:read"], None)
    await connection.close()
    transport = httpx.ASGITransport(app=http)
    async with httpx.AsyncClient(transport=transport, base_url="http://resolver") as client:
        client.headers["Authorization"] = f"Bearer {key.token}"
        yield Asking(client)


async def test_a_preview_says_what_the_gate_will_do_and_writes_nothing(
    home: Home, resolver: Resolver, asking: Asking
) -> None:
    """The same signals, sent afterwards, come to just what was said of them."""
    ada = resolver.a_signal("ada", email="ada@acme.io", title="Engineer")
    await resolver.resolve(ada)
    before = await home.fetch(EVERYTHING)
    rows = [
        resolver.a_signal("ada", email="ada@acme.io", title="Engineer", minutes=9),
        resolver.a_signal(
            "a", email="ada@acme.io", phone="+14155550100", source="apollo", title="Countess"
        ),
        resolver.a_signal("b", name="Bob Ross", email="bob@paint.io", source="csv_upload"),
        resolver.a_signal("c", name="Bob Ross", email="bob@paint.io", phone="+14155550199"),
        resolver.a_signal("d", name="Cy Young", email="ada@acme.io", source="csv_upload"),
    ]
    told = await asking.decisions(*rows)
    assert [one["class"] for one in told] == ["duplicate", "update", "new", "update", "conflict"]
    assert await home.fetch(EVERYTHING) == before
    contact = (await home.value("SELECT public_id FROM contact.contact"),)[0]
    assert [told[0]["contact"], told[1]["contact"], told[2]["contact"]] == [contact, contact, None]
    assert told[1]["changes"][0] == {
        "field": "job_title",
        "old": "Engineer",
        "old_source": "hubspot_crm",
        "new": "Countess",
        "source": "apollo",
    }
    assert told[1]["adds"] == [{"type": "phone_e164", "value": "+14155550100"}]
    assert (told[2]["creator"], told[3]["creator"]) == (rows[2].signal_id, rows[2].signal_id)
    [against] = told[4]["against"]
    assert (against["contact"], against["reason"]) == (contact, "names_in_conflict")
    values = {row["field"]: row for row in against["values"]}
    assert values["email"]["agrees"]
    assert not values["full_name"]["agrees"]
    assert values["full_name"]["theirs"] == ["Cy Young"]
    assert {one["value"] for one in values["full_name"]["mine"]} == {"Ada Lovelace"}
    assert {one["source"] for one in against["records"]} == {"apollo", "hubspot_crm"}

    assert {one["verdict"] for one in await asking.verdicts(*rows[1:])} == {"waiting"}
    await resolver.resolve(*rows)
    verdicts = await asking.verdicts(*rows)
    assert [one["verdict"] for one in verdicts] == [
        "unchanged",
        "updated",
        "created",
        "updated",
        "in_review",
    ]
    assert verdicts[0]["events"] == 0
    assert verdicts[1]["contact"] == contact
    assert verdicts[2]["contact"] == verdicts[3]["contact"] != contact
    assert verdicts[4]["with"] == [contact]


async def test_rows_are_seen_beside_those_before_them(resolver: Resolver, asking: Asking) -> None:
    """A row of the same file, in an earlier question, counts as decided."""
    first = resolver.a_signal("a", name="Bob Ross", email="bob@paint.io")
    second = resolver.a_signal("b", name="Bob Ross", email="bob@paint.io", phone="+14155550199")
    [alone] = await asking.decisions(second)
    [after] = await asking.decisions(second, context=(first,))
    assert (alone["class"], alone["creator"]) == ("new", second.signal_id)
    assert (after["class"], after["creator"]) == ("update", first.signal_id)


async def test_namesakes_are_shown_and_queued_and_never_merged(
    home: Home, resolver: Resolver, asking: Asking
) -> None:
    await resolver.resolve(resolver.a_signal("ada", email="ada@acme.io"))
    row = resolver.a_signal("x", name="ADA Lovelace", phone="+14155550100", source="csv_upload")
    [told] = await asking.decisions(row)
    [contact] = [one[0] for one in await home.fetch("SELECT public_id FROM contact.contact")]
    assert told["class"] == "new"
    assert told["alike"] == [{"contact": contact, "name": "Ada Lovelace"}]
    sent = row.model_copy(update={"possible_duplicates": (contact, "con_" + "0" * 26)})
    await resolver.resolve(sent)
    [verdict] = await asking.verdicts(sent)
    assert (verdict["verdict"], verdict["with"]) == ("in_review", [contact])
    assert await home.value("SELECT reason FROM contact.contact_dedup_candidates") == "same_name"


async def test_what_only_another_workspace_knows_stays_there(
    home: Home, resolver: Resolver, asking: Asking
) -> None:
    """The row is said to update somebody, and not whom, nor what is known of them."""
    beside = "wsp_" + "1" * 26
    await home.execute(
        "INSERT INTO app.workspace (public_id, tenant_id, name)"
        " SELECT $1, id, 'beside' FROM app.tenant LIMIT 1",
        beside,
    )
    await resolver.resolve(resolver.a_signal("ada", email="ada@acme.io", workspace=beside))
    row = resolver.a_signal("a", email="ada@acme.io", title="Countess", source="apollo")
    other = resolver.a_signal("b", name="Cy Young", email="ada@acme.io")
    told = await asking.decisions(row, other)
    assert [one["class"] for one in told] == ["update", "conflict"]
    assert (told[0]["contact"], told[0]["name"]) == (None, None)
    assert [one["field"] for one in told[0]["changes"] if one["old"]] == []
    assert told[1]["against"][0]["contact"] is None
    assert told[1]["against"][0]["values"] == told[1]["against"][0]["records"] == []
    assert b"Lovelace" not in orjson.dumps(told[1])
    elsewhere = row.model_copy(update={"workspace": beside})
    unknown = row.model_copy(update={"source": "no_such"})
    told = await asking.decisions(elsewhere, unknown)
    assert [one["class"] for one in told] == ["rejected", "rejected"]
    assert told[1]["reason"].startswith("source: ")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("decisions", b"{", 400),
        ("decisions", b'{"signals": 1}', 400),
        ("decisions", b'{"signals": [' + b"1," * 1_000 + b"1]}", 413),
        (
            "verdicts",
            b'{"signals": [{"signal_id": "s", "record_key": "x", "content_hash": ""}]}',
            422,
        ),
    ],
)
async def test_a_question_that_cannot_be_read_says_so(
    asking: Asking, path: str, body: bytes, status: int
) -> None:
    answer = await asking.client.post(f"/v1/{path}", content=body)
    assert answer.status_code == status
    assert answer.json()["detail"]
