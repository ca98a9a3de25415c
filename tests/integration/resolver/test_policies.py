"""What a tenant decides by: shown, tried on history, changed, taken back; weights learned."""

from typing import Any

import asyncpg
import httpx
import orjson

from kith.administration import create_key
from services.resolver.domain.matching.weights import default_weights, to_document
from shared.auth import Place
from shared.events.command import ApproveMerge, RejectMerge
from shared.identifiers.ulids import ulids
from tests.integration.resolver.conftest import Home, Resolver, Terminal
from tests.integration.resolver.test_matching import Matched
from tests.support.signals import MOMENT, digest

EACH = 26
"""Pairs that people approve, and that they reject."""

LETTERS = "abcdefghijklmnopqrstuvwxyz"


async def put_up(home: Home, resolver: Resolver) -> list[tuple[str, str, bool]]:
    """Put pairs up for review; those whose titles agree are one person, those of one city not."""
    signals = []
    for number in range(2 * EACH):
        word = LETTERS[number % 26] * 2 + LETTERS[number // 26] + LETTERS[-1 - number % 26] * 3
        for side in (0, 1):
            said: dict[str, Any] = {"title": f"{word} keeper"}
            if number % 2:
                said = {
                    "title": f"{word} keeper" if side else digest(number).hex(),
                    "addresses": ({"city": f"Port {word}"},),
                }
            name = f"Ottoline{word} Van{word}dyke"
            signals.append(resolver.a_signal(f"r{number}.{side}", name=name, **said))
    matched = Matched(home, resolver)
    await resolver.resolve(*signals)
    await matched.match()
    rows = await home.fetch(
        "SELECT a.public_id AS one, b.public_id AS other, c.evidence"
        " FROM contact.contact_dedup_candidates c"
        " JOIN contact.contact a ON a.id = c.contact_id_a"
        " JOIN contact.contact b ON b.id = c.contact_id_b WHERE c.status = 'open' ORDER BY c.id"
    )
    titles = [
        {one["signal"]: one["level"] for one in orjson.loads(row["evidence"])}["title"]
        for row in rows
    ]
    return [
        (row["one"], row["other"], title == "equal")
        for row, title in zip(rows, titles, strict=True)
    ]


async def place_of(resolver: Resolver) -> Place:
    return await resolver.store.directory.resolve(resolver.tenant, resolver.workspace)


async def judge(resolver: Resolver, pairs: list[tuple[str, str, bool]]) -> None:
    """Decide pairs as people did."""
    place = await place_of(resolver)
    for (one, other, is_one), ulid in zip(pairs, ulids(len(pairs)), strict=True):
        model = ApproveMerge if is_one else RejectMerge
        command = model(
            command_id=f"cmd_{ulid}",
            tenant=place.tenant,
            workspace=place.workspace,
            issued_at=MOMENT,
            contact_id=one,
            other_id=other,
        )
        await resolver.store.judge(command, place)


async def test_thresholds_are_shown_tried_changed_and_conflicts_told(
    home: Home, resolver: Resolver, terminal: Terminal
) -> None:
    shown = await terminal.kith("thresholds", "show")
    assert "the release's, never changed" in shown.output
    assert "0.9500" in shown.output

    pairs = await put_up(home, resolver)
    assert len(pairs) >= 2 * EACH
    tried = await terminal.kith("thresholds", "try", "--review", "0.9", "--flag", "0.9")
    assert tried.exit_code == 0, tried.output
    assert f"{len(pairs)} would leave review: in review → left apart" in tried.output
    assert pairs[-1][0] in tried.output
    (document,) = await terminal.read("thresholds", "try", "--flag", "0.3")
    # What the machine would be sure enough of is still no evidence for a merge by itself.
    assert ("review", "review") in {(one["then"], one["now"]) for one in document["changes"]}
    assert all(one["then"] == one["now"] for one in document["changes"])

    changed = await terminal.kith("thresholds", "set", "--merge", "0.97", "--review", "0.3")
    assert (changed.exit_code, "version 1, for later matches" in changed.output) == (0, True)
    (settings,) = await terminal.read("thresholds", "show")
    assert settings["thresholds"] == {"merge": 0.97, "merge_and_flag": 0.6, "review": 0.3}
    policy = (await place_of(resolver)).tenant_id
    async with resolver.store.transaction() as tx:
        found = (await tx.matching.find_policies([policy]))[policy]
    assert found.matcher.thresholds.merge == 0.97

    refused = await terminal.kith("thresholds", "set", "--merge", "0.5")
    assert refused.exit_code == 1
    assert "must rise: review, then merge_and_flag, then merge" in refused.stderr
    assert (await terminal.kith("thresholds", "set")).exit_code == 2
    assert (await terminal.kith("thresholds", "try")).exit_code == 2


async def test_weights_are_learned_from_review_tried_used_and_taken_back(
    home: Home, resolver: Resolver, terminal: Terminal
) -> None:
    few = await terminal.kith("weights", "train")
    assert few.exit_code == 1
    assert "0 pairs that match and 0 that do not" in few.stderr

    pairs = await put_up(home, resolver)
    ones = sum(is_one for *_, is_one in pairs)
    assert ones == EACH
    await judge(resolver, pairs)
    learned = await terminal.kith("weights", "train", "--look")
    assert learned.exit_code == 0, learned.output
    assert await home.value("SELECT count(*) FROM contact.match_weights") == 0
    kept = await terminal.kith("weights", "train")
    assert f"{ones} pairs that match and {len(pairs) - ones} that do not" in kept.output
    assert "kept as version 1" in kept.output
    (version,) = await terminal.read("weights", "list")
    assert version["learned_from"]["from"] == "review"
    assert version["learned_from"]["loss_after"] < version["learned_from"]["loss_before"]
    (document,) = await terminal.read("weights", "show", "1")
    assert document["version"] == "learned-1"
    assert "differ from the release's" in (await terminal.kith("weights", "show", "1")).output
    assert document["levels"]["title"]["equal"][0] > default_weights().levels["title", "equal"].bits

    tried = await terminal.kith("weights", "try", "1")
    assert "people have decided them" in tried.output
    assert "weights 1 are in force" in (await terminal.kith("weights", "use", "1")).output
    listed = (await terminal.kith("weights", "list")).output.splitlines()
    assert listed[0].startswith("*    1")
    matched = Matched(home, resolver)
    for side in ("a", "b"):
        await matched.resolve(
            f"late-{side}",
            name="Philippa Quillfeather",
            email=f"{side}{side}pq@quill{side}.example",
            title="Lighthouse keeper",
            company="Quill and Feather",
        )
    scored = await home.fetch(
        "SELECT weights_version, scorer::text FROM contact.match_decision ORDER BY id DESC LIMIT 1"
    )
    assert [tuple(row) for row in scored] == [(1, "evidence")]
    back = await terminal.kith("weights", "use", "release")
    assert back.exit_code == 0
    assert (await terminal.read("thresholds", "show"))[0]["weights_version"] is None
    assert (await terminal.kith("weights", "use", "7")).exit_code == 1
    assert (await terminal.kith("weights", "use", "newest")).exit_code == 2
    assert (await terminal.kith("weights", "show", "7")).exit_code == 1


async def test_a_decision_that_was_undone_teaches_the_opposite(
    home: Home, resolver: Resolver
) -> None:
    (pair, *_) = [one for one in await put_up(home, resolver) if one[2]]
    await judge(resolver, [pair])
    place = await place_of(resolver)
    async with resolver.store.transaction() as tx:
        (label,) = await tx.policies(place.tenant_id).find_labels(10)
    assert label.is_match
    await judge(resolver, [(pair[0], pair[1], False)])
    async with resolver.store.transaction() as tx:
        labels = await tx.policies(place.tenant_id).find_labels(10)
    assert [one.is_match for one in labels] == [True]


async def test_who_asks_over_http_needs_the_scope_and_the_newest_version(
    home: Home, terminal: Terminal
) -> None:
    reader = await key_for(home, "contacts:read")
    writer = await key_for(home, "contacts:write")
    async with httpx.AsyncClient(base_url=terminal.url) as client:

        async def send(method: str, path: str, key: str, body: object = None) -> httpx.Response:
            headers = {"Authorization": f"Bearer {key}"}
            return await client.request(method, path, json=body, headers=headers)

        told = (await send("GET", "/v1/matching", reader)).json()
        assert (told["version"], told["scorer"], told["weights"]) == (0, "evidence", [])
        wish = {"thresholds": {"merge": 0.99}, "expected": 0}
        assert (await send("PUT", "/v1/matching", reader, wish)).status_code == 403
        assert (await send("PUT", "/v1/matching", writer, wish)).json()["version"] == 1
        assert (await send("PUT", "/v1/matching", writer, wish)).status_code == 409
        other = {"weights": to_document(default_weights()), "tenant": "ten_" + "0" * 26}
        assert (await send("POST", "/v1/matching/weights", writer, other)).status_code == 409
        broken = {"weights": {"prior": "much"}}
        refused = await send("POST", "/v1/matching/weights", writer, broken)
        assert (refused.status_code, refused.json()["field"]) == (422, "weights.prior")
        unknown = await send("PUT", "/v1/matching", writer, {"weights_version": 3})
        assert (unknown.status_code, unknown.json()["field"]) == (422, "weights_version")


async def key_for(home: Home, scope: str) -> str:
    connection = await asyncpg.connect(home.dsn("kith_cli"))
    try:
        return (await create_key(connection, home.workspace, "test", [scope], None)).token
    finally:
        await connection.close()
