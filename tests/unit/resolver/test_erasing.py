"""What is left of an event names nobody, still parses, and still folds."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.resolver.domain.cluster import Cluster, Order
from services.resolver.domain.erasing import (
    Rewriting,
    Told,
    hollowed,
    records_of,
    relatives_of,
    tell_erasure,
    without_person,
)
from services.resolver.domain.homes import Merge
from services.resolver.domain.model import Contact
from shared.events import topics
from shared.events.codec import parse_event
from shared.events.contact import CompanyEvent
from shared.events.fold import fold
from tests.support.merging import some_ids
from tests.support.signals import MOMENT as NOW
from tests.support.signals import TENANT

EXAMPLES = Path(__file__).parents[2] / "contract" / "examples" / "contact.events.v1"
TYPES = {model.__name__: name for name, model in topics.EVENTS.messages.items()}
ORDER = "cmd_" + "0" * 26
RECORD, OTHER_RECORD = "a" * 32, "b" * 32
GONE, LEFT = "con_" + "1" * 26, "con_" + "2" * 26
MOMENT = "2026-01-31T12:00:00Z"
HARMLESS = (
    *("con_", "cmp_", "cmd_", "mrg_", "act_", "wsp_", "2026-", "erased"),
    *("active", "merged", "archived", "incomplete", "person", "machine"),
    *("hubspot_crm", "apollo", "csv_upload", "email_sync", "crm-direct", "0f0f"),
    *("email", "phone_e164", "linkedin_urn", "import_retracted", "shared", "dropped"),
)
"""Beginnings of what may be left: ids, times, keyed digests, words of fixed lists."""


def examples() -> Iterator[tuple[str, Told]]:
    for path in sorted(EXAMPLES.glob("kith.contact.*.json")):
        message = orjson.loads(path.read_bytes())
        kind = topics.EVENTS.messages[message["headers"]["ce_type"]].__name__
        yield path.stem, Told(1, message["data"]["version"], kind, message["data"])


def leaves(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for one in value.values():
                yield from leaves(one)
        case list():
            for one in value:
                yield from leaves(one)
        case str():
            yield value


@pytest.mark.parametrize(("name", "event"), list(examples()), ids=lambda one: str(one)[:40])
def test_nothing_is_left_that_tells_who_it_was(name: str, event: Told) -> None:
    left = hollowed(event, ORDER)
    for value in leaves(left.body):
        fixed = left.kind in ("MergeProposed", "ActivityWithdrawn") and value == left.body["reason"]
        hexadecimal = len(value) == 32 and set(value) <= set("0123456789abcdef")
        assert fixed or hexadecimal or value.startswith(HARMLESS), f"{name}: {value}"
    parsed = parse_event(TYPES[left.kind], orjson.dumps(left.body))
    assert not isinstance(parsed, CompanyEvent)
    assert parsed.version == event.version
    assert hollowed(left, ORDER) == left


def told(version: int, kind: str, contact: int = 1, **body: Any) -> Told:
    name = {1: LEFT, 2: GONE}[contact]
    common = {"contact_id": name, "version": version, "occurred_at": MOMENT, "cause": "sig"}
    return Told(contact, version, kind, common | body)


def asserted(record: str, **facts: Any) -> dict[str, Any]:
    return {
        "source": "csv_upload",
        "source_record": record,
        "asserted_at": MOMENT,
        "facts": facts,
    }


def a_merged_past() -> list[Told]:
    """Write down a contact that took somebody in, learned of them, and let them go."""
    shape = {"status": "active", "fields": {"first_name": "Ada"}}
    theirs = {"status": "active", "fields": {"first_name": "Zelda"}}
    merged: dict[str, Any] = {
        "merge_id": "mrg_" + "0" * 26,
        "survivor_id": LEFT,
        "absorbed_id": GONE,
    }
    split: dict[str, Any] = {"merge_id": "mrg_" + "0" * 26, "original_id": LEFT, "new_id": GONE}
    here: dict[str, Any] = {"workspace": "wsp_" + "0" * 26}
    return [
        told(
            1,
            "ContactCreated",
            source="csv_upload",
            status="active",
            asserted=asserted(RECORD, first_name="Ada"),
            **here,
        ),
        told(2, "BindingChanged", notes="Ada's", **here),
        told(3, "ContactsMerged", decided_by="person", reason="Zelda", shape=theirs, **merged),
        told(4, "BindingChanged", notes="Ada's and Zelda's", **here),
        told(5, "FactAsserted", asserted=asserted(OTHER_RECORD, first_name="Zelda")),
        told(
            6,
            "ContactsSplit",
            shape=shape,
            identifiers_moved=[{"type": "email", "value": "zelda@x"}],
            **split,
        ),
        told(7, "BindingChanged", notes="Ada's", **here),
    ]


def test_a_history_with_somebody_erased_is_cut_out_and_nothing_else_changes() -> None:
    events = a_merged_past()
    made = without_person(events, [bytes.fromhex(OTHER_RECORD)], [GONE], ORDER)
    assert made
    assert made.before == 7
    assert [one.version for one in made.events] == [3, 4, 5, 6]
    assert b"elda" not in orjson.dumps([one.body for one in made.events])
    after = {one.version: one for one in [*events, *made.events]}
    states = [
        fold(
            None,
            [
                parse_event(TYPES[one.kind], orjson.dumps(one.body))  # type: ignore[misc]
                for one in history
            ],
        )
        for history in (events, [after[version] for version in sorted(after)])
    ]
    assert states[0] == states[1]


def test_a_history_that_never_told_of_the_person_stays_as_it_is() -> None:
    assert without_person(a_merged_past()[:2], [bytes.fromhex(OTHER_RECORD)], [GONE], ORDER) is None


def test_events_name_their_records_and_whom_they_were_one_with() -> None:
    events = a_merged_past()
    assert records_of(events) == {bytes.fromhex(RECORD), bytes.fromhex(OTHER_RECORD)}
    assert relatives_of(events) == {LEFT, GONE}


def test_whoever_waited_for_a_decision_is_told_that_the_person_is_gone() -> None:
    """The other end of the pair is told where it is now: another contact stands for it."""
    cluster = Cluster(
        1,
        TENANT,
        contacts={
            1: Contact(1, GONE, 1, 3, "active"),
            2: Contact(2, LEFT, 1, 8, "active"),
            3: Contact(3, "con_" + "3" * 26, 1, 2, "merged"),
        },
        merges=[Merge("mrg_" + "0" * 26, survivor=2, absorbed=3)],
        candidates={(1, 3), (2, 4)},
        names={1: GONE, 2: LEFT, 3: "con_" + "3" * 26, 4: "con_" + "4" * 26},
    )
    order = Order(ORDER, some_ids(), NOW, NOW)
    plan = tell_erasure(cluster, {1}, {2: Rewriting([], before=7)}, order)
    assert [
        (type(one.event).__name__, one.entity_id, one.event.version) for one in plan.events
    ] == [("ContactDeleted", 1, 4), ("MergeWithdrawn", 2, 9), ("HistoryErased", 2, 10)]
    assert plan.positions == {GONE: 4, LEFT: 10}
    assert cluster.contacts[1].status == "deleted"
