"""Android's backups of calls and messages in XML: what is read, passed over, refused, bounded."""

import io
from pathlib import Path
from typing import Any

import pytest

from services.ingest.sources.activities import BACKUP, layout_of
from services.ingest.sources.happened import Happened, Passed, Unread
from services.ingest.sources.phone_backup import MAX_ELEMENT, read_backup
from shared.errors import PoisonMessageError
from shared.events.activity import NormalizedActivity
from tests.support.activities import Account, activities
from tests.support.ingest import RULES
from tests.unit.ingest.test_happened import FILES, terms

HEAD = "<?xml version='1.0' encoding='UTF-8' ?>\n<smses>\n"
CALL = '<call number="+442079460958" date="1769864700000" type="1" duration="7" {}/>'


def taken(name: str) -> tuple[list[NormalizedActivity], Account]:
    with Path(FILES / name).open("rb") as file:
        assert layout_of(file) == BACKUP
        account = Account()
        found = activities(file, terms(BACKUP), RULES, account)
        return [NormalizedActivity.model_validate_json(one.body) for _, one in found], account


def read(data: bytes) -> list[Any]:
    return list(read_backup(io.BytesIO(data)))


def test_messages_are_read_with_halves_of_letters_and_words_beside_pictures() -> None:
    messages, account = taken("android_messages.xml")
    assert [(one.activity.direction, one.activity.snippet) for one in messages] == [
        ("inbound", "Come at five \N{GRINNING FACE} & bring Ada"),
        ("outbound", "Yes"),
        ("outbound", "The engine"),
    ]
    assert [one.participants[0].name for one in messages] == ["Bob Babbage", None, "Ada Byron"]
    assert [one.participants[0].role for one in messages] == ["from", "to", "to"]
    assert (account.passed, account.refused) == (4, 0), "a service, a code, a draft, a group"


def test_calls_are_read_as_those_of_a_table() -> None:
    calls, account = taken("android_calls.xml")
    said = [(one.activity.status, one.activity.duration_s) for one in calls]
    assert said == [("answered", 461), ("missed", 0)]
    assert account.passed == 1
    assert [(note["line"], note["field"]) for note in account.rejected] == [(6, "date")]


def test_the_same_call_of_a_table_is_the_same_record() -> None:
    table = b"Number,Type,Duration,Date\n+442079460958,1,7,1769864700000\n"
    account = Account()
    [(_, one)] = activities(io.BytesIO(table), terms("call-log"), RULES, account)
    backup = io.BytesIO(f"<calls>{CALL.format('')}</calls>".encode())
    [(_, other)] = activities(backup, terms(BACKUP), RULES, account)
    assert one.key == other.key


@pytest.mark.parametrize("length", range(65_500, 65_560, 7))
def test_halves_of_letters_are_put_together_wherever_pieces_end(length: int) -> None:
    body = "x" * length + "&#55357;&#56832;&#0;&#55000;&#57343;" + "y" * 30
    sms = f'<sms address="+442079460958" date="1769864700000" type="1" body="{body}"/></smses>'
    [one] = read((HEAD + sms).encode())
    assert one.raw["body"][:5] == "xxxxx"
    whole = read((HEAD + sms.replace("x" * length, "")).encode())[0].raw["body"]
    assert whole == "\N{GRINNING FACE}\ufffd\ud6d8\ufffd" + "y" * 30


def test_a_backup_cut_off_anywhere_keeps_what_stands_before() -> None:
    for name in ("android_messages.xml", "android_calls.xml"):
        data = (FILES / name).read_bytes()
        whole = [one.record for one in read(data) if isinstance(one, Happened)]
        for percent in range(100):
            found = read(data[: len(data) * percent // 100])
            records = [one.record for one in found if isinstance(one, Happened)]
            assert records == whole[: len(records)]
            assert isinstance(found[-1], Unread), "the cut is told"


def test_a_declared_document_type_is_refused_and_nothing_of_it_is_read() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><calls>&c;</calls>'
    with pytest.raises(PoisonMessageError, match="document type"):
        read(bomb.encode())


def test_an_encoding_that_nobody_knows_is_not_looked_up() -> None:
    [one] = read(
        f"<?xml version='1.0' encoding='UTF-00'?><calls>{CALL.format('')}</calls>".encode()
    )
    assert isinstance(one, Happened)


def test_an_element_without_end_is_refused_and_what_stood_before_is_kept() -> None:
    data = f'<calls>{CALL.format("")}<call number="'.encode() + b"1" * (MAX_ELEMENT + (1 << 20))
    found = read(data)
    assert isinstance(found[0], Happened)
    assert [type(one) for one in found[1:]] == [Unread]


def test_what_is_no_backup_is_refused_by_its_right_name() -> None:
    for data in (b"<?xml version='1.0'?><contacts/>", b"<html><body>calls</body></html>"):
        with pytest.raises(PoisonMessageError, match=r"XML|HTML"):
            layout_of(io.BytesIO(data))
    assert [type(one) for one in read(b"<calls><call date='x'/><call/></calls>")] == [Unread] * 2
    unsent = "<sms address='1' type='5' date='1769864700000'/></smses>"
    assert [type(one) for one in read((HEAD + unsent).encode())] == [Passed]


def test_two_messages_of_one_minute_are_two_records() -> None:
    table = (
        b"Number,Type,Date,Text\n"
        b"+442079460958,incoming,2026-02-01 21:05,one\n"
        b"+442079460958,incoming,2026-02-01 21:05,two\n"
    )
    account = Account()
    found = list(activities(io.BytesIO(table), terms("call-log"), RULES, account))
    assert len({one.key for _, one in found}) == 2


def test_elements_without_end_within_one_another_end_the_reading() -> None:
    *read_before, last = read(f"{HEAD}{'<a>' * 200_000}".encode())
    assert isinstance(last, Unread)
    assert "deeper than 16" in last.reason
    assert read_before == []
