"""The workload says what it means to say, judged by ingest's own reading of it."""

from collections import Counter

import pytest

from services.ingest.domain.intake import read_arrival
from services.ingest.domain.mapping import to_draft
from services.ingest.domain.reading import read_body, refuse_large
from shared.errors import PoisonMessageError
from shared.kafka import Outgoing
from tests.chaos.workload import SHARES, Place, joined, make

PLACE = Place("ten_" + "0" * 26, "wsp_" + "0" * 26)
WORKLOAD = make(7, 4_000, PLACE)


def identifiers(message: Outgoing) -> tuple[set[str], int]:
    """Read a message as ingest does; return its identifiers, and how many values were refused."""
    refuse_large(message.value)
    arrival = read_arrival(message.headers, message.value)
    signal, _ = read_body(arrival.data)
    draft = to_draft(signal, "US")
    return {f"{kind}:{value}" for kind, value in draft.identifiers}, len(draft.rejected)


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert make(7, 4_000, PLACE).fed == WORKLOAD.fed
    assert make(8, 4_000, PLACE).fed != WORKLOAD.fed


def test_every_kind_has_its_share() -> None:
    counts = Counter(one.kind for one in WORKLOAD.fed)
    for kind, share in SHARES.items():
        assert counts[kind] / len(WORKLOAD.fed) == pytest.approx(share, rel=0.4)


def test_what_is_valid_says_what_the_truth_says() -> None:
    said: dict[str, set[str]] = {}
    for one in WORKLOAD.fed:
        if one.kind == "poison":
            continue
        found, refused = identifiers(one.message)
        assert refused == (2 if one.mark in WORKLOAD.unparseable else 0)
        said.setdefault((one.message.key or b"").decode(), set()).update(found)
    assert said == {one.name: set(one.identifiers) for one in WORKLOAD.records}


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
