"""What is exported is read back: by our own reader without loss, by another library correctly."""

import io
from typing import Any, get_args

import orjson
import pytest
import vobject
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from services.api.domain.export.files import Format, text_of
from services.api.domain.export.record import PERSON_FIELDS, Record
from services.api.domain.export.table import Layout, guarded, is_header
from services.api.domain.export.vcard import Version, write_card
from services.api.routes.workbook import Workbook
from services.ingest.domain.mapping import to_draft
from services.ingest.domain.reading import read_many, read_value
from services.ingest.sources.reading import read_rows
from services.ingest.sources.row import Row
from services.ingest.sources.sniff import sniff
from shared.errors import PoisonMessageError

CONTACT = "con_01J00000000000000000000000"
UPDATED = "2026-01-31T12:00:00+00:00"


def facts_of(signal: dict[str, Any]) -> dict[str, Any]:
    """Normalise what a source says, as ingest does."""
    struct, _ = read_value({"source": "api_push", **signal}, may_hold_nul=True)
    facts: dict[str, Any] = orjson.loads(orjson.dumps(to_draft(struct, "US").facts))
    return facts


def record_of(facts: dict[str, Any]) -> Record:
    """Make the record of a contact that one source speaks of."""
    said = {name: facts[name] for name in PERSON_FIELDS if facts.get(name)}
    elsewhere = {"email", "phone_e164"} | (
        {"linkedin_public_id"} if "linkedin_url" in said else set()
    )
    others = [one for one in said.pop("identifiers", []) if one["type"] not in elsewhere]
    for name in ("emails", "phones"):  # a contact has one primary of each
        for one in said.get(name, [])[1:]:
            one.pop("primary", None)
    said |= (
        {"identifiers": [{"type": o["type"], "value": o["value"]} for o in others]}
        if others
        else {}
    )
    shown = {
        "seniority": "head",
        "departments": ["sales", "legal"],
        "derived_timezone": "Asia/Tokyo",
    }
    return {"id": CONTACT, **said, **shown, "status": "active", "updated_at": UPDATED}


def written(records: list[Record], format_: Format) -> bytes:
    """Write a whole file."""
    names = {name for one in records for name in one.get("custom_fields", {}) if is_header(name)}
    layout = Layout(None, tuple(sorted(names)))
    if format_ == "xlsx":
        return workbook_of(layout, records)
    text = text_of(format_, layout)
    return text.begin + text.piece(records, True) + text.end


def workbook_of(layout: Layout, records: list[Record]) -> bytes:
    book = Workbook(layout, len(records))
    return book.add(records) + book.finish()


def read_back(data: bytes, format_: Format) -> dict[str, Any]:
    """Read the one contact of a file with the readers of ingest."""
    if format_ == "json":
        [value] = read_many(data, 1_000)
        assert isinstance(value, dict)
        return value
    file = io.BytesIO(data)
    sniffed = sniff(file)
    assert sniffed.layout == ("vcard" if format_.startswith("vcard") else "kith")
    [row] = list(read_rows(file, sniffed))
    assert isinstance(row, Row), row
    assert row.record.get("about") == CONTACT
    assert row.left_out == []
    return row.record


short = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12
) | st.sampled_from(
    ["=1+1", "+cmd|' /C calc'!A0", "@SUM(A1)", "-2+3", "'=x", "''-y", "+49 30", "a ::: b", "* work",
     "Work", "#N/A", "HOME",
     "work", "home", "mobile", "a,b;c", "x\\n;y", "line\nbreak", "_x0041_", "_$!<Home>!$_", "2024",
     "myContacts", '"quoted"', "Ünï 日本", "https://github.com/ada", "Main St, 5,"]
)  # fmt: skip
point = st.fixed_dictionaries(
    {},
    optional={"label": short, "primary": st.just(True)},
)
emails = st.lists(
    st.builds(lambda name, one: {"value": f"{name}@acme.test", **one},
              st.from_regex(r"[a-z]{1,8}", fullmatch=True), point), max_size=7
)  # fmt: skip
phones = st.lists(
    st.builds(
        lambda digits, extension, one: {"value": f"+4930{digits}{extension}", **one},
        st.from_regex(r"[2-9][0-9]{6}", fullmatch=True),
        st.sampled_from(["", ";ext=12", ";ext=1234567"]),
        point,
    ),
    max_size=7,
)
day = st.dates().map(str)
jobs = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "company_name": short,
            "company_domain": st.just("acme.com"),
            "title": short,
            "department": short,
            "seniority": st.sampled_from(["cxo", "Vice President", "senior"]),
            "start_date": day,
            "end_date": day,
            "is_current": st.booleans(),
        },
    ),
    max_size=5,
)
address = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("street", "city", "state", "postal_code", "country", "label"), short),
)
identifiers = st.lists(
    st.sampled_from(
        [
            {"type": "twitter_handle", "value": "ada"},
            {"type": "twitter_handle", "value": "ada_2"},
            {"type": "github_username", "value": "ada"},
            {"type": "ig_username", "value": "ada.l"},
            {"type": "fb_user_id", "value": "1234567"},
            {"type": "domain", "value": "lovelace.example"},
        ]
    ),
    max_size=3,
    unique_by=str,
)
json_value = st.none() | st.booleans() | st.integers(-5, 5) | short | st.lists(short, max_size=2)
person = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            ("full_name", "first_name", "middle_name", "last_name", "name_prefix", "name_suffix",
             "nickname", "headline"), short
        ),
        "photo_url": st.sampled_from(
            ["https://a.example/p.jpg", "http://a.example/p?a=1,2;b=%5C&c='d'", "https://ü.example/ö",
             f"https://a.example/{'x' * 900}.png"]
        ),
        "timezone": st.sampled_from(["Europe/Berlin", "Etc/GMT+3", "UTC", "Europe/Kiev"]),
        "birthday": day | st.sampled_from(["--12-10", "--02-29", "1604-01-02"]),
        "emails": emails,
        "phones": phones,
        "linkedin_url": st.just("https://www.linkedin.com/in/ada"),
        "identifiers": identifiers,
        "employments": jobs,
        "addresses": st.lists(address, max_size=5),
        "websites": st.lists(short | st.just("https://www.linkedin.com/in/bob"), max_size=5),
        "labels": st.lists(short, max_size=5),
        "notes": short,
        "custom_fields": st.dictionaries(short, json_value, max_size=5),
    },
)  # fmt: skip


@pytest.mark.parametrize("format_", ["csv", "xlsx", "vcard", "vcard3", "json"])
@settings(max_examples=40, deadline=None)
@given(signal=person)
def test_what_is_exported_is_read_back_without_loss(
    format_: Format, signal: dict[str, Any]
) -> None:
    """The facts of a contact and those of its export, read again, are the same."""
    try:
        facts = facts_of(signal)
    except PoisonMessageError:
        return
    record = record_of(facts)
    data = written([record], format_)
    again = facts_of(read_back(data, format_))
    said = facts_of({name: value for name, value in record.items() if name in PERSON_FIELDS})
    for name in ("websites", "labels", "identifiers"):  # their order says nothing
        again[name], said[name] = (sorted(map(str, one.get(name, ()))) for one in (again, said))
    assert again == said


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("＝1+1", "'＝1+1"),  # noqa: RUF001
        ("'=1", "''=1"),
        ("+49301234567", "+49301234567"),
        ("+49 30 123;ext=12", "+49 30 123;ext=12"),
        ("-5", "-5"),
        ("it's =", "it's ="),
        ("", ""),
    ],
)
def test_a_spreadsheet_computes_nothing(text: str, cell: str) -> None:
    """A number is left alone: nothing in it can be computed, and a quote would spoil it."""
    assert guarded(text) == cell


def test_a_cell_of_a_workbook_is_a_text() -> None:
    record = {"id": CONTACT, "full_name": "=1+1", "notes": "a\x01b"}
    book = load_workbook(io.BytesIO(workbook_of(Layout(None), [record])))
    header, row = book["Contacts"].iter_rows()
    cells = {name.value: cell for name, cell in zip(header, row, strict=True)}
    assert (cells["Name"].value, cells["Name"].data_type) == ("'=1+1", "s")
    assert orjson.loads(str(cells["More"].value)) == {"notes": "a\x01b"}


def test_lines_are_folded_between_characters() -> None:
    card = write_card({"id": CONTACT, "full_name": "日本語" * 40, "notes": "x" * 74}, "4.0")
    for line in card.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()
    assert b"".join(card.split(b"\r\n ")).decode().count("日本語") == 40


@pytest.mark.parametrize("version", ["3.0", "4.0"])
def test_another_library_reads_our_cards(version: Version) -> None:
    """`vobject` finds every value where vCard has a place for it."""
    record = {
        "id": CONTACT,
        "full_name": "Ada, Countess of Lovelace",
        "first_name": "Ada",
        "last_name": "Lovelace; née Byron",
        "emails": [
            {"value": "ada@acme.test", "label": "work", "primary": True},
            {"value": "ada@home.example", "label": "Büro"},
        ],
        "phones": [{"value": "+442079460958", "label": "mobile"}],
        "employments": [{"company_name": "Engines; Ltd", "department": "R, D", "title": "CTO"}],
        "addresses": [{"street": "5 Main St", "city": "Łódź", "country": "Poland"}],
        "websites": ["https://ada.example/?a=1"],
        "labels": ["Friends", "a, b"],
        "notes": "two\nlines, and; signs \\ of" + " all kinds" * 20,
        "birthday": "1815-12-10",
        "updated_at": UPDATED,
    }
    cards: list[Any] = list(vobject.readComponents(write_card(record, version).decode()))
    [card] = cards
    assert card.version.value == version
    assert card.fn.value == record["full_name"]
    assert (card.n.value.given, card.n.value.family) == ("Ada", "Lovelace; née Byron")
    assert [one.value for one in card.contents["email"]] == ["ada@acme.test", "ada@home.example"]
    assert [one.value for one in card.contents["x-ablabel"]] == ["Büro"]
    assert card.tel.value == "+442079460958"
    assert card.tel.params["TYPE"] == ["cell"]
    assert card.org.value == ["Engines; Ltd", "R, D"]
    assert card.title.value == "CTO"
    assert (card.adr.value.street, card.adr.value.city) == ("5 Main St", "Łódź")
    assert card.url.value == "https://ada.example/?a=1"
    assert card.categories.value == ["Friends", "a, b"]
    assert card.note.value == record["notes"]
    assert card.bday.value.replace("-", "") == "18151210"


@pytest.mark.parametrize("more", ["[1]", "{", '{"source": "manual_entry"}', '{"emails": 5}'])
def test_a_more_that_is_not_ours_is_named_and_harms_nothing(more: str) -> None:
    head = "Kith ID,Name,More\n"
    file = io.BytesIO(f'{head}{CONTACT},Ada,"{more.replace(chr(34), chr(34) * 2)}"\n'.encode())
    [row] = read_rows(file, sniff(file))
    assert isinstance(row, Row)
    assert [column for column, _ in row.left_out] == ["More"]
    assert (row.record["full_name"], row.record.keys() & {"source", "emails"}) == ("Ada", set())


@pytest.mark.parametrize("format_", get_args(Format))
def test_what_somebody_learned_survives_every_format(format_: Format) -> None:
    said = {
        "full_name": "Ada Lovelace",
        "education": [{"school": "Home", "degree": "none", "end_date": "1832-01-01"}],
        "social_posts": [{"platform": "twitter", "url": "https://x.com/1", "snippet": "So"}],
        "skills": [{"name": 'Analysis, of engines; and "notes"', "endorsements": 3}],
        "certifications": [{"name": "=CKA", "authority": "CNCF"}],
        "languages": [{"language": "French", "proficiency": "full_professional"}],
    }
    record = record_of(facts_of(said))
    back = facts_of(read_back(written([record], format_), format_))
    assert {name: back[name] for name in said} == said
