"""vCards as their many writers write them: what is read of each, in full."""

import io
from pathlib import Path

import orjson
import pytest

from services.ingest.sources.row import BadRow, Blank, Row
from services.ingest.sources.vcard_groups import Groups, read_groups
from tests.support.vcards import accounts_of, card, facts_of, read

FIXTURES = Path(__file__).parents[2] / "fixtures" / "formats" / "vcard"

ENCODINGS = {
    "broken": "cp1252",
    "japan_2_1_shift_jis": "cp1252",
    "outlook_2_1": "cp1252",
    "utf_16_be_no_bom": "utf-16-be",
    "utf_16_bom": "utf-16",
    "utf_16_le_no_bom": "utf-16-le",
    "utf_8_bom": "utf-8-sig",
}
"""Fixture → its encoding, where it is not UTF-8; a declared one goes before."""

REGIONS = {"android_2_1": "TR", "android_3_0": "VN", "japan_2_1_shift_jis": "JP"}
"""Fixture → where its national phone numbers are from."""


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.vcf")), ids=lambda path: path.stem)
def test_every_dialect_is_read_in_full(path: Path) -> None:
    found = accounts_of(
        path.read_bytes(), ENCODINGS.get(path.stem, "utf-8"), REGIONS.get(path.stem)
    )
    assert found == orjson.loads(path.with_suffix(".json").read_bytes())


def test_every_dialect_has_a_line_in_the_matrix() -> None:
    matrix = (Path(__file__).parents[3] / "docs" / "formats.md").read_text("utf-8")
    assert all(f"`{path.name}`" in matrix for path in FIXTURES.glob("*.vcf"))


def test_other_encodings_and_line_ends_change_nothing() -> None:
    names = ("utf_16_bom", "utf_16_be_no_bom", "utf_16_le_no_bom", "utf_8_bom", "old_mac_bare_cr")
    found = [
        accounts_of((FIXTURES / f"{name}.vcf").read_bytes(), ENCODINGS.get(name, "utf-8"))
        for name in (*names, "twice_converted")
    ]
    assert all(one == found[0] for one in found)


def test_the_record_as_it_came_keeps_what_stands_before_and_after_the_colon() -> None:
    [row] = read(
        card("item1.TEL;type=pref:+44 7700 900123", "item1.X-ABLabel:Boat", "NOTE:a\\, b", "X-A:1")
    )
    assert isinstance(row, Row)
    assert row.raw == {
        "VERSION": "3.0",
        "item1.TEL;type=pref": "+44 7700 900123",
        "item1.X-ABLabel": "Boat",
        "NOTE": "a\\, b",
        "X-A": "1",
    }


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["FN:Ada"], {"full_name": "Ada"}),
        (["N:Ada Byron"], {"full_name": "Ada Byron"}),
        (["N:Byron;Ada"], {"full_name": "Ada Byron", "first_name": "Ada", "last_name": "Byron"}),
        (["N:;Ada;;;", "FN:ada@x.example"], {"full_name": "ada@x.example", "first_name": "Ada"}),
        (["N:;Ada;;;", "FN:a@x.example", "EMAIL:A@x.example"], {"full_name": "Ada"}),
        (["FN;PREF=2:Second", "FN;PREF=1:First"], {"full_name": "First"}),
        (["FN:A", "NICKNAME:B\\,C,D"], {"full_name": "A", "nickname": "B,C"}),
        (["N:O'Neil, Jr.;Ada;;;"], {"last_name": "O'Neil, Jr."}),
        (["FN:A", "NICKNAME;VALUE=text:B"], {"nickname": "B"}),
    ],
)
def test_names(lines: list[str], expected: dict[str, str]) -> None:
    facts = facts_of(*lines)
    assert {name: facts.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("line", "birthday"),
    [
        ("BDAY:1815-12-10", "1815-12-10"),
        ("BDAY:18151210", "1815-12-10"),
        ("BDAY:1815-12-10T00:00:00Z", "1815-12-10"),
        ("BDAY:--1210", "--12-10"),
        ("BDAY:--12-10", "--12-10"),
        ("BDAY:1604-12-10", "--12-10"),
        ("BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29", "--02-29"),
        ("BDAY;X-APPLE-OMIT-YEAR=1892:1892-12-10", "--12-10"),
        ("BDAY:10.12.1815", "1815-12-10"),
        ("BDAY:1815/12/1", "1815-12-01"),
        ("BDAY;VALUE=text:around 1815", None),
        ("BDAY:1815", None),
        ("BDAY:---10", None),
        ("BDAY:0/0/00", None),
    ],
)
def test_birthdays_with_and_without_a_year(line: str, birthday: str | None) -> None:
    facts = facts_of("FN:Ada", line)
    assert facts.get("birthday") == birthday
    kept = facts.get("custom_fields", {}).get("birthday")
    assert (kept is None) == (birthday is not None or line == "BDAY:0/0/00")


def test_a_date_that_is_none_is_named() -> None:
    [row] = read(card("FN:Ada", "BDAY:31/02/1980"))
    assert isinstance(row, Row)
    assert [name for name, _ in row.left_out] == ["BDAY"]


@pytest.mark.parametrize(
    ("head", "label"),
    [
        ("TEL;TYPE=CELL", "mobile"),
        ("TEL;CELL;VOICE", "mobile"),
        ('TEL;TYPE="cell,pref"', "mobile"),
        ("TEL;TYPE=WORK,FAX", "work fax"),
        ("TEL;FAX;HOME", "home fax"),
        ("TEL;type=IPHONE;type=CELL;type=VOICE;type=pref", "iphone"),
        ("TEL;TYPE=WORK;TYPE=CELL", "work mobile"),
        ("TEL;TYPE=X-Boat", "boat"),
        ("TEL;VOICE", None),
        ("TEL", None),
        ("TEL;X-CUSTOM(CHARSET=UTF-8,ENCODING=QUOTED-PRINTABLE,=59=61=7A)", "Yaz"),
        ("TEL;X-CUSTOM(Boat)", "Boat"),
    ],
)
def test_labels_of_numbers(head: str, label: str | None) -> None:
    [phone] = facts_of(f"{head}:+44 7700 900123")["phones"]
    assert (phone["value"], phone.get("label")) == ("+447700900123", label)


@pytest.mark.parametrize(
    ("written", "label"),
    [("_$!<Mobile>!$_", "mobile"), ("_$!<HomeFAX>!$_", "home fax"), ("Chess club", "Chess club")],
)
def test_labels_that_apple_keeps_beside_a_number(written: str, label: str) -> None:
    facts = facts_of("item1.TEL;type=CELL:+44 7700 900123", f"ITEM1.X-ABLabel:{written}")
    assert facts["phones"][0]["label"] == label


@pytest.mark.parametrize(
    ("heads", "primary"),
    [
        (("TEL", "TEL"), None),
        (("TEL", "TEL;PREF"), 1),
        (("TEL;TYPE=pref", "TEL;TYPE=pref"), 0),
        (("TEL;PREF=7", "TEL;PREF=2"), 1),
        (("TEL;PREF=7", "TEL"), 0),
    ],
)
def test_the_number_that_is_wanted_most_is_primary(
    heads: tuple[str, str], primary: int | None
) -> None:
    phones = facts_of(f"{heads[0]}:+447700900123", f"{heads[1]}:+447700900124")["phones"]
    assert [place for place, one in enumerate(phones) if "primary" in one] == (
        [] if primary is None else [primary]
    )


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("tel:+1-212-555-0123", "+12125550123"),
        ("TEL:+1-212-555-0123;ext=5;phone-context=x", "+12125550123;ext=5"),
        ("+1 212 555 0123,,55#", "+12125550123;ext=55"),
        ("+12125550123p55", "+12125550123;ext=55"),
        ("+12125550123 w 55", "+12125550123;ext=55"),
    ],
)
def test_numbers_as_addresses_and_with_pauses(written: str, read_as: str) -> None:
    assert facts_of(f"TEL:{written}")["phones"] == [{"value": read_as}]


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("URL:https://twitter.com/ada", "twitter_handle", "ada"),
        ("URL:https://x.com/@Ada?s=20", "twitter_handle", "ada"),
        ("X-SOCIALPROFILE;type=twitter;x-user=Ada:x-apple:Ada", "twitter_handle", "ada"),
        ("X-TWITTER:@ada", "twitter_handle", "ada"),
        ("URL:github.com/ada-b/", "github_username", "ada-b"),
        ("X-SOCIALPROFILE;type=instagram:https://www.instagram.com/a.b/", "ig_username", "a.b"),
        ("URL:https://m.facebook.com/profile.php?id=12345&x=1", "fb_user_id", "12345"),
        ("X-SOCIALPROFILE;type=linkedin;x-user=ada-b:x-apple:ada-b", "linkedin_public_id", "ada-b"),
        ("SOCIALPROFILE;SERVICE-TYPE=GitHub;USERNAME=ada:x", "github_username", "ada"),
        ("URL:http\\://de.linkedin.com/in/Ada-B/?trk=x", "linkedin_public_id", "ada-b"),
        ("IMPP;X-SERVICE-TYPE=Twitter:https://twitter.com/ada", "twitter_handle", "ada"),
    ],
)
def test_profiles_are_identifiers(line: str, field: str, value: str) -> None:
    facts = facts_of("FN:Ada", line)
    assert facts["identifiers"] == [{"type": field, "value": value}]
    assert "websites" not in facts


@pytest.mark.parametrize(
    "url",
    [
        "https://ada.example/x",
        "ada.example",
        "https://twitter.com/intent/tweet?x=1",
        "https://twitter.com/search",
        "https://github.com/ada/engine",
        "https://www.linkedin.com/company/engines",
        "https://www.facebook.com/ada.lovelace",
        "https://notx.com/ada",
        "not even a link",
    ],
)
def test_other_pages_are_websites(url: str) -> None:
    facts = facts_of("FN:Ada", f"URL:{url}")
    assert (facts["websites"], "identifiers" in facts) == ([url], False)


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("IMPP:skype:ada.l?chat", "skype", "ada.l"),
        ("IMPP;X-SERVICE-TYPE=Jabber:xmpp:ada@x.example", "jabber", "ada@x.example"),
        ("IMPP:aim:ada%20b", "aim", "ada b"),
        ("IMPP;TYPE=home:ada", "im", "ada"),
        ("X-GOOGLE-TALK:ada@x.example", "google_talk", "ada@x.example"),
        ("X-AIM;TYPE=HOME:ada", "aim", "ada"),
        ("GENDER:F", "gender", "female"),
        ("GENDER:;fluid", "gender_identity", "fluid"),
        ("TZ:-0500", "time_zone", "-0500"),
        ("GEO:51.5;-0.1", "geo", "51.5,-0.1"),
        ("RELATED;TYPE=parent;VALUE=text:Anne", "parent", "Anne"),
        ("X-ABRELATEDNAMES:Anne", "related", "Anne"),
        ("ANNIVERSARY:18350708", "anniversary", "1835-07-08"),
        ("X-ANNIVERSARY:spring", "anniversary", "spring"),
        ("X-MAIDENNAME:Byron", "maiden_name", "Byron"),
        ("X-SHOE-SIZE:38\\,5", "shoe_size", "38,5"),
        ("X-ANDROID-CUSTOM:vnd.android.cursor.item/relation;Anne;8;;", "mother", "Anne"),
        ("X-ANDROID-CUSTOM:vnd.android.cursor.item/relation\\;Anne\\;99", "related", "Anne"),
        ("X-ANDROID-CUSTOM:vnd.com.vendor.item/pet;Rex;;", "pet", "Rex"),
        ("PHOTO;VALUE=uri:ftp://x.example/a.jpg", "photo_url", "ftp://x.example/a.jpg"),
        ("LOGO;VALUE=uri:https://x.example/a.jpg", "logo_url", "https://x.example/a.jpg"),
    ],
)
def test_what_no_field_holds_is_a_custom_field(line: str, key: str, value: str) -> None:
    assert facts_of("FN:Ada", line)["custom_fields"] == {key: value}


def test_a_photo_on_the_web_and_a_zone_have_fields_of_their_own() -> None:
    photo = "PHOTO;VALUE=uri:https://x.example/a.jpg"
    facts = facts_of("FN:Ada", photo, "PHOTO:https://x.example/b.jpg", "TZ:Europe/London")
    assert (facts["photo_url"], facts["timezone"]) == ("https://x.example/a.jpg", "Europe/London")
    assert facts["custom_fields"] == {"photo_url": "https://x.example/b.jpg"}


def test_what_applications_tell_themselves_is_no_custom_field() -> None:
    facts = facts_of(
        "FN:Ada",
        "PRODID:x",
        "X-IMAGEHASH:x",
        "X-MS-OL-DESIGN:x",
        "X-APPLE-X:y",
        "X-EMPTY:",
        "LANG:",
    )
    assert facts == {"full_name": "Ada"}


def test_companies_and_titles_belong_together() -> None:
    jobs = facts_of(
        "FN:A", "ORG:One;R&D", "item1.ORG:Two", "item1.TITLE:Second", "TITLE:First", "TITLE:Third"
    )["employments"]
    assert jobs == [
        {"company_name": "One", "department": "R&D", "title": "First"},
        {"company_name": "Two", "title": "Second"},
        {"title": "Third"},
    ]


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        (["FN:Acme", "X-ABShowAs:COMPANY"], BadRow),
        (["FN:Acme", "N:Byron;Ada", "X-ABShowAs:COMPANY"], Row),
        (["FN:Acme", "KIND:org"], BadRow),
        (["FN:Room 4", "KIND:location"], BadRow),
        (["FN:Ada", "KIND:individual"], Row),
        (["FN:Friends", "KIND:group", "MEMBER:urn:uuid:1"], Blank),
        ([], Blank),
        (["PRODID:x"], Blank),
    ],
)
def test_only_people_are_taken(lines: list[str], verdict: type) -> None:
    [row] = read(card(*lines))
    assert type(row) is verdict


def test_a_large_group_before_or_after_its_members_labels_them() -> None:
    people = b"".join(card(f"FN:P{one}", f"UID:urn:uuid:{one}") for one in range(3))
    members = [f"X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:{one}" for one in range(2_000)]
    group = card("X-ADDRESSBOOKSERVER-KIND:group", "FN:Club", *members)
    loud = card("KIND:GROUP", "FN:Choir", "MEMBER:2")
    for data in (people + group + loud, group + people + loud, loud + group + people):
        labels = [row.record["labels"] for row in read(data) if isinstance(row, Row)]
        assert [set(one) for one in labels] == [{"Club"}, {"Club"}, {"Club", "Choir"}]


def test_groups_are_read_up_to_a_bound_and_the_first_beyond_it_is_told() -> None:
    group = card("KIND:group", "FN:Club", "MEMBER:urn:uuid:1", "MEMBER:2")
    found = read_groups(io.BytesIO(group * 3), "utf-8", most=5)
    assert found == Groups({"1": ("Club",), "2": ("Club",)}, unread=15)


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("REV:2024-03-01T12:34:56Z", 1_709_296_496_000),
        ("REV:20240301T123456Z", 1_709_296_496_000),
        ("REV:2024-03-01T13:34:56.5+01:00", 1_709_296_496_500),
        ("REV:2024-03-01T12:34:56", 1_709_296_496_000),
        ("REV:1960-01-01", 0),
        ("REV:yesterday", None),
        ("NOTE:x", None),
    ],
)
def test_the_revision_is_the_version_of_a_card_that_has_an_id(
    line: str, version: int | None
) -> None:
    [with_id, without] = read(card("FN:A", "UID:1", line) + card("FN:B", line))
    assert isinstance(with_id, Row)
    assert isinstance(without, Row)
    assert (with_id.uid, with_id.record.get("source_version")) == ("1", version)
    assert (without.uid, without.record.get("source_version")) == (None, None)


def test_what_is_too_long_for_its_field_is_kept_whole() -> None:
    page, label = f"https://x.example/{'a' * 400}", "b" * 300
    [row] = read(card("FN:Ada", f"URL:{page}", f"CATEGORIES:{label},short"))
    assert isinstance(row, Row)
    assert row.record["custom_fields"] == {"url": page, "categories": label}
    assert row.record["labels"] == ["short"]
    reason = "is longer than 255 characters; kept as a custom field"
    assert sorted(row.left_out) == [("CATEGORIES", reason), ("URL", reason)]
