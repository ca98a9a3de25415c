"""Files of contacts: every dialect, with everything that real exports do to them."""

import csv
import io
import random
from pathlib import Path
from typing import Any

import pytest

from services.ingest.sources.sniff import sniff
from shared.errors import PoisonMessageError
from tests.support import tables
from tests.support.tables import Tally

SAMPLES = Path(__file__).parents[3] / "samples"
ACTIVITIES = Path(__file__).parents[2] / "fixtures" / "activities"

OLD = (
    "Name,Given Name,Additional Name,Family Name,Yomi Name,Birthday,Notes,Group Membership,"
    "E-mail 1 - Type,E-mail 1 - Value,Phone 1 - Type,Phone 1 - Value,"
    "Organization 1 - Name,Organization 1 - Title\r\n"
    "Zoë Ada Byron,Zoë,Ada,Byron,,--12-10,,* myContacts ::: School,"
    "* Work,z@x.example ::: zoe@y.example,Mobile,+44 7700 900123,Engines,Countess\r\n"
)
LINKEDIN = (
    'Notes:\n"When exporting, ""some"" e-mails\nare missing."\n\n'
    "First Name,Last Name,URL,Email Address,Company,Position,Connected On\n"
    "Ada,Byron,https://www.linkedin.com/in/Ada-B/,,Engines,Countess,12 Mar 2024\n"
    ",,,,,,12 Mar 2024\n,,,,,,\n"
    "Bob,Bell,https://www.linkedin.com/in/bob,bob@x.example,,,7-Feb-22\n"
)
LINKEDIN_OLD = (
    "First Name,Last Name,Email Address,Company,Position,Connected On\n"
    "Ada,Byron,,Engines,Countess,12 Mar 2024\n"
)
VCARD = (
    "\r\nBEGIN:VCARD\r\nVERSION:3.0\r\nN:Byron;Zoë;;Lady;\r\nFN:Zoë Byron\r\n"
    "item1.TEL:+44 7700 900123\r\nitem1.X-ABLabel:_$!<HomeFAX>!$_\r\n"
    "PHOTO;BASE64:" + "QUJD" * 40_000 + "\r\n AAAA\r\n"
    "BDAY;X-APPLE-OMIT-YEAR=1604:1604-12-10\r\n"
    "ADR;TYPE=HOME:;;1 A\\, B;London;;N1;UK\r\nURL:https\\://www.linkedin.com/in/zoe-b\r\n"
    "NOTE:one\\ntwo\\; three\r\nEND:VCARD\r\n"
    "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Bob Bell\r\n"
    "TEL;VALUE=uri;PREF=1:tel:+1-212-555-0123;ext=5\r\n"
    "EMAIL:bob@x.example\r\nBDAY:--0415\r\n"
    "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=4B=C3=B6hler;J=\r\n"
    "=C3=B6rg\r\nTEL;CELL;PREF:+49 30 23125500\r\nEND:VCARD"
)


def take(data: bytes, max_rows: int = 1_000) -> tuple[list[dict[str, Any]], Tally, str]:
    """Read a file; return bodies, verdicts and layout."""
    taken = tables.take(data, max_rows=max_rows)
    return taken.bodies, taken.tally, taken.sniffed.layout


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_the_old_google_layout_in_every_encoding(encoding: str) -> None:
    [body], tally, layout = take(OLD.encode(encoding))
    facts = body["facts"]
    assert (layout, tally.accepted) == ("google_old", 1)
    assert facts["first_name"] == "Zoë"
    assert facts["birthday"] == "--12-10"
    assert facts["labels"] == ["School"]
    assert facts["emails"] == [
        {"label": "Work", "primary": True, "value": "z@x.example"},
        {"label": "Work", "primary": True, "value": "zoe@y.example"},
    ]
    assert facts["employments"] == [{"company_name": "Engines", "title": "Countess"}]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(csv.reader(io.StringIO(OLD)))
    assert take(out.getvalue().encode())[1].accepted == 1


def test_an_encoding_that_nothing_says_is_marked_as_assumed() -> None:
    assert sniff(io.BytesIO(OLD.encode("cp1252"))).assumed
    assert not sniff(io.BytesIO(OLD.encode())).assumed


def test_linkedin_with_its_preamble_both_dates_and_closed_accounts() -> None:
    bodies, tally, layout = take(LINKEDIN.encode())
    assert (layout, tally.rows, tally.accepted, tally.blank) == ("linkedin", 4, 2, 2)
    assert [body["facts"]["custom_fields"]["linkedin_connected_on"] for body in bodies] == [
        "2024-03-12",
        "2022-02-07",
    ]
    assert bodies[0]["facts"]["linkedin_url"] == "https://www.linkedin.com/in/ada-b"
    assert bodies[0]["raw"]["URL"] == "https://www.linkedin.com/in/Ada-B/"


def test_linkedin_of_old_has_no_address() -> None:
    [body], _, layout = take(LINKEDIN_OLD.encode())
    assert (layout, body["facts"]["full_name"]) == ("linkedin", "Ada Byron")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_vcards_of_three_versions_with_what_exporters_do_to_them(encoding: str) -> None:
    (zoe, bob, joerg), tally, layout = take(VCARD.encode(encoding))
    assert (layout, tally.accepted) == ("vcard", 3)
    assert [(note.line, note.field) for note in tally.warnings] == [(15, "END")]
    assert zoe["facts"]["phones"] == [{"label": "home fax", "value": "+447700900123"}]
    assert zoe["facts"]["birthday"] == "--12-10"
    assert zoe["facts"]["addresses"][0]["street"] == "1 A, B"
    assert zoe["facts"]["linkedin_url"] == "https://www.linkedin.com/in/zoe-b"
    assert zoe["facts"]["notes"] == "one\ntwo; three"
    assert zoe["raw"]["PHOTO;BASE64"] == "(160,007 bytes, left out)"
    assert bob["facts"]["phones"] == [{"primary": True, "value": "+12125550123;ext=5"}]
    assert bob["facts"]["birthday"] == "--04-15"
    assert joerg["facts"]["full_name"] == "Jörg Köhler"
    assert joerg["facts"]["phones"][0]["label"] == "mobile"


def test_a_fold_may_cut_a_character_in_two() -> None:
    raw = b"NOTE:Krak" + b"\xc3\r\n \xb3w\r\n"
    card = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ada\r\n" + raw + b"END:VCARD\r\n"
    assert take(card)[0][0]["facts"]["notes"] == "Kraków"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"a,b,c\n1,2,3\n", "header"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "header"),
        (OLD.partition("\r\n")[0].encode(), "no person"),
        (b"BEGIN:VCARD\r\nEND:VCARD\r\n", "no person"),
    ],
)
def test_a_file_in_which_nothing_is_recognised_is_no_success(data: bytes, says: str) -> None:
    with pytest.raises(PoisonMessageError, match=says):
        take(data)


@pytest.mark.parametrize(
    "data",
    [
        (ACTIVITIES / "android_calls.csv").read_bytes(),
        (ACTIVITIES / "router_calls_de.csv").read_bytes(),
        (ACTIVITIES / "iphone_messages.csv").read_bytes(),
        (ACTIVITIES / "imazing_messages.csv").read_bytes(),
        (ACTIVITIES / "android_calls.xml").read_bytes(),
        (ACTIVITIES / "android_messages.xml").read_bytes(),
    ],
)
def test_what_happened_is_no_address_book_and_is_sent_where_it_belongs(data: bytes) -> None:
    with pytest.raises(PoisonMessageError, match="kith activities"):
        take(data)


@pytest.mark.parametrize(
    "text",
    [
        "Timestamp,Name,Phone,Type\n1/2/2026 10:00:00,Ann,+442079460958,Customer\n",
        "Name,Phone,Date,Type\nAnn,+442079460958,1985-12-10,1\n",
        "Name,Email,Phone,Join Time,Duration\nAnn,a@x.example,+442079460958,10:00,12\n",
    ],
)
def test_a_list_of_people_with_moments_in_it_is_one_of_people(text: str) -> None:
    [row] = take(text.encode())[0]
    assert row["facts"]["full_name"] == "Ann"


def test_a_file_of_too_many_rows_is_refused() -> None:
    with pytest.raises(PoisonMessageError, match="too_large"):
        take(LINKEDIN.encode(), max_rows=3)


def test_one_bad_row_leaves_its_neighbours_alone() -> None:
    long = "x" * 300
    rows = f"{long},,,,,,,,,,,,,\r\n,Ada,,,,,,,,,,,,,too wide\r\n"
    rows += ',Bob,,Bell,,,,,,,,,,\r\n,Ada,"never closed'
    bodies, tally, _ = take((OLD + rows + "y" * 140_000).encode())
    assert [body["facts"]["first_name"] for body in bodies] == ["Zoë", "Bob"]
    assert [(note.line, note.field) for note in tally.rejected] == [(3, "Name"), (4, ""), (6, "")]
    assert long not in str(tally.rejected)


@pytest.mark.parametrize(
    "name", ["google_contacts.csv", "linkedin_connections.csv", "icloud_contacts.vcf"]
)
def test_the_samples_are_read_and_every_row_has_a_verdict(name: str) -> None:
    bodies, tally, _ = take((SAMPLES / name).read_bytes())
    assert tally.rows == tally.accepted + tally.refused + tally.blank
    assert tally.accepted == len(bodies) >= 98
    assert len({body["record_key"] for body in bodies}) == len(bodies)


def test_the_same_rows_in_another_order_are_the_same_deliveries() -> None:
    text = (SAMPLES / "google_contacts.csv").read_bytes().decode()
    rows = list(csv.reader(io.StringIO(text, newline="")))
    head, people = rows[0], rows[1:]
    out = io.StringIO()
    random.Random(7).shuffle(people)
    csv.writer(out).writerows([head, *people])
    one = take((SAMPLES / "google_contacts.csv").read_bytes())[0]
    two = take(out.getvalue().encode())[0]
    assert {(body["record_key"], body["content_hash"]) for body in one} == {
        (body["record_key"], body["content_hash"]) for body in two
    }


def test_a_person_whose_row_was_edited_is_the_same_record_and_a_family_is_not() -> None:
    edited = OLD.replace("Countess", "Mathematician")
    [one], [two] = take(OLD.encode())[0], take(edited.encode())[0]
    assert one["record_key"] == two["record_key"]
    assert one["content_hash"] != two["content_hash"]
    family = OLD + OLD.split("\r\n")[1].replace("Zoë", "Ann") + "\r\n"
    assert len({body["record_key"] for body in take(family.encode())[0]}) == 2
