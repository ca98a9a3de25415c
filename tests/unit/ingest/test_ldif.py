"""LDIF (RFC 2849): what address books and directories say of people; a bad line costs little."""

import base64
import io
import time
import tracemalloc
from collections.abc import Mapping
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.sources.ldif_entries import MAX_VALUES, read_entries
from services.ingest.sources.sniff import sniff
from shared.errors import PoisonMessageError
from tests.support.tables import FORMATS, Taken, take
from tests.unit.ingest.test_rejects import rejects_of

FILES = sorted((FORMATS / "ldif").glob("*.ldif"))


def an_entry(*lines: str, dn: str = "cn=x") -> bytes:
    return "\n".join([f"dn: {dn}", "objectclass: person", *lines, "", ""]).encode()


def notes(taken: Taken) -> list[tuple[str, str]]:
    return [(note.field, note.reason) for note in taken.tally.warnings]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_dialect_is_read_in_full(path: Path) -> None:
    """What was found of the file, every fact and every remark are as the golden file says."""
    assert take(path.read_bytes()).told() == orjson.loads(path.with_suffix(".json").read_bytes())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_cut_off_anywhere_keeps_its_whole_entries(path: Path) -> None:
    data = path.read_bytes()
    whole = [orjson.dumps(facts) for facts in take(data).facts]
    for percent in range(101):
        try:
            taken = take(data[: len(data) * percent // 100])
        except PoisonMessageError:
            continue  # it ends before anybody is named
        assert {orjson.dumps(facts) for facts in taken.facts[:-1]} <= set(whole)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_whatever_the_encoding_and_the_ends_of_lines(encoding: str, end: str) -> None:
    """Bare letters beyond ASCII are against the RFC, and written all the same."""
    text = "version: 1\n\ndn: cn=x\ncn: Zoë Ängström\nmail: z@x.example\n"
    text += "description: an ende\n  n Wörtern\n\n"
    taken = take(text.replace("\n", end).encode(encoding))
    assert taken.facts == [
        {
            "full_name": "Zoë Ängström",
            "emails": [{"value": "z@x.example"}],
            "notes": "an ende n Wörtern",
        }
    ]
    assert (taken.tally.rows, notes(taken)) == (1, [])


def test_a_bad_line_costs_no_entry_and_a_bad_entry_no_neighbour() -> None:
    bad = an_entry("cn: Bo", "no attribute", "mail:: ***", "title: Boss")
    taken = take(an_entry("cn: Ann") + bad + an_entry("mail: not an address") + an_entry("cn: Cy"))
    assert [facts["full_name"] for facts in taken.facts] == ["Ann", "Bo", "Cy"]
    assert taken.facts[1]["employments"] == [{"title": "Boss"}]
    assert [field for field, _ in notes(taken)] == ["line 8", "mail"]
    assert [(note.line, note.field) for note in taken.tally.rejected] == [(12, "mail")]


def test_an_operator_says_where_an_attribute_goes() -> None:
    data = an_entry("cn: Ann", "employeeID: 17", "extensionAttribute1: +44 20 7946 0958")
    assert take(data).facts[0]["custom_fields"]["employeeid"] == "17"
    taken = take(data, {"extensionattribute1": "phone[work]", "employeeid": "skip"})
    assert taken.facts == [
        {"full_name": "Ann", "phones": [{"label": "work", "value": "+442079460958"}]}
    ]


def test_a_value_that_has_no_place_is_told_of_and_plain_ones_come_first() -> None:
    data = an_entry(
        "cn: Ann",
        "givenName;lang-ja: 安",
        "givenName: Ann",
        "title: Boss",
        "title: Founder",
        "title: Boss",
        "labeledURI: https://ann.example Her page",
        "mail;x-home: b@x.example",
        "mail: a@x.example",
    )
    taken = take(data)
    [facts] = taken.facts
    assert (facts["first_name"], facts["employments"]) == ("Ann", [{"title": "Boss"}])
    assert facts["websites"] == ["https://ann.example"]
    assert [one["value"] for one in facts["emails"]] == ["a@x.example", "b@x.example"]
    assert [field for field, _ in notes(taken)] == ["givenname", "title"]


def test_a_whole_address_gives_its_street_though_the_town_is_known() -> None:
    data = an_entry("cn: Ann", "postalAddress: 1 Main St$London$UK", "l: London")
    assert take(data).facts[0]["addresses"] == [
        {"label": "work", "street": "1 Main St", "city": "London", "country": "UK"}
    ]


def test_what_keeps_people_is_passed_over_and_changes_are_refused() -> None:
    data = (
        an_entry("cn: Ann")
        + b"dn: cn=list\nobjectclass: groupOfNames\ncn: list\nmember: cn=x\n\n"
        + b"dn: cn=Ann\nchangetype: modify\nreplace: mail\nmail: a@x.example\n-\n\n"
        + b"dn: cn=Bo\nchangetype: add\ncn: Bo\n\n"
    )
    taken = take(data)
    assert [facts["full_name"] for facts in taken.facts] == ["Ann", "Bo"]
    assert taken.tally.blank == 1
    assert [note.field for note in taken.tally.rejected] == ["changetype"]


def test_a_directorys_computers_are_nobody_though_it_calls_them_users() -> None:
    kinds = ("top", "person", "organizationalPerson", "user", "computer")
    computer = "".join(f"objectclass: {kind}\n" for kind in kinds)
    taken = take(an_entry("cn: Ann") + f"dn: cn=PC1\n{computer}cn: PC1\n\n".encode())
    assert [facts["full_name"] for facts in taken.facts] == ["Ann"]
    assert [note.field for note in taken.tally.rejected] == ["objectclass"]


@pytest.mark.parametrize(
    "data",
    [
        b"dn: cn=list\nobjectclass: groupOfNames\ncn: list\n\n",
        b"version: 1\n\ndn: cn=x\nchangetype: delete\n",
        b"dn: cn=x\nuserPassword: secret\n",
        b"dn: cn=x\n",
    ],
)
def test_a_file_without_people_is_refused_with_the_reason(data: bytes) -> None:
    with pytest.raises(PoisonMessageError):
        take(data)


def test_a_line_of_number_signs_is_no_riddle() -> None:
    begun = time.process_time()
    for begin in ("# " * 1_000, "#\n" * 1_000, "version: 1 " * 200):
        with pytest.raises(PoisonMessageError):
            take(begin.encode())
    assert time.process_time() - begun < 2


def test_entries_and_values_without_end_are_bounded() -> None:
    """A picture of 20 MB, a value of 100,000 characters, and more values than anybody has."""
    picture = f"jpegPhoto:: {base64.b64encode(bytes(20 << 20)).decode()}"
    many = [f"mail: p{number}@x.example" for number in range(60)]
    many += [f"memberOf: cn={number}" for number in range(MAX_VALUES)]
    data = an_entry("cn: Ann", picture, "mail: a@x.example", f"description: {'x' * 100_000}")
    taken = take(data + an_entry("cn: Bo", *many) + an_entry("cn: Cy"))
    assert [facts["full_name"] for facts in taken.facts] == ["Ann", "Bo", "Cy"]
    assert taken.facts[0]["emails"] == [{"value": "a@x.example"}]
    assert len(taken.facts[1]["emails"]) == 50
    assert {"description", "emails", "memberof"} <= {field for field, _ in notes(taken)}
    assert len(orjson.dumps(taken.bodies[0])) < 10_000


def test_no_more_entries_are_held_than_are_needed_to_know_the_columns() -> None:
    """A thousand of 48 KB would be 48 MB before the first row is read."""
    note = "description: " + "x" * 40_000
    file = io.BytesIO(b"".join(an_entry(f"cn: P{number}", note) for number in range(500)))
    sniff(file)  # what it imports is held, whichever file is first
    tracemalloc.start()
    sniff(file)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 12 << 20


def test_rejected_entries_come_back_with_their_reason_and_are_read_once_corrected() -> None:
    data = b"version: 1\n\n" + an_entry("cn: Ann") + an_entry("mail: nobody") + an_entry("cn: Cy")
    found, media = rejects_of(data)
    assert media == "text/plain; charset=utf-8"
    assert b"# kith reason: " in found
    assert b"Ann" not in found
    assert b"Cy" not in found
    corrected = found.replace(b"mail: nobody", b"mail: bo@x.example")
    assert take(corrected).facts == [{"emails": [{"value": "bo@x.example"}]}]


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(str.strip)


@given(st.dictionaries(st.sampled_from(["cn", "sn", "description"]), texts, min_size=1))
def test_any_text_comes_back_as_it_was_written(said: Mapping[str, str]) -> None:
    """Written in base64 and folded at every 76th character, as the RFC has it."""
    lines = ["dn: cn=x"]
    for name, text in said.items():
        line = f"{name}:: {base64.b64encode(text.encode()).decode()}"
        lines += [line[:76], *(f" {line[at : at + 75]}" for at in range(76, len(line), 75))]
    [entry] = read_entries(io.BytesIO("\n".join(lines).encode()), "utf-8")
    assert {name: text for name, text in said.items() if text} == {
        name: values[0] for name, values in entry.values.items() if name != "dn"
    }
