"""Tables whose columns nothing parts but space: read where all rows keep to their header."""

import io

import pytest

from services.ingest.sources.rejected_tables import Reject
from services.ingest.sources.rejects import media_of, write_rejects
from services.ingest.sources.sniff import sniff
from shared.errors import PoisonMessageError
from tests.support.tables import take

PRINTED = """\
Customers of 2026

Name             Email                 Phone            City
Ada Byron        ada@x.example         +44 7700 900123  London
Bob Bell                               +44 7700 900124  Köln

Cy               cy@x.example
"""
RULED = """\
Name Email         Mobile Phone
---- ------------- ------------
Ada  ada@x.example +44 7700 900123
Bob  bob@x.example

(2 rows affected)
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_columns_are_found_by_their_header(encoding: str) -> None:
    taken = take(PRINTED.replace("\n", "\r\n").encode(encoding))
    ada, bob, cy = taken.facts
    assert (ada["full_name"], ada["emails"]) == ("Ada Byron", [{"value": "ada@x.example"}])
    assert (bob["phones"][0]["value"], bob["addresses"]) == ("+447700900124", [{"city": "Köln"}])
    assert cy["full_name"] == "Cy"
    assert taken.sniffed.told()["delimiter"] == ""


def test_columns_are_found_by_a_rule() -> None:
    taken = take(RULED.encode())
    assert [one["emails"][0]["value"] for one in taken.facts] == ["ada@x.example", "bob@x.example"]
    assert not taken.tally.rejected


@pytest.mark.parametrize(
    "footer",
    [
        "(2 rows affected)",
        "(1 row(s) affected)",
        "3 rows selected.",
        "(2 rows)",
        "2 rows in set (0.00 sec)",
        "5 record(s) selected.",
        "(2 Zeilen)",
        "3 Zeilen ausgewählt.",
        "2 lignes sélectionnées",
    ],
)
@pytest.mark.parametrize("table", [RULED.removesuffix("(2 rows affected)\n"), PRINTED])
def test_a_count_below_a_table_is_nobody(table: str, footer: str) -> None:
    people = [one["full_name"] for one in take(table.encode()).facts]
    taken = take(f"{table}{footer}\n".encode())
    assert [one["full_name"] for one in taken.facts] == people
    assert not taken.tally.rejected


def test_who_is_called_like_a_count_is_somebody() -> None:
    taken = take(f"{PRINTED}10 Records       ten@x.example\n".encode())
    assert taken.facts[-1]["full_name"] == "10 Records"


def test_what_each_page_begins_with_is_nobody() -> None:
    """A report prints its title, its header and the rule below it again on every page."""
    title, header, *rows = PRINTED.splitlines()[0], *PRINTED.splitlines()[2:]
    page = [f"\f{title}", "", header, "=" * len(header)]
    taken = take("\n".join([title, "", header, *rows, *page, *rows, *page, *rows]).encode())
    assert [one["full_name"] for one in taken.facts] == ["Ada Byron", "Bob Bell", "Cy"] * 3
    name, rule, *rows = RULED.splitlines()[:4]
    taken = take("\n".join([name, rule, *rows, "", name, rule, *rows]).encode())
    assert [one["full_name"] for one in taken.facts] == ["Ada", "Bob"] * 2
    assert not taken.tally.rejected


def test_what_does_not_keep_to_its_columns_is_no_such_table() -> None:
    """Right behind the header it may be prose; later on, it is a row that is refused."""
    prose = "Name             Email\nSome words that run over everything\nand some more of them\n"
    with pytest.raises(PoisonMessageError, match="the header is not one that is known"):
        take(prose.encode())
    rows = [f"Ada {number:<12} ada{number}@x.example" for number in range(300)]
    long = "A name that is far too long  x@x.example"
    table = "\n".join(["Name             Email", *rows, long])
    taken = take(f"{table}\n".encode())
    assert len(taken.facts) == 300
    assert [note.reason for note in taken.tally.rejected] == [
        "runs over the beginning of a column; line its cells up with the header"
    ]


def test_rejects_come_back_with_commas() -> None:
    file = io.BytesIO(PRINTED.encode())
    sniffed = sniff(file)
    out = io.BytesIO()
    write_rejects(file, sniffed, [Reject(4, 5, "is not wanted"), Reject(7, None, "nor is")], out)
    assert media_of(sniffed) == ("text/csv; charset=utf-8", "csv")
    again = take(out.getvalue())
    assert [one["full_name"] for one in again.facts] == ["Ada Byron", "Cy"]
    assert b"is not wanted,Ada Byron,ada@x.example" in out.getvalue()
