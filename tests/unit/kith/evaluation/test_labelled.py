"""Labelled tables of all kinds are read, and what gives the truth away is set aside."""

from collections.abc import Iterable
from pathlib import Path

import pytest
import typer

from kith.evaluation.errors import EvaluationError
from kith.evaluation.figures import describe, reading_lines
from kith.evaluation.labelled import Labelled, read_labelled
from kith.regions import known_region
from tests.support.tables import workbook

NAMES = ("Ada Lovelace", "Alan Turing", "Grace Hopper", "Edsger Dijkstra", "Barbara Liskov")


class Files:
    """Writes tables."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "table.csv"

    def write(self, rows: Iterable[str], encoding: str = "utf-8") -> Path:
        self._path.write_bytes("\n".join(rows).encode(encoding) + "\n".encode(encoding))
        return self._path

    def many(self, header: str, row: str) -> Path:
        """Write 60 rows, two a person; `row` is formatted with n, person and name."""
        return self.write(
            [header, *(row.format(n=n, person=n // 2, name=NAMES[n // 2 % 5]) for n in range(60))]
        )


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_usual_names_are_known(files: Files) -> None:
    path = files.many(
        "rec_id,given_name,surname,street_number,address_1,suburb,postcode,state_code,"
        "date_of_birth,soc_sec_id,email,email2,phone_2,linkedin_url,job_title,company,person",
        "rec-{n},Ada,Byron,7,Main Street,Ealing,{person},NSW,19560409,60{person}1,a{n}@x.example,"
        ",,https://linkedin.com/in/ada-{person},Engineer,Acme,{person}",
    )
    labelled = read_labelled(path, "person")
    assert dict(labelled.columns) == {
        "given_name": "first_name",
        "surname": "last_name",
        "street_number": "address.house_number",
        "address_1": "address.street",
        "suburb": "address.city",
        "postcode": "address.postal_code",
        "state_code": "address.state",
        "date_of_birth": "birthday",
        "soc_sec_id": "custom[soc_sec_id]",
        "email": "email[1]",
        "email2": "email[2]",
        "phone_2": "phone[2]",
        "linkedin_url": "linkedin_url",
        "job_title": "job.title",
        "company": "job.company_name",
    }
    row = labelled.rows[0]
    assert row.record["addresses"][0]["street"] == "7 Main Street"
    assert row.record["birthday"] == "1956-04-09"
    assert row.record["custom_fields"] == {"soc_sec_id": "6001"}
    assert (row.person, row.record_id) == ("0", "line-2")


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("master_id", "M{person}", "labels records"),
        ("is_duplicate", "{person}", "labels records"),
        ("customer_id", "C{person}", "is an id of a system, not of a person"),
        ("created_at", "2024-01-0{person}", "speaks of the record, not of the person"),
        ("gold", "", "is empty"),
        ("kind", "contact", "is the same in every row"),
        ("serial", "{n}", "is another in every row"),
        ("nickname_of_theirs", "x{person}", "gives the truth away"),
    ],
)
def test_what_is_no_attribute_of_a_person_is_set_aside(
    files: Files, column: str, cell: str, reason: str
) -> None:
    labelled = read_labelled(files.many(f"name,{column},who", f"{{name}},{cell},{{person}}"), "who")
    assert labelled.aside == {column: reason}
    assert "custom_fields" not in labelled.rows[0].record


def test_what_is_chosen_is_compared_all_the_same(files: Files) -> None:
    path = files.many("name,customer_id,who", "{name},C{person},{person}")
    labelled = read_labelled(path, "who", ["custom[number]=customer_id"])
    assert labelled.aside == {}
    assert labelled.rows[0].record["custom_fields"] == {"number": "C0"}


def test_an_id_number_is_compared_though_it_is_one_a_person(files: Files) -> None:
    labelled = read_labelled(files.many("name,ssn,who", "{name},078-05-{person},{person}"), "who")
    assert labelled.aside == {}


@pytest.mark.parametrize("truth", ["person", "cluster_id"])
@pytest.mark.parametrize("word", ["pat", "agent"])
def test_a_word_before_the_only_names_says_whose_table_it_is(
    files: Files, truth: str, word: str
) -> None:
    """The column of the truth names nobody, though it be called so; all rows are people."""
    path = files.many(
        f"{truth},{word}_first_name,{word}_last_name,{word}_email",
        "{person},Ada,{name},a{n}@x.example",
    )
    labelled = read_labelled(path, truth)
    assert list(labelled.columns.values()) == ["first_name", "last_name", "email[1]"]


def test_a_table_that_looks_like_a_products_is_read_in_full(files: Files) -> None:
    """One column of Salesforce's names must not cost the others."""
    path = files.many(
        "contact_id,first_name,last_name,job_title,city,who", "{n},Ada,{name},Boss,Rome,{person}"
    )
    columns = read_labelled(path, "who").columns
    assert (columns["job_title"], columns["city"]) == ("job.title", "address.city")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters_are_found(files: Files, encoding: str, delimiter: str) -> None:
    header = delimiter.join(("Vorname", "Nachname", "E-Mail", "who"))
    row = delimiter.join(("Jürgen", "Müller", "jm@x.example", "7"))
    labelled = read_labelled(files.write([header, row, row], encoding), "who")
    assert [one.record["first_name"] for one in labelled.rows] == ["Jürgen", "Jürgen"]
    assert labelled.people == {"line-2": "7", "line-3": "7"}


def test_fields_are_named_as_people_do(files: Files) -> None:
    path = files.write(["who,Kunde,Adr1,Adr2,Ausweis", "1,Ada Byron,a@x.example,b@x.example,Z9"])
    labelled = read_labelled(
        path, "who", ["full_name=Kunde", "email=Adr1", "email=Adr2", "passport=ausweis"]
    )
    record = labelled.rows[0].record
    assert record["full_name"] == "Ada Byron"
    assert [one["value"] for one in record["emails"]] == ["a@x.example", "b@x.example"]
    assert record["custom_fields"] == {"passport": "Z9"}


@pytest.mark.parametrize(
    ("maps", "words"),
    [
        (["full_name"], "write it as field=column"),
        (["shoe=name"], "no such field"),
        (["email=nothing"], "no column nothing; the file has: name, city, who"),
        (["full_name=name", "full_name=city"], "already read from another column"),
        (["full_name=name", "email=name"], "column name is mapped already"),
        (["email=who"], "is the truth"),
        (["company=name"], "a company or a place alone names nobody"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(files: Files, maps: list[str], words: str) -> None:
    path = files.many("name,city,who", "{name},Rome,{person}")
    with pytest.raises(EvaluationError, match=words):
        read_labelled(path, "who", maps)


@pytest.mark.parametrize(
    ("wish", "words"),
    [("full_name=nothing", "no column nothing"), ("full_name", "write it as field=column")],
)
def test_a_wish_is_told_wrong_where_no_column_is_known(files: Files, wish: str, words: str) -> None:
    path = files.write(["foo,bar,who", "Ada,Byron,1", "Ada,Byron,1"])
    with pytest.raises(EvaluationError, match=words):
        read_labelled(path, "who", [wish])


@pytest.mark.parametrize(("text", "region"), [("de", "DE"), ("GB", "GB")])
def test_a_region_is_a_country(text: str, region: str) -> None:
    assert known_region(text) == region


@pytest.mark.parametrize("text", ["ZZ", "germany", "", "001"])
def test_what_is_no_country_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="ISO 3166"):
        known_region(text)


@pytest.mark.parametrize(
    ("rows", "truth", "words"),
    [
        (["name,who", "Ada,1"], "whom", "no column whom; the file has: name, who"),
        (["name,who", "Ada,"], "who", "is empty in every row"),
        (["name,who"], "who", "no row below its header"),
        ([""], "who", "the file is empty"),
        (["sku,title,who", "1,Chair,2"], "who", "the first line has: sku, title, who"),
        (["BEGIN:VCARD", "END:VCARD"], "who", "file of cards"),
        (["<html><body>"], "who", "web page"),
    ],
)
def test_a_file_that_cannot_be_measured_is_refused(
    files: Files, rows: list[str], truth: str, words: str
) -> None:
    with pytest.raises(EvaluationError, match=words):
        read_labelled(files.write(rows), truth)


def test_rows_without_truth_and_bad_rows_are_told(files: Files) -> None:
    labelled = read_labelled(
        files.write(["name,who,born", "Ada,1,x", ",,", "Alan,,y", 'Bad "quote,"2,z', "Eve,3,w"]),
        "who",
    )
    assert labelled.people == {"line-2": "1", "line-6": "3"}
    assert len(labelled.rows) == 3
    assert labelled.blank == 1
    [(line, reason)] = labelled.unread
    assert line == 5
    assert f"    line 5: {reason}" in reading_lines(describe("table.csv", labelled, 1, 100))


def test_the_order_is_random_and_the_same_for_a_seed(files: Files) -> None:
    labelled: Labelled = read_labelled(files.many("name,who", "{name},{person}"), "who")
    assert labelled.shuffled(3) == labelled.shuffled(3)
    assert labelled.shuffled(3) != labelled.shuffled(4)
    assert sorted(labelled.shuffled(3), key=lambda row: row.line) == list(labelled.rows)


@pytest.mark.parametrize(("maps", "is_told"), [((), True), (("full_name=Full",), False)])
def test_who_has_no_column_of_names_is_told_how_to_say_one(
    files: Files, maps: tuple[str, ...], *, is_told: bool
) -> None:
    path = files.many("src,Full,Mail,who", "s{n},{name},a{n}@x.example,{person}")
    lines = list(reading_lines(describe("table.csv", read_labelled(path, "who", maps), 1, 100)))
    assert any("--map full_name=COLUMN" in line for line in lines) is is_told
    assert any(line.startswith("  src is ignored") for line in lines)


def test_of_a_workbook_without_a_header_no_bytes_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "empty.xlsx"
    path.write_bytes(workbook([]))
    with pytest.raises(EvaluationError, match=r"to speak of a person\. Say what they are"):
        read_labelled(path, "who")


def test_a_domain_of_records_makes_nobody_colleagues(files: Files) -> None:
    """All would have one employer's domain, and namesakes would be one person by it."""
    records = read_labelled(
        files.many("domain,name,email,person", "banking,{name},a{n}@x.example,{person}"), "person"
    )
    assert records.aside["domain"] == "is the same in every row"
    employers = read_labelled(
        files.many("domain,name,email,person", "a{person}.com,{name},a{n}@x.example,{person}"),
        "person",
    )
    assert employers.columns["domain"] == "job.company_domain"
