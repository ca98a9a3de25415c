"""What may be chosen about a row, and what follows from it."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.choosing import OfRow, asserted, check, left_out
from services.ingest.domain.settling import command_id_of, settle, tell_order
from services.ingest.domain.staging import namesakes_of, to_send, told_apart
from shared.errors import PoisonMessageError
from shared.events.command import MergeContacts
from tests.support.ingest import RULES, TENANT, WORKSPACE, normalized

ONE, OTHER = "con_" + "1" * 26, "con_" + "2" * 26
RECORDS = [
    {"facts": {"full_name": "Ada Byron", "emails": [{"value": "a@x.example"}]}},
    {"facts": {"full_name": "A. Byron", "headline": "Countess"}},
]


def a_row(row_class: str = "conflict", **preview: Any) -> dict[str, Any]:
    against = [{"contact": ONE, "records": RECORDS}, {"contact": None, "records": []}]
    shown = {"against": against, "alike": [{"contact": OTHER}], **preview}
    return {"class": row_class, "preview": orjson.dumps(shown).decode()}


@pytest.mark.parametrize(
    ("choice", "row", "words"),
    [
        ({"choice": "merge"}, a_row("rejected"), "it is rejected: there is nothing to choose"),
        ({"choice": "skip"}, a_row("blank"), "it is blank"),
        ({"choice": "mine"}, a_row(against=[], alike=[]), "choose accept or skip"),
        ({"choice": "merge", "contact": "con_" + "3" * 26}, a_row(), f"{ONE}, {OTHER}"),
        ({"choice": "fields"}, a_row(), "say whose value holds"),
        (
            {"choice": "fields", "contact": OTHER, "fields": {"name": "mine"}},
            a_row(),
            "of a namesake no values are shown",
        ),
    ],
)
def test_a_choice_that_does_not_fit_its_row_is_refused(
    choice: dict[str, Any], row: dict[str, Any], words: str
) -> None:
    with pytest.raises(PoisonMessageError, match="row 7") as refused:
        check(OfRow(number=7, **choice), row)
    assert words in refused.value.detail
    assert refused.value.field == "rows"


def test_a_choice_is_about_the_first_contact_shown_unless_another_is_named() -> None:
    first = check(OfRow(number=1, choice="merge"), a_row())
    assert orjson.loads(first.about or "")["contact"] == ONE
    other = check(OfRow(number=1, choice="apart", contact=OTHER), a_row("new"))
    assert orjson.loads(other.about or "")["contact"] == OTHER
    assert check(OfRow(number=1, choice="skip"), a_row()).about is None


def test_values_are_taken_from_whom_one_chose() -> None:
    """Of several records the one that the preview showed first; nothing where nobody says it."""
    row = {"full_name": "Zed Zulu", "birthday": "--12-10", "emails": [{"value": "z@x.example"}]}
    preview = {"against": [{"contact": ONE, "records": RECORDS}]}
    fields = {"name": "mine", "email": "theirs", "headline": "mine", "job": "theirs"}
    about = {"contact": ONE, "fields": fields}
    assert asserted("fields", about, row, preview) == {
        "full_name": "Ada Byron",
        "emails": [{"value": "z@x.example", "primary": True}],
        "headline": "Countess",
    }
    theirs = asserted("theirs", {"contact": ONE, "fields": {}}, row, preview)
    assert theirs["full_name"] == "Zed Zulu"
    assert theirs["birthday"] == "--12-10"
    assert "headline" not in theirs


def test_classes_that_are_skipped_are_left_out() -> None:
    assert left_out({"new": "accept", "conflict": "skip"}) == ["conflict"]


@given(st.text(max_size=40), st.integers(1, 10**6))
def test_the_same_row_gives_the_same_order(name: str, number: int) -> None:
    """A command of that id is read as one, and carried out once."""
    command_id = command_id_of(name, number)
    assert command_id == command_id_of(name, number)
    assert command_id != command_id_of(name, number + 1)
    MergeContacts.model_validate(
        {
            "command_id": command_id,
            "tenant": TENANT,
            "workspace": WORKSPACE,
            "issued_at": "2026-01-01T00:00:00Z",
            "contact_id": ONE,
            "absorbed_id": OTHER,
        }
    )


def test_verdicts_are_told_in_words() -> None:
    told = {"verdict": "stale", "contact": ONE, "events": 0, "with": []}
    assert settle(1, told, is_judged=False)[1:4] == (
        "unchanged",
        ONE,
        "a newer version of this record is known already",
    )
    review = settle(1, {**told, "verdict": "in_review", "with": [OTHER]}, is_judged=True)
    assert OTHER in review.reason
    assert not review.is_settled
    row = {"number": 1, "verdict": "in_review", "contact": ONE, "events": 2}
    assert tell_order(row, "merge", OTHER, "done")[1:3] == ("merged", OTHER)
    assert tell_order(row, "apart", OTHER, "done").verdict == "created"
    refused = tell_order(row, "merge", OTHER, "kept_apart")
    assert (refused.verdict, refused.is_settled) == ("in_review", True)
    assert "a person keeps the two apart" in refused.reason


def test_a_staged_signal_is_completed_for_the_topic() -> None:
    signal = normalized(full_name="Ada Byron").body.decode()
    namesakes = namesakes_of({"alike": [{"contact": ONE}, {"contact": None}]}, None)
    said = to_send(
        signal, '{"Name":"Ada"}', received_at="2026-01-01T00:00:00Z", namesakes=namesakes
    )
    assert orjson.loads(orjson.dumps(said))["raw"] == {"Name": "Ada"}
    assert said["possible_duplicates"] == [ONE]
    assert namesakes_of({"alike": [{"contact": ONE}]}, "apart") == []


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_rows_are_told_apart_by_their_content_alone(one: bytes, other: bytes) -> None:
    """Told apart again a row keeps its name, and another content gives another one."""
    first = normalized(full_name=f"A{one.hex()}").body
    second = normalized(full_name=f"A{other.hex()}").body
    signal, key = told_apart(first, b"name", TENANT, RULES)
    assert told_apart(signal, b"name", TENANT, RULES) == (signal, key)
    assert (told_apart(second, b"name", TENANT, RULES)[1] == key) == (one == other)
