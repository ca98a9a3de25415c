"""People as JSON: cards (RFC 7095), kith's own export, and objects as a table's rows."""

import contextlib
import io
import json
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.sources.json_items import MAX_ITEM, Item, read_items
from services.ingest.sources.rejected_tables import Reject
from services.ingest.sources.rejects import media_of, write_rejects
from services.ingest.sources.row import BadRow
from services.ingest.sources.sniff import sniff
from shared.errors import PoisonMessageError
from tests.support.tables import Taken, take

CONTACT = "con_01J00000000000000000000000"
ADA: list[Any] = [
    ["version", {}, "text", "4.0"],
    ["fn", {}, "text", "Ada Byron"],
    ["n", {}, "text", ["Byron", "Ada", "", ["Dr.", "Prof."], ""]],
    ["bday", {}, "date-and-or-time", "--12-10"],
    ["email", {"type": "work", "pref": "1"}, "text", "ada@x.example"],
    ["tel", {"type": ["cell", "voice"]}, "uri", "tel:+44-7700-900123"],
    ["adr", {"type": "home"}, "text", ["", "", "12 St James; a", "London", "", "SW1Y", "UK"]],
    ["org", {"group": "item1"}, "text", ["Analytical, Ltd", "R&D"]],
    ["title", {"group": "item1"}, "text", "Countess"],
    ["photo", {}, "uri", "data:image/jpeg;base64," + "A" * 5_000],
    ["categories", {}, "text", "a,b", "c"],
    ["note", {}, "text", "line\ntwo"],
    ["url", {}, "uri", "https://ada.example/;x"],
    ["x-kith-reason", {}, "text", "was wrong"],
]
BOB = ["vcard", [["fn", {}, "text", "Bob"], ["email", {}, "text", "bob@x.example"]]]
SIGNALS: list[dict[str, Any]] = [
    {
        "source": "api_push",
        "id": CONTACT,
        "source_record_id": CONTACT,
        "about": CONTACT,
        "full_name": "Ada",
        "emails": [{"value": "ada@x.example", "label": "work", "primary": True}],
        "custom_fields": {"size": 38},
        "status": "active",
    },
    {"source": "api_push", "source_record_id": "b", "full_name": "Bob"},
]
OBJECTS = [
    {
        "firstName": "Ada",
        "lastName": "Byron",
        "email": "ada@x.example",
        "phone": 447700900123,
        "address": {"street": "12 St James", "city": "London"},
        "tags": ["vip", "press"],
        "active": True,
        "score": 4.0,
        "nothing": None,
    },
    {"firstName": "Bob", "email": "bob@x.example", "number": 12345678901234567890123},
]


def taken(value: Any, **options: Any) -> Taken:
    return take(json.dumps(value, **options).encode())


@pytest.mark.parametrize("value", [["vcard", ADA], [["vcard", ADA]]])
def test_a_jcard_is_read_as_the_card_that_it_is(value: Any) -> None:
    found = taken(value)
    assert found.sniffed.layout == "jcard"
    assert found.facts == [
        {
            "full_name": "Ada Byron",
            "first_name": "Ada",
            "last_name": "Byron",
            "name_prefix": "Dr. Prof.",
            "birthday": "--12-10",
            "emails": [{"value": "ada@x.example", "label": "work", "primary": True}],
            "phones": [{"value": "+447700900123", "label": "mobile"}],
            "addresses": [
                {
                    "street": "12 St James; a",
                    "city": "London",
                    "postal_code": "SW1Y",
                    "country": "UK",
                    "label": "home",
                }
            ],
            "employments": [
                {"company_name": "Analytical, Ltd", "department": "R&D", "title": "Countess"}
            ],
            "labels": ["a,b", "c"],
            "notes": "line\ntwo",
            "websites": ["https://ada.example/;x"],
        }
    ]
    assert "5," in str(found.bodies[0]["raw"])
    assert "AAAA" not in str(found.bodies[0]["raw"])


def test_what_is_no_card_is_refused_and_its_neighbours_are_read() -> None:
    found = taken([["vcard", ADA], ["card"], 5, None, ["vcard", [["fn"], *BOB[1], "x"]]])
    assert [facts["full_name"] for facts in found.facts] == ["Ada Byron", "Bob"]
    assert [note.line for note in found.tally.rejected] == [2, 3, 4]
    assert [note.field for note in found.tally.warnings] == ["property 1", "property 4"]


def test_an_export_of_kith_is_read_back() -> None:
    found = taken(SIGNALS)
    assert found.sniffed.layout == "signals"
    assert found.facts == [
        {
            "full_name": "Ada",
            "emails": [{"value": "ada@x.example", "label": "work", "primary": True}],
            "custom_fields": {"size": 38},
        },
        {"full_name": "Bob"},
    ]
    assert found.bodies[0]["about"] == CONTACT
    assert [body["source"] for body in found.bodies] == ["csv_upload"] * 2


def test_a_signal_that_is_none_is_refused_by_its_field() -> None:
    bad = [{**SIGNALS[0], "emails": "ada@x.example"}, {**SIGNALS[0], "birthday": "soon"}, 7]
    bad += [{**SIGNALS[0], "full_name": ["Ada"]}, {**SIGNALS[0], "addresses": [5], "phones": 5}]
    found = taken([*SIGNALS, *bad])
    assert [(note.line, note.field) for note in found.tally.rejected] == [
        *((3, "emails"), (4, "birthday"), (5, ""), (6, "full_name"), (7, "addresses.0"))
    ]


@pytest.mark.parametrize("options", [{}, {"indent": 2}])
def test_objects_are_the_rows_of_a_table(options: dict[str, Any]) -> None:
    found = taken(OBJECTS, **options)
    assert found.sniffed.layout == "json"
    assert found.facts == [
        {
            "first_name": "Ada",
            "last_name": "Byron",
            "full_name": "Ada Byron",
            "emails": [{"value": "ada@x.example"}],
            "phones": [{"value": "+447700900123"}],
            "addresses": [{"street": "12 St James", "city": "London"}],
            "labels": ["vip", "press"],
            "custom_fields": {"active": "true", "score": "4"},
        },
        {
            "first_name": "Bob",
            "full_name": "Bob",
            "emails": [{"value": "bob@x.example"}],
            "custom_fields": {"number": "12345678901234567890123"},
        },
    ]


def test_objects_one_a_line_lose_a_broken_line_only() -> None:
    lines = [json.dumps(one) for one in OBJECTS]
    found = take("\n".join([lines[0], '{"firstName": ', lines[1]]).encode())
    assert [facts["first_name"] for facts in found.facts] == ["Ada", "Bob"]
    assert [note.line for note in found.tally.rejected] == [2]


def test_an_operator_says_what_the_names_of_objects_are() -> None:
    [facts, _] = take(json.dumps(OBJECTS).encode(), {"score": "custom[Rating]"}).facts
    assert facts["custom_fields"] == {"Rating": "4", "active": "true"}


@pytest.mark.parametrize(
    "text",
    [
        '{"contacts": [{"name": "Ada", "email": "a@x.example"}], "next": null}',
        '{"a": "x", "contacts": {"a": "y", "list": [{"name": "Ada", "email": "a@x.example"}]}}',
        '{"results": [{"id": "1", "properties": {"name": "Ada", "email": "a@x.example"}}]}',
        '{"value": [{"displayName": "Ada", "emailAddresses": [{"address": "a@x.example"}]}]}',
    ],
)
def test_a_list_that_an_application_wraps_is_read(text: str) -> None:
    """Telegram's, HubSpot's and Microsoft's answers have something around it."""
    [facts] = take(text.encode()).facts
    assert (facts["full_name"], facts["emails"]) == ("Ada", [{"value": "a@x.example"}])


def test_a_list_that_a_script_assigns_is_read() -> None:
    """As the archive of X has the address book that was given to it."""
    person = {"id": "1", "emails": ["a@x.example"], "firstName": "Ada", "lastName": "King"}
    text = f"window.YTD.contact.part0 = {json.dumps([{'contact': person}], indent=2)}"
    [facts] = take(text.encode()).facts
    assert (facts["full_name"], facts["emails"]) == ("Ada King", [{"value": "a@x.example"}])


def test_an_object_that_names_somebody_is_no_wrapper() -> None:
    [facts] = take(b'{"name": "Ada", "email": "a@x.example", "jobs": [{"at": "Engines"}]}').facts
    assert facts["full_name"] == "Ada"


def test_another_programs_lists_of_addresses_do_not_make_it_a_signal() -> None:
    """A signal has no `email`: taken for one, the object would lose it without a word."""
    shop = {"first_name": "Ada", "email": "a@x.example", "addresses": [{"city": "Leeds"}]}
    found = taken([shop])
    assert found.sniffed.layout == "json"
    [facts] = found.facts
    assert facts["emails"] == [{"value": "a@x.example"}]
    assert facts["addresses"] == [{"city": "Leeds"}]


def test_the_first_of_several_objects_is_columns_and_the_others_are_counted() -> None:
    person = {
        "names": [{"displayName": "Ada King", "givenName": "Ada", "familyName": "King"}],
        "emailAddresses": [{"value": "a@x.example", "type": "work"}],
        "organizations": [{"name": "Engines", "title": "CTO"}],
        "addresses": [{"city": "Leeds", "country": "UK"}, {"city": "York", "country": "UK"}],
        "tags": [{"id": 1, "name": "vip"}],
    }
    [facts] = taken([person]).facts
    assert facts["full_name"] == "Ada King"
    assert facts["employments"] == [{"company_name": "Engines", "title": "CTO"}]
    assert [one["city"] for one in facts["addresses"]] == ["Leeds", "York"]
    assert facts["labels"] == ["vip"]


def test_objects_that_stand_in_a_cell_are_no_name() -> None:
    people: list[Any] = [{"name": "Ada", "company": "Engines"}]
    people += [{"name": "Bob", "company": [{"a": str(n)} for n in range(9)]}]
    found = taken(people)
    assert "employments" not in found.facts[1]
    assert [(note.line, note.field) for note in found.tally.warnings] == [(2, "company")]


def test_what_facebook_keeps_together_is_told_apart() -> None:
    points = [{"contact_point": "+44 7700 900123"}, {"contact_point": "a@x.example"}]
    book = {"address_book_v2": {"address_book": [{"name": "Ada", "details": points}]}}
    [facts] = taken(book).facts
    assert facts["phones"] == [{"value": "+447700900123"}]
    assert facts["emails"] == [{"value": "a@x.example"}]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "JSON"),
        ("{}", "header"),
        ('[{"a": 1}, {"a": 2}]', "header"),
        ('{"items": [{"a": 1}], "next": null}', "header"),
        ('[{"signal": "activity", "kind": "call"}]', "JSON"),
        ("[" * 200_000, "JSON"),
        ('[{"name": "Ada\\u0000"}]', "NUL"),
    ],
)
def test_json_that_is_no_people_says_so(text: str, says: str) -> None:
    with pytest.raises(PoisonMessageError, match=says):
        take(text.encode())


def test_what_is_nested_too_deep_costs_itself_only() -> None:
    deep = '{"name": "Eve", "x": ' + "[" * 100 + "]" * 100 + "}"
    found = take(f'[{deep}, {{"name": "Bob", "email": "b@x.example"}}]'.encode())
    assert [facts["full_name"] for facts in found.facts] == ["Bob"]
    assert "nested" in found.tally.rejected[0].reason


def test_half_a_character_is_replaced() -> None:
    found = take(b'[{"name": "Ada \\ud83d", "email": "a@x.example"}]')
    assert found.facts[0]["full_name"] == "Ada ?"


@pytest.mark.parametrize("value", [[["vcard", ADA], BOB], SIGNALS, OBJECTS])
def test_a_file_cut_off_anywhere_keeps_its_whole_items_and_tells_of_the_last(value: Any) -> None:
    data = json.dumps(value).encode()
    whole = take(data).facts
    for percent in range(100):
        cut = data[: len(data) * percent // 100]
        try:
            found = take(cut)
        except PoisonMessageError:
            continue
        assert all(facts in whole for facts in found.facts)
        assert found.tally.rejected


def test_an_item_without_an_end_is_bounded() -> None:
    data = b'[{"name": "Ada"}, {"name": "' + b"x" * (3 * MAX_ITEM) + b'"}]'
    items = list(read_items(io.BytesIO(data), "utf-8"))
    assert items[0] == Item(1, {"name": "Ada"})
    assert isinstance(items[1], BadRow)
    assert "longer" in items[1].reason


def test_small_items_behind_a_large_one_are_read_at_their_own_cost() -> None:
    large, small = json.dumps({"name": "x" * (MAX_ITEM // 2)}), '{"name": "Ada"}'
    data = f"[{large},{','.join([small] * 100_000)}]".encode()
    began = process_time()
    assert sum(1 for _ in read_items(io.BytesIO(data), "utf-8")) == 100_001
    assert process_time() - began < 10


def test_rejected_items_come_back_with_their_reasons_to_be_fed_again() -> None:
    for value, reason in ((OBJECTS, "kith reason"), (SIGNALS, "kith reason"), ([BOB], "was bad")):
        file, out = io.BytesIO(json.dumps(value).encode()), io.BytesIO()
        sniffed = sniff(file)
        assert media_of(sniffed) == ("application/json", "json")
        write_rejects(file, sniffed, [Reject(len(value), None, "was bad")], out)
        assert reason in out.getvalue().decode()
        assert take(out.getvalue()).facts == take(json.dumps(value).encode()).facts[-1:]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)


@settings(deadline=None, max_examples=150)
@given(st.lists(values.filter(lambda one: isinstance(one, dict | list | str)), max_size=6))
def test_any_list_is_read_item_by_item(items: list[Any]) -> None:
    text = json.dumps(items, indent=1, allow_nan=True)
    found = list(read_items(io.BytesIO(text.encode()), "utf-8"))
    assert [one.number for one in found if isinstance(one, Item)] == list(range(1, len(items) + 1))


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=60))
def test_any_bytes_behind_a_bracket_are_read_to_an_end(data: bytes) -> None:
    file = io.BytesIO(b'[{"name": "Ada", "email": "a@x.example"}' + data)
    first, *_ = read_items(file, "utf-8")
    assert first == Item(1, {"name": "Ada", "email": "a@x.example"})
    with contextlib.suppress(PoisonMessageError):
        assert take(file.getvalue()).facts[0]["full_name"] == "Ada"


def test_every_table_says_the_same_as_objects() -> None:
    """What a column is called means the same as the name of a value."""
    header, *rows = ["Name,E-mail,Mobile", "Ada,ada@x.example,+44 7700 900123"]
    table = take("\n".join([header, *rows]).encode())
    objects = taken([dict(zip(header.split(","), row.split(","), strict=True)) for row in rows])
    assert objects.facts == table.facts
