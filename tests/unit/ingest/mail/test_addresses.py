"""Address headers, however badly written: a broken mailbox costs itself, not its neighbours."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.sources.mail.addresses import MAX_NAME, decode_words, read_addresses

CASES = {
    "ada@x.example": [(None, "ada@x.example")],
    "Ada Lovelace <ada@x.example>": [("Ada Lovelace", "ada@x.example")],
    '"Lovelace, Ada" <ada@x.example>, bob@y.example': [
        ("Ada Lovelace", "ada@x.example"),
        (None, "bob@y.example"),
    ],
    "Lovelace, Ada <ada@x.example>": [("Ada Lovelace", "ada@x.example")],
    '"Engines, Inc." <sales@x.example>': [("Engines, Inc.", "sales@x.example")],
    "ada@x.example (Ada Lovelace)": [("Ada Lovelace", "ada@x.example")],
    'Team: "A, B" <a@x.example>, c@y.example;, d@z.example': [
        ("B A", "a@x.example"),
        (None, "c@y.example"),
        (None, "d@z.example"),
    ],
    "undisclosed-recipients:;": [],
    "=?utf-8?Q?M=C3=BCller=2C_J=C3=B6rg?= <j@x.example>": [("Jörg Müller", "j@x.example")],
    '"=?utf-8?B?w4RubmU=?=" <a@x.example>': [("Änne", "a@x.example")],
    "=?utf-8?B?w4Q=?= =?utf-8?B?bm5l?= <a@x.example>": [("Änne", "a@x.example")],
    "=?utf-8?Q?caf=C3?= =?utf-8?Q?=A9?= <c@x.example>": [("café", "c@x.example")],
    "=?gb2312?B?1cXI/Q==?= <z@x.example>": [("张三", "z@x.example")],
    "=?iso-2022-jp?B?GyRCOzNFRBsoQg==?= <y@x.example>": [("山田", "y@x.example")],
    "=?x-nowhere?Q?=FC?= <u@x.example>": [("ü", "u@x.example")],
    "Jürgen <jürgen@exämple.de>": [("Jürgen", "jürgen@exämple.de")],
    "'Bob' <bob@x.example>": [("Bob", "bob@x.example")],
    '"bob@x.example" <bob@x.example>': [(None, "bob@x.example")],
    "Kevin <o'malley@x.example>": [("Kevin", "o'malley@x.example")],
    "Ada via Engines List <list@x.example>": [("Ada", "list@x.example")],
    "<@relay,@other:ada@x.example>": [(None, "ada@x.example")],
    "<mailto:ada@x.example>": [(None, "ada@x.example")],
    "a@x.example; b@y.example": [(None, "a@x.example"), (None, "b@y.example")],
    'a@b@c, <x y@z.example>, "unterminated <q@r.example>': [
        (None, "y@z.example"),
        ("unterminated < >", "q@r.example"),
    ],
    "Ada <ada @ x . example>": [("Ada", "ada@x.example")],
    "nobody at all": [],
    "": [],
}


@pytest.mark.parametrize("value", CASES)
def test_mailboxes_of_a_header(value: str) -> None:
    assert [(box.name, box.address) for box in read_addresses(value)] == CASES[value]


def test_words_inside_of_text_are_decoded() -> None:
    assert decode_words("Re: =?utf-8?Q?=C3=9Cber?= uns") == "Re: Über uns"
    assert decode_words("a =?utf-8?Q?") == "a =?utf-8?Q?"
    assert decode_words("=?utf-8?B?!!!?= x").strip() == "x"


@given(st.text(max_size=300) | st.text(st.sampled_from('a@b.c,;:<>()"\\= ?utf-8QB'), max_size=200))
def test_any_text_is_read(value: str) -> None:
    for box in read_addresses(value):
        assert "@" in box.address
        assert box.name is None or 0 < len(box.name) <= MAX_NAME


@pytest.mark.parametrize("piece", ["<", "(", '"', "a@b,", "=?utf-8?Q?a?= ", ":", "(\\", "<@"])
def test_a_long_header_takes_no_long_time(piece: str) -> None:
    begun = time.process_time()
    list(read_addresses(piece * 40_000))
    assert time.process_time() - begun < 2.0
