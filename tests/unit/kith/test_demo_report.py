import io

import pytest

from kith.demo.examples import tell_example
from kith.demo.ledger import SourceRecord
from kith.demo.report import Ages, Case, Example, FileReport, Quality, Report, Value, lines
from kith.demo.screen import Figures, drawn_on

REPORT = Report(
    ok=True,
    problems=(),
    seconds_to_start=9.0,
    seconds_to_read_model=12.0,
    seconds_in_all=25.0,
    fed=20_213,
    new=20_213,
    already_known=0,
    dead_letters=0,
    lost=0,
    signals_per_second=1_684.4,
    age_ms=Ages(p50=120.0, p99=450.0),
    contacts=14_742,
    new_contacts=14_742,
    merged=5_807,
    in_review=24,
    not_in_read_model=0,
    quality=Quality(precision=0.907, recall=0.967, f1=0.936),
    quality_with_candidates=Quality(precision=0.881, recall=0.967, f1=0.922),
    enrichment={"success": 60, "no_match": 20},
    files=(
        FileReport(file="a.csv", source="s", rows=3, verdicts={"created": 2, "rejected": 1}, new=2),
    ),
    conflict=("line 5: their names disagree",),
    examples=(
        Example(
            id="con_1",
            sources=("csv_upload", "vcard_upload"),
            possible_duplicates=0,
            values=(Value(field="city", value="Berlin", source="vcard_upload", record="record 7"),),
        ),
    ),
    case=Case(
        pair="17@3.5",
        contacts=("con_1", "con_2"),
        names=("Ada Lovelace", "Ada King"),
        score=0.4,
        words="Scored 0.4000: a name agrees.",
        values=(("email", "ada@acme.io (csv_upload)", "ada@king.example (hubspot_crm)"),),
        signals=("given name is the same (Ada): +3.2 bits, for it",),
    ),
    urls={"contacts": "http://127.0.0.1:1/api/v1/contacts"},
    curl="curl …",
    stop="kith down",
)


@pytest.mark.parametrize(
    "expected",
    [
        "fed                  20,213",
        "merged                5,807",
        "in review                24",
        "dead letters              0",
        "per second            1,684",
        "ms p50, 450 ms p99",
        "0.907   0.967  0.936",
        "Contact con_1, known from csv_upload, vcard_upload",
        "city               Berlin",
        "http://127.0.0.1:1/api/v1/contacts",
        "curl …",
        "kith down",
        "24 pairs wait; worth most is Ada Lovelace / Ada King",
        "given name is the same (Ada)",
        "kith review approve 17@3.5",
        "Every signal is accounted for.",
    ],
)
def test_a_newcomer_is_told(expected: str) -> None:
    assert expected in "\n".join(lines(REPORT))


def test_a_second_run_says_that_no_contact_is_made_twice() -> None:
    again = REPORT.model_copy(
        update={"new": 0, "already_known": 20_213, "new_contacts": 0, "age_ms": None}
    )
    text = "\n".join(lines(again))
    assert "all this was fed before: no contact is made twice" in text
    assert "p99" not in text


def test_without_a_case_nothing_is_explained() -> None:
    assert "kith review" not in "\n".join(lines(REPORT.model_copy(update={"case": None})))


def test_problems_stand_last_and_nothing_claims_success() -> None:
    failed = REPORT.model_copy(update={"ok": False, "problems": ("2 signals are lost",)})
    told = list(lines(failed))
    assert told[-1] == "PROBLEM: 2 signals are lost"
    assert not any("accounted" in line for line in told)


def test_json_says_the_same() -> None:
    assert Report.model_validate_json(REPORT.model_dump_json()) == REPORT


def test_each_value_names_its_record() -> None:
    origin = {"source": "csv_upload", "source_record": "ab", "asserted_at": "2026-01-01T00:00:00Z"}
    elsewhere = origin | {"source_record": "gone"}
    resource = {
        "id": "con_1",
        "attributes": {"city": "Berlin", "state": None, "headline": "Buyer"},
        "meta": {
            "provenance": {"city": origin, "state": origin, "headline": elsewhere},
            "possible_duplicates": ["con_2"],
        },
    }
    example = tell_example(resource, {"ab": SourceRecord("con_1", "ab", "row-7", "csv_upload")})
    assert example.possible_duplicates == 1
    assert [(one.field, one.value, one.record) for one in example.values] == [
        ("city", "Berlin", "record row-7"),
        ("headline", "Buyer", "an earlier version"),
    ]


def test_without_a_terminal_progress_is_plain_lines_and_not_too_many() -> None:
    output = io.StringIO()
    with drawn_on(output) as screen:
        screen.step("publishing")
        for resolved in range(0, 1_000, 100):
            screen.figures(Figures(1_000, 1_000, resolved, 10, 0, 2.0))
    told = output.getvalue().splitlines()
    assert told[0].endswith("publishing")
    assert len(told) == 2
    assert " ".join(told[1].split()) == (
        "stream fed 1,000 of 1,000, resolved 0 (0/s), contacts to read 10, dead letters 0"
    )
