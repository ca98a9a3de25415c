"""What is kept of entries says what they said, whoever reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.ingest.domain.entries import Entry, Taken, pack, unpack
from services.ingest.domain.mapping import Normalized, Origin

TEXT = st.sampled_from(["", "x", "é\x00\n", "\U0001f600" * 9])
BYTES = st.sampled_from([b"", b"\x00\xff", b'{"a":1}' * 9])
ORIGIN = st.builds(Origin, TEXT, st.just("t"), TEXT, st.just("w"), TEXT, st.none() | TEXT)
SIGNAL = st.builds(
    Normalized,
    BYTES,
    BYTES,
    BYTES,
    st.lists(st.dictionaries(TEXT, TEXT, max_size=1), max_size=1),
    st.lists(TEXT, max_size=1),
)
ENTRY = st.builds(
    Entry,
    st.integers(1, 10**9),
    st.integers(1, 10**9),
    st.lists(st.builds(Taken, ORIGIN, SIGNAL, st.booleans()), max_size=2).map(tuple),
    left_out=TEXT,
    field=TEXT,
    notes=st.just((("to", "is odd"),)),
    repeats=st.integers(0, 10**9),
)


@given(st.lists(ENTRY, max_size=3))
def test_what_is_to_be_sent_of_entries_comes_back(entries: list[Entry]) -> None:
    packed = pack(entries)
    assert packed is not None
    assert unpack(packed) == [replace(one, field="", notes=()) for one in entries]


@pytest.mark.parametrize("data", [b"", b"\x00", b"x\x9c", b"gAAAAABn"])
def test_what_no_entries_were_is_none(data: bytes) -> None:
    assert unpack(data) == []


@given(st.lists(ENTRY, min_size=1, max_size=2), st.integers(0, 200))
def test_what_is_cut_off_is_none(entries: list[Entry], size: int) -> None:
    packed = pack(entries) or b""
    assert unpack(packed[: min(size, len(packed) - 1)]) == []


def test_what_is_no_text_is_not_kept() -> None:
    assert pack([Entry(1, 1, left_out="\udcff")]) is None
