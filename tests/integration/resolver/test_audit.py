"""`kith audit`: what another tool finds in the whole base waits for people, with our evidence."""

import httpx
import pytest

from tests.integration.resolver.conftest import Home, Resolver, Terminal

TWINS = (
    {"name": "Ottoline Vandyke", "company": "Harbour Lights", "title": "Lighthouse keeper"},
    {"name": "Ignatius Quillfeather", "company": "Quill and Feather", "title": "Poet"},
)


async def fill(resolver: Resolver) -> None:
    """Let every twin be two contacts, and others be around, none of them compared yet."""
    words = (
        "amber",
        "birch",
        "cedar",
        "delta",
        "ember",
        "fjord",
        "grove",
        "heath",
        "islet",
        "jade",
    )
    signals = [
        resolver.a_signal(
            f"other-{one}-{other}",
            name=f"{one.title()} {other.title()}son",
            email=f"{one}.{other}@{other}.example",
            company=f"{other.title()} {one.title()} Works",
            title=f"{one.title()} keeper",
        )
        for one in words
        for other in words
    ]
    signals += [
        resolver.a_signal(f"t{number}{side}", email=f"{side}{number}@{side}.example", **said)
        for number, said in enumerate(TWINS)
        for side in ("left", "right")
    ]
    await resolver.resolve(*signals)


async def test_findings_wait_for_people_and_are_not_put_up_twice(
    home: Home, resolver: Resolver, terminal: Terminal
) -> None:
    await fill(resolver)
    looked = await terminal.kith("audit", "--look", "--least", "0.9")
    assert looked.exit_code == 0, looked.output
    assert "104 contacts looked at, 2 pairs from 0.90 on" in looked.output
    assert await home.value("SELECT count(*) FROM contact.contact_dedup_candidates") == 0
    done = await terminal.kith("audit", "--least", "0.9")
    assert "2 wait in the review queue now" in done.output
    rows = await home.fetch(
        "SELECT reason, similarity_score >= 90 AS is_sure, status::text, decision_id IS NOT NULL"
        " AS is_explained FROM contact.contact_dedup_candidates"
    )
    assert [tuple(row) for row in rows] == [("audit", True, "open", True)] * 2
    assert (
        await home.value(
            "SELECT count(*) FROM contact.contact_event WHERE event_type = 'MergeProposed'"
        )
        == 4
    )

    (first, second) = await terminal.read("review", "list")
    (case,) = await terminal.read("review", "show", str(first["number"]))
    assert case["evidence"]["exact"]
    await terminal.kith("review", "approve", str(first["number"]))
    await terminal.kith("review", "reject", str(second["number"]))
    again = await terminal.kith("audit", "--least", "0.9")
    assert "103 contacts looked at, 1 pairs" in again.output
    assert "1 were in the queue before" in again.output
    assert await home.value("SELECT count(*) FROM contact.contact_dedup_candidates") == 2


async def test_findings_about_what_is_gone_or_one_are_counted(
    home: Home, resolver: Resolver, terminal: Terminal
) -> None:
    await resolver.resolve(resolver.a_signal("r1", email="ada@acme.io", name="Ada Lovelace"))
    name = await home.value("SELECT public_id FROM contact.contact")
    headers = {"Authorization": f"Bearer {terminal.key}"}
    async with httpx.AsyncClient(base_url=terminal.url, headers=headers) as client:
        said = {
            "findings": [
                {"contacts": [name, name], "score": 1.0},
                {"contacts": [name, "con_" + "0" * 26], "score": 0.9},
            ]
        }
        told = (await client.post("/v1/audits", json=said)).json()
        assert (told["one_contact"], told["unknown"], told["put_up"]) == (1, 1, 0)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[]", 400),
        (b'{"findings": [{"contacts": ["a"], "score": 1}]}', 400),
        (b'{"findings": [{"contacts": ["a", "b"], "score": 2}]}', 422),
        (b'{"findings": [' + b'{"contacts": ["a", "b"], "score": 1},' * 500
         + b'{"contacts": ["a", "b"], "score": 1}]}', 413),
    ],
)  # fmt: skip
async def test_findings_that_cannot_be_read_are_refused(
    terminal: Terminal, body: bytes, status: int
) -> None:
    headers = {"Authorization": f"Bearer {terminal.key}"}
    async with httpx.AsyncClient(base_url=terminal.url, headers=headers) as client:
        assert (await client.post("/v1/audits", content=body)).status_code == status
