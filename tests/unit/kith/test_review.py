"""How pairs are named and told on the command line."""

from typing import Any

import pytest
import typer

from kith.review import parse_pair, with_versions
from kith.review_text import case_lines, evidence_lines, pair_line

ONE, OTHER = "con_" + "1" * 26, "con_" + "2" * 26


def test_a_number_names_a_pair() -> None:
    named, seen = parse_pair("17")
    assert (named.numbers, named.statuses, seen) == ((17,), None, None)


def test_what_the_list_prints_says_which_versions_were_seen() -> None:
    named, seen = parse_pair("17@3.5")
    assert (named.numbers, seen) == ((17,), (3, 5))


def test_both_contacts_name_a_pair() -> None:
    named, seen = parse_pair(f"{ONE}.{OTHER}@1.2")
    assert (named.contacts, seen) == ((ONE, OTHER), (1, 2))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "17@3",
        "17@",
        f"{ONE}",
        f"{ONE}.cmp_1",
        f"{ONE}.{ONE}",
        f"{ONE}.{ONE}@5.3",
        "@1.2",
        f"{2**63}",
        "1" * 5_000,
        f"17@1.{2**31}",
    ],
)
def test_whatever_else_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_pair(text)


def test_versions_go_with_the_contacts_that_they_were_named_with() -> None:
    """The queue has a pair's contacts in one order, whoever types them in the other."""
    named, seen = parse_pair(f"{OTHER}.{ONE}@5.3")
    chosen = with_versions(a_case(), named, seen)
    assert [(one["id"], one["version"]) for one in chosen["contacts"]] == [(ONE, 3), (OTHER, 5)]


def a_case() -> dict[str, Any]:
    """Make a pair as the resolver tells it."""
    value = {
        "value": "Ada King",
        "source": "csv_upload",
        "record": "0" * 32,
        "confidence": 0.9,
        "at": "2026-01-31T12:00:00+00:00",
    }
    evidence = {
        "score": 0.41,
        "scorer": "evidence",
        "exact": True,
        "thresholds": {"merge": 0.95, "merge_and_flag": 0.6, "review": 0.2},
        "signals": [{"words": "given name is the same (Ada): +3.2 bits, for it"}],
        "vetoes": [{"veto": "names_in_conflict", "words": "the names disagree"}],
    }
    return {
        "number": 17,
        "contacts": [
            {"id": ONE, "version": 3, "name": "Ada King"},
            {"id": OTHER, "version": 5, "name": None},
        ],
        "status": "open",
        "tier": "low",
        "score": 0.41,
        "stake": 4,
        "created_at": "2026-01-31T12:00:00+00:00",
        "words": "Scored 0.4100.",
        "values": [
            {"field": "full_name", "agrees": True, "left": [value, value], "right": [value]}
        ],
        "evidence": evidence,
    }


def test_a_line_of_the_queue_can_be_pasted_back() -> None:
    line = pair_line(a_case())
    assert parse_pair(line.split()[0])[1] == (3, 5)
    assert line.endswith(f"Ada King / {OTHER}")


def test_a_case_stands_side_by_side_with_its_evidence() -> None:
    told = list(case_lines(a_case()))
    assert told[1] == "Scored 0.4100."
    (row,) = [line for line in told if line.startswith("= full_name")]
    assert row.count("Ada King  [csv_upload 0.90 2026-01-31]") == 2
    assert "given name is the same (Ada): +3.2 bits, for it" in "\n".join(told)
    assert told[-1] == "  veto: the names disagree"
    assert "recomputed exactly" in "\n".join(told)


def test_a_score_that_does_not_come_out_is_not_passed_over() -> None:
    evidence = {**a_case()["evidence"], "exact": False}
    assert "NOT the score that is stored" in next(evidence_lines(evidence))
