"""Every dialect of tables: a file of its exact layout, and all that is read of it."""

import csv
import io
import random
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.ingest.sources.vocabulary import vocabulary
from shared.errors import PoisonMessageError
from tests.support.tables import FORMATS, take, workbook

TABLES = sorted(path.name for path in FORMATS.glob("*.csv"))


@pytest.mark.parametrize("name", TABLES)
def test_a_dialect_is_read_in_full(name: str) -> None:
    """What was found of the file, every fact and every remark are as the golden file says."""
    expected = orjson.loads((FORMATS / name).with_suffix(".json").read_bytes())
    assert take((FORMATS / name).read_bytes()).told() == expected


def test_every_layout_has_a_fixture_and_a_line_in_the_matrix() -> None:
    """What is said to be read is held by a file, and what is read is said."""
    matrix = (Path(__file__).parents[3] / "docs" / "formats.md").read_text("utf-8")
    shown = {
        orjson.loads(path.read_bytes())["reading"]["layout"] for path in FORMATS.glob("*.json")
    }
    for layout in vocabulary().layouts:
        assert layout.name in shown
        assert f"`{layout.name}`" in matrix
    for name in TABLES:
        assert f"`{name}`" in matrix


def test_every_language_has_a_fixture() -> None:
    told = [orjson.loads(path.read_bytes())["reading"] for path in FORMATS.glob("*.json")]
    languages = {reading["language"] for reading in told}
    assert languages == {"en", *(language.code for language in vocabulary().languages)}


def test_a_workbook_is_read_as_its_table_would_be() -> None:
    """Numbers, dates and line breaks of cells come as a person would have typed them."""
    header = ["First Name", "Last Name", "Mobile Phone", "Email", "Birthday", "Shoe size"]
    people: list[list[Any]] = [
        ["Ada", "Byron", 447700900123, "ada@x.example", date(1985, 12, 10), 38.5],
        [None, None, None, None, None, None],
        ["Bob", None, "+44 7700 900124", None, datetime(1990, 1, 2), 41.0],  # noqa: DTZ001
    ]
    notes: list[list[Any]] = [["An export of our club"], [], header, *people]
    taken = take(workbook([["nothing", "here"]], notes))
    assert (taken.sniffed.layout, taken.sniffed.sheet, taken.sniffed.header_line) == (
        "csv",
        "Sheet2",
        3,
    )
    ada, bob = taken.facts
    assert ada["birthday"] == "1985-12-10"
    assert ada["custom_fields"] == {"Shoe size": "38.5"}
    assert bob["phones"] == [{"label": "mobile", "value": "+447700900124"}]
    assert bob["custom_fields"] == {"Shoe size": "41"}
    # The plus was lost when the number was typed.
    assert ada["phones"] == [{"label": "mobile", "value": "+447700900123"}]


@pytest.mark.parametrize("name", TABLES)
def test_columns_and_rows_in_another_order_are_the_same_people(name: str) -> None:
    """The same export with its columns and rows shuffled says the same of everyone."""
    data = (FORMATS / name).read_bytes()
    taken = take(data)
    sniffed = taken.sniffed
    text = data.decode(sniffed.encoding)
    delimiter, begin = sniffed.delimiter, sniffed.header_line - 1
    lines = io.StringIO("".join(text.splitlines(keepends=True)[begin:]), newline="")
    header, *rows = list(csv.reader(lines, delimiter=delimiter))
    if len(set(header)) < len(header):
        pytest.skip("columns of the same name are told apart by their order")
    order = list(range(len(header)))
    dice = random.Random(5)
    dice.shuffle(order)
    dice.shuffle(rows)
    out = io.StringIO()
    shuffled = [[row[index] for index in order if index < len(row)] for row in [header, *rows]]
    csv.writer(out, delimiter=delimiter).writerows(shuffled)
    again = take(out.getvalue().encode())

    def key(facts: object) -> bytes:
        return orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)

    assert sorted(map(key, again.facts)) == sorted(map(key, taken.facts))


def test_an_operator_says_what_columns_are() -> None:
    """Choices win over what is suggested, and make a header known that nobody knows."""
    data = b"a,b,c,d\nAda,ada@x.example,blue,+44 7700 900123\n"
    with pytest.raises(PoisonMessageError, match="header"):
        take(data)
    taken = take(data, {"a": "full_name", "b": "email[work]", "c": "custom[Colour]", "d": "skip"})
    assert taken.facts == [
        {
            "full_name": "Ada",
            "emails": [{"label": "work", "value": "ada@x.example"}],
            "custom_fields": {"Colour": "blue"},
        }
    ]
    known = b"Name,Phone,Second\nAda,+44 7700 900123,+44 7700 900124\n"
    [facts] = take(known, {"Second": "phone[1]"}).facts
    assert facts["phones"] == [{"value": "+447700900124"}]
    assert facts["custom_fields"] == {"Phone": "+44 7700 900123"}


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        ({"Nome": "email"}, "a column that the file does not have"),
        ({"Name": "email[1].number"}, "not a place"),
        ({"Name": "e-mail"}, "not a place"),
        ({"Name": "first_name[1]"}, "not a place"),
        ({"Name": "identifier[shoe]"}, "not a place"),
        ({"Name": "skip"}, "header"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_with_what_can(
    choices: dict[str, str], says: str
) -> None:
    with pytest.raises(PoisonMessageError, match=says):
        take(b"Name,Age\nAda,36\n", choices)


def test_columns_nobody_named_are_read_by_what_is_in_them() -> None:
    """Beside a known column, mail and profiles are seen; others' addresses are not taken."""
    data = (
        "Name,Contact info,Where,Account owner,Ref\n"
        "Ada,ada@x.example,https://www.linkedin.com/in/ada,boss@us.example,12345678\n"
        "Bob,bob@x.example,https://www.linkedin.com/in/bob,boss@us.example,12345679\n"
    )
    taken = take(data.encode())
    assert taken.facts[0] == {
        "full_name": "Ada",
        "emails": [{"value": "ada@x.example"}],
        "linkedin_url": "https://www.linkedin.com/in/ada",
        "custom_fields": {"Account owner": "boss@us.example", "Ref": "12345678"},
    }
