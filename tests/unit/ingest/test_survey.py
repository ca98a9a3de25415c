"""What all bytes of a file say of it, whatever the pieces that they come in."""

from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.sources.encodings import PIECE, sniff_encoding
from services.ingest.sources.sniff import sniff
from services.ingest.sources.survey import Survey, survey_of

MESSAGE = (
    b"From x@example.com Mon Mar  2 10:12:00 2026\nDelivered-To: %s\nReceived: by x\n"
    b"From: b@x.example\nTo: %s\n\n"
) + b"text\n" * 200_000


def test_whose_a_mailbox_is_shows_while_it_comes() -> None:
    """As it does when it is there; nothing is told of what is no mailbox, or was not followed."""
    data = b"".join(MESSAGE % (who, who) for who in (b"ada@x.example",) * 20 + (b"bob@x.example",))
    survey = Survey()
    assert survey.own.learnt(BytesIO(data)) is None
    for at in range(0, len(data), 1 << 20):
        size = min(at + (1 << 20), len(data))
        survey.follow(BytesIO(data[:size]), size)
    assert survey.own.learnt(BytesIO(data)) == frozenset({"ada@x.example"})
    assert survey.own.learnt(BytesIO(data)) == frozenset({"ada@x.example"})
    other = Survey()
    other.follow(BytesIO(b"Name,Mail\n" * (1 << 20)), 10 << 20)
    assert other.own.learnt(BytesIO(b"Name,Mail\n")) is None


GROUPS = st.lists(st.sampled_from([b"KIND:", b"\n", b" ", b"g", b"GR", b"roup", "é".encode()]))


def seen(data: bytes, size: int) -> Survey:
    survey = Survey()
    for at in range(0, len(data), size):
        survey.see(data[at : at + size])
    return survey


@given(words=GROUPS, before=st.integers(PIECE - 12, PIECE + 2), size=st.integers(1, 12))
def test_a_piece_may_end_within_a_letter_or_a_word(
    words: list[bytes], before: int, size: int
) -> None:
    """What comes byte by byte behind the first ones says what it says as a whole."""
    end = b"".join(words)
    survey = Survey()
    survey.see(b"x" * before)
    for at in range(0, len(end), size):
        survey.see(end[at : at + size])
    data = b"x" * before + end
    assert survey.encoding() == sniff_encoding(BytesIO(data)) == ("utf-8", False)
    spaced = end.lower().replace(b": ", b":").replace(b":\n", b":")
    assert survey.has_groups() == (b":group" in spaced)


@given(data=st.binary(max_size=80), size=st.integers(1, 90))
def test_the_first_bytes_may_come_one_by_one(data: bytes, size: int) -> None:
    """Marks are looked for when enough is there, or nothing more comes."""
    found = seen(data, size)
    assert found.encoding() == sniff_encoding(BytesIO(data)) == survey_of(BytesIO(data)).encoding()


def test_a_letter_that_is_cut_off_at_the_end_is_no_utf_8() -> None:
    data = b"x" * PIECE + "é".encode()
    assert seen(data, PIECE).encoding() == ("utf-8", False)
    assert seen(data[:-1], PIECE).encoding()[1]


def test_groups_are_looked_for_where_there_may_be_one() -> None:
    """Wide letters are not looked into: there may be one."""
    card = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ada\r\nEND:VCARD\r\n"
    group = card.replace("FN:Ada", "FN:Work\r\nX-ADDRESSBOOKSERVER-KIND: Group")
    assert not sniff(BytesIO(card.encode())).has_groups
    assert sniff(BytesIO((card + group).encode())).has_groups
    assert sniff(BytesIO(card.encode("utf-16"))).has_groups
