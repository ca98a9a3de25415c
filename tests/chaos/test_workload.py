"""The workload says what it means to say, judged by ingest's own reading of it."""

from collections import Counter
from collections.abc import Mapping

import orjson
import pytest

from services.ingest.domain.draft import Draft
from services.ingest.domain.intake import read_arrival
from services.ingest.domain.mapping import to_draft
from services.ingest.domain.reading import read_body, refuse_large
from shared.errors import PoisonMessageError
from shared.kafka import Outgoing
from tests.chaos.workload import NAMED_SHARES, SHARES, Kind, Place, Workload, joined, make

PLACE = Place("ten_" + "0" * 26, "wsp_" + "0" * 26)
WORKLOAD = make(7, 4_000, PLACE)
NAMED = make(7, 4_000, PLACE, named=True)


def drafted(message: Outgoing) -> Draft:
    """Read a message as ingest does."""
    refuse_large(message.value)
    arrival = read_arrival(message.headers, message.value)
    signal, _ = read_body(arrival.data)
    return to_draft(signal, "US")


def identifiers(message: Outgoing) -> tuple[set[str], int]:
    """Return the identifiers of a message, and how many of its values were refused."""
    draft = drafted(message)
    return {f"{kind}:{value}" for kind, value in draft.identifiers}, len(draft.rejected)


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert make(7, 4_000, PLACE).fed == WORKLOAD.fed
    assert make(8, 4_000, PLACE).fed != WORKLOAD.fed


@pytest.mark.parametrize(("workload", "shares"), [(WORKLOAD, SHARES), (NAMED, NAMED_SHARES)])
def test_every_kind_has_its_share(workload: Workload, shares: Mapping[Kind, float]) -> None:
    counts = Counter(one.kind for one in workload.fed)
    for kind, share in shares.items():
        assert counts[kind] / len(workload.fed) == pytest.approx(share, rel=0.4)


@pytest.mark.parametrize("workload", [WORKLOAD, NAMED])
def test_what_is_valid_says_what_the_truth_says(workload: Workload) -> None:
    said: dict[str, set[str]] = {}
    for one in workload.fed:
        if one.kind == "poison":
            continue
        found, refused = identifiers(one.message)
        assert refused == (2 if one.mark in workload.unparseable else 0)
        said.setdefault((one.message.key or b"").decode(), set()).update(found)
    assert said == {one.name: set(one.identifiers) for one in workload.records}


@pytest.mark.parametrize("workload", [WORKLOAD, NAMED])
def test_what_is_new_to_the_ledger_says_what_was_not_said_before(workload: Workload) -> None:
    said: dict[bytes, object] = {}
    for one in workload.fed:
        if one.kind not in {"poison", "repeat"}:
            key, facts = one.message.key or b"", drafted(one.message).facts
            assert said.get(key) != facts
            said[key] = facts


def test_records_of_one_name_are_one_person() -> None:
    people: dict[str, set[str]] = {}
    for one in NAMED.fed:
        if one.kind != "poison":
            body = orjson.loads(one.message.value or b"")
            name = f"{body['first_name']} {body['last_name']}"
            people.setdefault(name, set()).add(body["source_record_id"])
    assert sum(len(records) > 1 for records in people.values()) > 500
    known = {one.name for one in NAMED.records}
    together = {frozenset(group & known) for group in NAMED.partition()}
    assert set(map(frozenset, people.values())) == together


def test_what_is_poison_is_refused() -> None:
    assert len(WORKLOAD.poison) > 10
    for message in WORKLOAD.poison.values():
        with pytest.raises(PoisonMessageError):
            identifiers(message)


def test_groups_with_a_common_member_are_one() -> None:
    assert joined([("a", "1"), ("b", "2"), ("c", "1", "2"), ("d", "3")]) == {
        frozenset("abc12"),
        frozenset("d3"),
    }
