"""What a table does not say and its cells do: a missing header, calling codes, nothing at all."""

import io

import pytest

from services.ingest.domain.headless import guess
from services.ingest.sources.rejected_tables import Reject
from services.ingest.sources.rejects import write_rejects
from services.ingest.sources.sniff import sniff
from services.ingest.sources.understanding import UnknownHeaderError
from tests.support.tables import take, workbook

PEOPLE = [
    ["Ada Byron", "ada@x.example", "+44 7700 900123", "blue"],
    ["Bob Meier", "bob@x.example", "+49 151 12345678", "red"],
    ["Eve Stone", "eve@x.example", "", "red"],
]


def text_of(rows: list[list[str]], delimiter: str = ",") -> bytes:
    return "".join(f"{delimiter.join(row)}\n" for row in rows).encode()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_table_without_a_header_is_read_by_its_cells_and_says_so(delimiter: str) -> None:
    taken = take(text_of(PEOPLE, delimiter))
    reading = taken.sniffed.told()
    assert reading["header_line"] == 0
    assert reading["columns"] == {
        "Name": "full_name",
        "Email": "email[1]",
        "Phone": "phone[1]",
        "column 4": "custom[column 4]",
    }
    assert [facts["full_name"] for facts in taken.facts] == ["Ada Byron", "Bob Meier", "Eve Stone"]
    assert taken.facts[1]["phones"] == [{"value": "+4915112345678"}]


def test_a_sheet_without_a_header_is_read_as_its_table_would_be() -> None:
    table, sheet = take(text_of(PEOPLE)), take(workbook([list(row) for row in PEOPLE]))
    assert sheet.facts == table.facts
    assert sheet.sniffed.header_line == 0


def test_an_operator_says_what_the_columns_of_a_table_without_a_header_are() -> None:
    [facts, *_] = take(text_of(PEOPLE), {"column 4": "labels", "Name": "nickname"}).facts
    assert (facts["nickname"], facts["labels"]) == ("Ada Byron", ["blue"])


def test_rejects_of_a_table_without_a_header_come_back_with_one() -> None:
    """Corrected and fed again they are read as they were, and the reason says nothing."""
    data = text_of([*PEOPLE, ["Jay", "jay@x.example", "+44 7700 900124", "red", "too", "many"]])
    file = io.BytesIO(data)
    sniffed, out = sniff(file), io.BytesIO()
    write_rejects(file, sniffed, [Reject(3, 4, "is wrong"), Reject(4, None, "is wide")], out)
    corrected = out.getvalue().replace(b",too,many", b"")
    taken = take(corrected)
    assert taken.sniffed.header_line == 1
    assert [facts["full_name"] for facts in taken.facts] == ["Eve Stone", "Jay"]
    assert taken.facts[1]["custom_fields"] == {"column 4": "red"}


@pytest.mark.parametrize(
    "rows",
    [
        [["1", "2", "3"], ["4", "5", "6"]],
        [["This is a note", " and so on"], ["Another line", " with words"]],
        [["2024-01-02", "ERROR", "a@x.example"], ["2024-01-03", "ERROR", "a@x.example"]],
        [["Vardas", "El. paštas"], ["Ada", "ada@x.example"]],
        [["a", "b"], ["ada@x.example", "c"]],
        [["London", "10.0.0.1"], ["Paris", "10.0.0.2"]],
    ],
)
def test_what_is_not_plainly_people_is_refused(rows: list[list[str]]) -> None:
    with pytest.raises(UnknownHeaderError, match="header"):
        take(text_of(rows))


def test_names_of_two_columns_are_first_and_last() -> None:
    mapping = guess([["Ada", "Byron", "a@x.example"], ["Bob", "Meier", "b@x.example"]])
    assert mapping is not None
    assert mapping.told() == {
        "First Name": "first_name",
        "Last Name": "last_name",
        "Email": "email[1]",
    }


def test_a_row_of_a_person_is_no_header_though_a_word_of_headers_is_in_it() -> None:
    data = b"Ada Byron,mobile,+447700900123\nBob Meier,mobile,+4915112345678\n"
    assert [facts["full_name"] for facts in take(data).facts] == ["Ada Byron", "Bob Meier"]


def test_a_column_of_calling_codes_belongs_to_the_numbers_beside_it() -> None:
    data = (
        "Name,Country Code,Phone Number\n"
        "Ada,44,7700 900123\nBob,+49,0151 12345678\nEve,0033,612345678\n"
        "Jay,44,447700900124\nKay,1,+49 151 12345679\nLou,,+44 7700 900125\n"
    )
    numbers = [facts["phones"][0]["value"] for facts in take(data.encode()).facts]
    assert numbers == [
        *("+447700900123", "+4915112345678", "+33612345678"),
        *("+447700900124", "+4915112345679", "+447700900125"),
    ]
    letters = "Name,Country Code,Phone Number\nAda,GB,07700 900123\n"
    [facts] = take(letters.encode()).facts
    assert facts["addresses"] == [{"country": "GB"}]


def test_a_national_number_is_read_where_its_owner_lives() -> None:
    """Where people of one table live in several countries, no one region fits all of them."""
    data = (
        "Name,Phone,Country\nAda,07700 900123,United Kingdom\nBob,0151 12345678,Germany\n"
        "Eve,06 12 34 56 78,France\nJay,(415) 555-0132,USA\n"
    )
    taken = take(data.encode())
    assert [facts["phones"][0]["value"] for facts in taken.facts] == [
        *("+447700900123", "+4915112345678", "+33612345678", "+14155550132")
    ]
    assumed = [body["facts"]["identifiers"][0].get("assumed_region") for body in taken.bodies]
    assert assumed == [True] * 4


def test_cells_that_say_nothing_are_nothing() -> None:
    """`N/A` is no company and `null` nobody's name; a row of nothing else is blank."""
    data = (
        "First name,Last name,Email,Phone,Company,City,Birthday,Shoes\n"
        "Ada,Byron,n/a,-,N/A,null,--,?\n"
        "NULL,NULL,bob@x.example,none,None,undefined,#N/A,.\n"
        "?,?,?,?,?,?,?,?\n"
        "Null,Nil,c@x.example,,,,,38\n"
    )
    taken = take(data.encode())
    assert taken.facts == [
        {"first_name": "Ada", "last_name": "Byron", "full_name": "Ada Byron"},
        {"emails": [{"value": "bob@x.example"}]},
        {
            "first_name": "Null",
            "last_name": "Nil",
            "full_name": "Null Nil",
            "emails": [{"value": "c@x.example"}],
            "custom_fields": {"Shoes": "38"},
        },
    ]
    assert (taken.tally.blank, taken.tally.warnings) == (1, [])
    assert taken.bodies[0]["raw"]["Company"] == "N/A"


def test_a_missing_value_of_r_is_nothing_but_where_it_may_be_meant() -> None:
    """Some are called Na, Namibia's code is NA, and so is Napoli's."""
    data = (
        "First name,Middle name,Last name,Email,Phone,Birthday,Street,City,Country,Team\n"
        "Min,NA,NA,NA,NA,NA,NA,NA,NA,NA\n"
    )
    assert take(data.encode()).facts == [
        {
            "first_name": "Min",
            "last_name": "NA",
            "full_name": "Min NA",
            "addresses": [{"country": "NA"}],
            "custom_fields": {"Team": "NA"},
        }
    ]


@pytest.mark.parametrize("cell", ["4.91701E+11", '"4,91701E+11"', "4.91701E11", "4.91701e+011"])
def test_a_number_that_a_spreadsheet_rounded_is_flagged(cell: str) -> None:
    taken = take(f"Name,Phone\nAda,{cell}\n".encode())
    assert "phones" not in taken.facts[0]
    assert "rounded" in taken.tally.warnings[0].reason


def test_a_column_called_number_holds_phones_if_they_look_dialled() -> None:
    sim = take(b"Name;Number\nMama;+4915112345678\nBob;017012345678\nVoicemail;3311\n")
    assert sim.facts[0]["phones"] == [{"value": "+4915112345678"}]
    members = take(b"Name;Number\nAda;10012\nBob;10013\n")
    assert members.facts[0]["custom_fields"] == {"Number": "10012"}


@pytest.mark.parametrize(
    ("header", "encoding", "language"),
    [
        ("Imię;Nazwisko;Telefon komórkowy;Łódź", "cp1250", "pl"),
        ("Ad;Soyad;Şirket;Doğum Tarihi", "cp1254", "tr"),
        ("Фамилия;Имя;Телефон;Город", "cp1251", "ru"),
        ("Фамилия;Имя;Телефон;Город", "koi8_r", "ru"),
        ("姓名;手机;邮箱;城市", "gb18030", "zh"),
        ("姓名;手機;電子郵件;地址", "big5", "zh-tw"),
        ("이름;휴대폰;이메일;주소", "euc_kr", "ko"),
        ("氏名;携帯電話;メールアドレス;住所", "cp932", "ja"),
    ],
)
def test_a_legacy_encoding_is_the_one_in_which_the_header_has_words(
    header: str, encoding: str, language: str
) -> None:
    """Also where the letters of the rows alone would tell of another."""
    row = "Żółć;Łódź;;".encode(encoding, "ignore").decode(encoding)
    sniffed = sniff(io.BytesIO(f"{header}\n{row}x;y;;\n".encode(encoding)))
    assert sniffed.mapping is not None
    assert (sniffed.encoding, sniffed.mapping.language) == (encoding, language)


def test_chinese_and_korean_names_are_joined_and_latin_ones_keep_their_order() -> None:
    data = "姓,名,手机\n张,伟,13812345678\nSmith,John,+1 415 555 0132\n"
    taken = take(data.encode())
    assert [facts["full_name"] for facts in taken.facts] == ["张伟", "John Smith"]


def test_cards_behind_a_few_lines_are_read_and_the_lines_are_told() -> None:
    taken = take(b"From my phone\nBEGIN:VCARD\nVERSION:3.0\nFN:Ada\nTEL:+447700900123\nEND:VCARD\n")
    assert taken.facts[0]["full_name"] == "Ada"
    assert "no card" in taken.tally.rejected[0].reason


def test_national_numbers_of_cards_are_read_where_the_names_are_at_home() -> None:
    card = "BEGIN:VCARD\nVERSION:3.0\nFN:{}\nTEL:{}\nEND:VCARD\n"
    for name, number, found in (
        ("张伟", "13812345678", "+8613812345678"),
        ("Иван Иванов", "8 916 123-45-67", "+79161234567"),
        ("김철수", "010-1234-5678", "+821012345678"),
        ("さとう はなこ", "090-1234-5678", "+819012345678"),
    ):
        [facts] = take(card.format(name, number).encode()).facts
        assert facts["phones"] == [{"value": found}]


UNION = (
    "cust_name,e_mail,company,firstname,surname,email,employer\n"
    "ADA BYRON,a@x.example,ACME,,,,\n"
    "BOB MEIER,b@x.example,ZORG,,,,\n"
    ",,,Ada,Byron,ada@y.example,Acme\n"
)


def test_a_table_of_two_sources_has_a_column_each_of_what_both_tell() -> None:
    taken = take(UNION.encode())
    assert taken.sniffed.told()["columns"] == {
        "cust_name": "full_name",
        "e_mail": "email[1]",
        "company": "job.company_name",
        "firstname": "first_name",
        "surname": "last_name",
        "email": "email[2]",
        "employer": "job.company_name",
    }
    assert [facts["employments"] for facts in taken.facts] == [
        [{"company_name": name}] for name in ("ACME", "ZORG", "Acme")
    ]


def test_what_one_row_tells_twice_is_two_things() -> None:
    both = take(UNION.replace("ZORG,,,,", "ZORG,,,,Zorg Inc").encode())
    assert both.sniffed.told()["columns"]["employer"] == "custom[employer]"
    assert both.facts[1]["custom_fields"] == {"employer": "Zorg Inc"}


def test_what_a_later_row_tells_twice_is_kept() -> None:
    """The first rows are all that is looked at to tell what columns are."""
    rows = UNION + "CY NG,c@x.example,Acme,,,,\n" * 2_000 + "DI WU,d@x.example,Acme,,,,Zorg\n"
    taken = take(rows.encode())
    assert taken.sniffed.told()["columns"]["employer"] == "job.company_name"
    assert taken.facts[-1]["employments"] == [{"company_name": "Acme"}]
    assert taken.facts[-1]["custom_fields"] == {"employer": "Zorg"}


def test_labels_of_two_columns_are_all_kept() -> None:
    taken = take(b"Name,Email,Tags,Groups\nAda,a@x.example,vip,family\nBob,b@x.example,,work\n")
    assert [facts["labels"] for facts in taken.facts] == [["vip", "family"], ["work"]]


@pytest.mark.parametrize("name", ["Voter Name", "cust_name", "Customer Name", "Donor Name"])
def test_whose_name_it_is_does_not_matter(name: str) -> None:
    taken = take(f"{name},Date of Birth,City\nAda Byron,1815-12-10,London\n".encode())
    assert taken.sniffed.told()["columns"][name] == "full_name"
