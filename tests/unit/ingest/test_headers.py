"""Headers of tables that no product is known by: what their words say, in any order."""

import time
from typing import Any

import pytest

from services.ingest.domain.regions import find_region
from services.ingest.domain.suggesting import suggest
from services.ingest.sources.vocabulary import vocabulary
from tests.support.tables import take

Facts = dict[str, Any]


def said(*header: str) -> dict[str, str]:
    """Return column → target of what is no custom field, by the header alone."""
    told = suggest(header, [], vocabulary()).told()
    return {name: target for name, target in told.items() if target != f"custom[{name}]"}


def where(language: str, *numbers: str) -> str:
    return find_region([(one, "") for one in numbers], language, vocabulary())


@pytest.mark.parametrize(
    ("names", "targets"),
    [
        (("Förnamn", "Ort, arbete"), ("first_name", "address[work].city")),
        (("Fornavn", "Telefon (arbejde)"), ("first_name", "phone[work]")),
        (("Vorname", "E-Mail 2 (privat)"), ("first_name", "email[home 2]")),
        (("Prénom", "Ville professionnelle"), ("first_name", "address[work].city")),
        (("Apellidos", "Código postal de trabajo"), ("last_name", "address[work].postal_code")),
        (("Nazwisko", "Telefon domowy"), ("last_name", "phone[home]")),
    ],
)
def test_words_of_other_languages_qualify_too(
    names: tuple[str, ...], targets: tuple[str, ...]
) -> None:
    assert said(*names) == dict(zip(names, targets, strict=True))


def test_a_header_of_two_neighbours_words_is_of_the_one_with_more_readers() -> None:
    """German and Danish share `Firma`, `Adresse`, `Telefon`, `Mobil` and `E-Mail`."""
    assert suggest(["Firma", "Adresse", "Telefon", "E-Mail"], [], vocabulary()).language == "de"
    assert suggest(["Navn", "Adresse", "Telefon", "E-Mail"], [], vocabulary()).language == "da"


def test_an_address_that_all_rows_have_is_the_hosts() -> None:
    """With it as theirs, everybody who was invited would be one person."""
    rows = "".join(f"Ann {n},bob@us.example,p{n}@x.example\n" for n in range(6))
    taken = take(f"Name,User Email,Other Email\n{rows}".encode())
    assert [len(facts["emails"]) for facts in taken.facts] == [1] * 6
    assert taken.facts[0]["custom_fields"] == {"User Email": "bob@us.example"}
    family = "".join(f"Ann {n},ann@x.example\n" for n in range(6))
    assert all(facts["emails"] for facts in take(f"Name,Email\n{family}".encode()).facts)


def test_year_month_and_day_of_birth_are_known_by_each_other() -> None:
    """Alone, `by` is a town in Danish."""
    header = ("fname_c1", "fname_c2", "lname_c1", "by", "bm", "bd")
    assert said(*header) == {
        "fname_c1": "first_name",
        "fname_c2": "middle_name",
        "lname_c1": "last_name",
        "by": "birthday.year",
        "bm": "birthday.month",
        "bd": "birthday.day",
    }
    assert said("fornavn", "by", "bm") == {"fornavn": "first_name", "by": "address.city"}


def test_a_domain_without_a_dot_is_no_companys() -> None:
    for domain, place in (("banking", "custom[domain]"), ("acme.com", "job.company_domain")):
        mapping = suggest(["name", "domain"], [["Ada Ng", domain]], vocabulary())
        assert str(mapping.columns[1].target) == place


def test_a_leads_name_is_no_persons_beside_a_contacts() -> None:
    assert said("lead_name", "contact_name") == {"contact_name": "full_name"}
    assert said("lead_name") == {"lead_name": "full_name"}


def test_a_products_own_table_takes_one_more_part_of_its_job_or_address() -> None:
    header = ("Record ID", "First Name", "Last Name", "Email", "Associated Company", "City")
    hubspot = (*header, "Lifecycle Stage", "Lead Status", "Contact owner", "Department", "Address")
    told = suggest(hubspot, [], vocabulary())
    assert told.layout == "hubspot"
    assert told.told()["Department"] == "job.department"
    assert told.told()["Address"] == "address.street"


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("Person - Phone - Work", "phone[work]"),
        ("Email - Home", "email[home]"),
        ("Customer phone (mobile)", "phone[mobile]"),
        ("Mobile number 2", "phone[mobile 2]"),
        ("Phone # (work)", "phone[work]"),
        ("Phone 2 Type", "phone[2].label"),
        ("Street address line 1 - Home", "address[home].street"),
        ("Home Address 2", "address[home].street2"),
        ("Default Address Address1", "address.street"),
        ("Address 1: ZIP/Postal Code", "address[1].postal_code"),
        ("Billing City", "address[billing].city"),
        ("Work Post Code", "address[work].postal_code"),
        ("Company / Organisation", "job.company_name"),
        ("Company 2", "job[2].company_name"),
        ("What is your full name?", "full_name"),
        ("E-mail (required)", "email[1]"),
        ("City, State Zip", "address.place"),
        ("Address Type", "address.label"),
        ("POAddressLine1", "address[mailing].street"),
        ("jobtitle", "job.title"),
        ("WHATSAPP", "phone[whatsapp]"),
        ("Invitee Email", "email[1]"),
        ("Address (number)", "address.house_number"),
        ("Address 1 - Type", "address[1].label"),
        ("What company do you work for?", "job.company_name"),
        ("postcode_fake", "address.postal_code"),
        ("homephone", "phone[home]"),
        ("Name (First)", "first_name"),
        ("Name (Last)", "last_name"),
        ("And your last name, *{{field:abc}}*?", "last_name"),
        ("Hi! What's your first name?", "first_name"),
        ("Record > Email addresses", "email[1]"),
        ("billing_company", "job.company_name"),
        ("LinkedIn Handle", "identifier[linkedin_public_id]"),
        ("addr1", "address.street"),
    ],
)
def test_words_around_a_known_phrase_qualify_it(name: str, target: str) -> None:
    assert said(name) == {name: target}


@pytest.mark.parametrize(
    "name",
    [
        "Email Opt Out",
        "Company Phone",  # a switchboard
        "Attendee #",
        "Mobile address",
        "Account owner",
        "Is Business",
        "Work",
        "address",
        "type type",
        "1 2 3 4 5 6 7",
    ],
)
def test_what_only_sounds_like_a_person_is_custom(name: str) -> None:
    assert said(name) in ({}, {"address": "address.street"})


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("Next activity", "2026-02-01"),
        ("Last seen", "2024-03-03 10:00:00"),
        ("Member since", "01.02.2003"),
        ("Address of machine", "192.168.100.200"),
        ("Spent", "1234567.89"),
        ("Invoice", "2024-000-1234"),
    ],
)
def test_digits_that_are_no_telephone_number_are_not_taken_for_one(column: str, cell: str) -> None:
    [facts] = take(f"Name,{column}\nAda,{cell}\n".encode()).facts
    assert facts == {"full_name": "Ada", "custom_fields": {column: cell}}


@pytest.mark.parametrize(
    "header",
    [
        "contact_id,first_name,last_name,email,phone",
        'Email,"First Name","Last Name",Phone,"Contact ID"',
        "CONTACT_ID,FIRST_NAME,LAST_NAME,EMAIL,PHONE_NUMBER",
    ],
)
def test_an_id_alone_does_not_make_a_table_salesforces(header: str) -> None:
    """Anyone numbers contacts; the number names no record that another file would mean, too."""
    taken = take(f"{header}\n1,Ada,Byron,ada@x.example,+442079460958\n".encode())
    assert taken.sniffed.layout == "csv"
    assert "custom_fields" in taken.facts[0] or header.startswith("Email")


def test_an_id_that_is_not_the_products_names_no_record() -> None:
    """Two Salesforce reports are told by their columns; an id of another form is kept as custom."""
    header = "Contact ID,Last Name,Account Name,Mailing City\n"
    rows = "0035g00000ABCDEAA2,Byron,Engines,London\n77,King,Engines,London\n"
    taken = take((header + rows).encode())
    assert taken.sniffed.layout == "salesforce"
    assert [facts.get("custom_fields") for facts in taken.facts] == [None, {"Contact ID": "77"}]


def test_notes_and_totals_below_a_table_are_nobody() -> None:
    data = (
        '"First Name","Last Name","Email","Amount"\n'
        '"Ada","Byron","ada@x.example","1"\n'
        '"Total","","","1"\n'
        '"Total","Recall","total@x.example","1"\n'
        "\n"
        '"Contacts Report"\n'
        '"Generated by: somebody"\n'
    )
    taken = take(data.encode())
    assert [facts["full_name"] for facts in taken.facts] == ["Ada Byron", "Total Recall"]
    assert [(note.line, note.field) for note in taken.tally.rejected] == [
        (3, ""),
        (6, ""),
        (7, ""),
    ]


def test_national_numbers_are_read_where_the_table_comes_from() -> None:
    """By numbers that say their country, then by the header's language; English says nothing."""
    assert where("de", "0151 23456789", "030 901820") == "DE"
    assert where("de", "0664 1234567", "+43 664 1234568") == "AT"
    assert where("en", "020 7946 0958", "+44 20 7946 0959") == "GB"
    assert where("en", "(555) 123-4567", "+44 20 7946 0959") == ""
    assert where("en", "020 7946 0958") == ""
    assert where("fr") == ""
    # No trunk prefix is dialled there, and nobody in North America has such a number.
    assert where("en", "22 621 22 33", "+48 600 100 200") == "PL"
    assert where("en", "600 123 456", "+34 600 123 457") == "ES"
    assert where("en", "333 123 4567", "+39 333 123 4568") == ""
    [facts] = take(b"Vorname;Handy\nAda;0151 23456789\n").facts
    assert facts["phones"] == [{"label": "mobile", "value": "+4915123456789"}]


def test_chinese_characters_tell_nothing_that_the_numbers_do_not() -> None:
    """They are written in four countries: the one in which alone the numbers are assigned."""

    def home(*numbers: str) -> str:
        return find_region([(one, "") for one in numbers], "", vocabulary(), "zh")

    assert home("138 0013 8000", "010-62782222", "10086") == "CN"
    assert home("0912 345 678") == "TW"
    assert home("090-1234-5678") == ""  # assigned in two of them
    assert home("10086") == ""
    assert home() == ""


def test_addresses_tell_where_numbers_are_dialled() -> None:
    """That of the same person: an address in another country says nothing of a neighbour."""
    words = vocabulary()
    assert (
        find_region([("030 901820", "Deutschland"), ("+1 212 555 0143", "US")], "en", words) == "DE"
    )
    assert find_region([("98765 01234", " india ")], "en", words) == "IN"
    assert find_region([("212 555 0143", ""), ("+44 20 7946 0958", "UK")], "en", words) == ""
    assert find_region([("030 901820", "Germany"), ("01 42", "France")], "en", words) == ""
    assert find_region([("030 901820", "Atlantis")], "en", words) == ""
    cards = (
        "BEGIN:VCARD\nVERSION:3.0\nFN:Ada\nTEL:0151 23456789\n"
        "ADR:;;Hauptstr. 1;Berlin;;10115;Deutschland\nEND:VCARD\n"
    )
    taken = take(cards.encode())
    assert taken.sniffed.told()["phone_region"] == "DE"
    assert taken.facts[0]["phones"] == [{"value": "+4915123456789"}]


def test_a_title_is_a_form_of_address_or_a_position_by_what_stands_there() -> None:
    [facts] = take(b"Title,Surname,Email\nMrs.,Byron,ada@x.example\n").facts
    assert facts["name_prefix"] == "Mrs."
    [facts] = take(b"Title,Surname,Email\nCTO,Byron,ada@x.example\n").facts
    assert facts["employments"] == [{"title": "CTO"}]


def test_a_column_that_repeats_itself_a_thousand_times_is_soon_read() -> None:
    """Each is one more e-mail; a file put together by hand took seconds for each look at it."""
    begun = time.process_time()
    mapping = suggest(["Name", *["Email"] * 1_900], [], vocabulary())
    assert time.process_time() - begun < 1
    assert str(mapping.columns[-1].target) == "email[1900]"


def test_a_company_as_the_name_beside_a_persons_is_the_employer() -> None:
    """So accounting software has it: Xero's `ContactName`."""
    data = b"Contact Name,First Name,Last Name,Email\n"
    [xero] = take(data + b"Engines Ltd,Ada,Lovelace,a@x.example\n").facts
    assert (xero["full_name"], xero["employments"]) == (
        "Ada Lovelace",
        [{"company_name": "Engines Ltd"}],
    )
    [own] = take(data + b"Ada Limited,Ada,Limited,a@x.example\n").facts
    assert own["full_name"] == "Ada Limited"


def test_a_whole_address_beside_its_town_gives_the_street() -> None:
    data = b"Name,Email,Full Address,City,Country\n"
    data += b'Ann,a@x.example,"5 Elm St, Paris",Paris,France\n'
    assert take(data).facts[0]["addresses"] == [
        {"street": "5 Elm St", "city": "Paris", "country": "France"}
    ]


def test_cells_are_read_as_people_and_programs_leave_them() -> None:
    """Names and labels in brackets, HTML, UTF-8 read twice, addresses spelled out."""

    def one(name: str, email: str, phone: str = "", company: str = "", note: str = "") -> Facts:
        cells = ",".join(f'"{cell}"' for cell in (name, email, phone, company, note))
        return take(f"Name,Email,Phone,Company,Notes\n{cells}\n".encode()).facts[0]

    doe = one("Doe, John (Acme)", "John <j@x.example>; k@x.example", company="Acme Inc.")
    assert (doe["full_name"], doe["first_name"], "nickname" in doe) == ("John Doe", "John", False)
    assert [email["value"] for email in doe["emails"]] == ["j@x.example", "k@x.example"]
    assert one("Doe, Robert (Bob)", "b@x.example")["nickname"] == "Bob"
    assert one("Doe, Bo (of Acme)", "b@x.example")["custom_fields"] == {"Name": "of Acme"}
    assert one("JÃ¼rgen", "j@x.example")["full_name"] == "Jürgen"
    assert one("JOÃO", "j@x.example")["full_name"] == "JOÃO"
    assert "employments" not in one("Max", "max@x.example", company="&nbsp;")
    sons = one("Max", "max(at)x.example", company="Smith &amp; Sons", note="<p>a<br>b</p>")
    assert sons["employments"] == [{"company_name": "Smith & Sons"}]
    assert (sons["emails"], sons["notes"]) == ([{"value": "max@x.example"}], "a\nb")
    labelled = one("Ed", "ed @ x.example", "+44 20 7946 0963 (work)")
    assert labelled["phones"] == [{"label": "work", "value": "+442079460963"}]
    assert labelled["emails"] == [{"value": "ed@x.example"}]


def test_lines_that_are_no_rows_are_told_and_others_read() -> None:
    """A line of units, one with commas among semicolons, and a count below."""
    data = b"Name;Email;Phone\n(text);(text);(number)\nAda;a@x.example;+442079460958\n"
    taken = take(data + b"Bob,b@x.example,+442079460959\nTOTAL;2;\n")
    assert [facts["full_name"] for facts in taken.facts] == ["Ada", "Bob"]
    assert [note.line for note in taken.tally.rejected] == [2, 5]
    assert [(note.line, note.field) for note in taken.tally.warnings] == [(4, "")]


def test_who_invited_or_paid_is_not_who_came() -> None:
    assert said("Purchaser Name", "Purchaser Email", "Attendee Name", "Attendee Email") == {
        "Attendee Name": "full_name",
        "Attendee Email": "email[1]",
    }
    assert said("User Email") == {"User Email": "email[1]"}


def test_a_name_beside_a_last_name_is_the_first_one_unless_it_has_both() -> None:
    data = b"Name,Last name,Email\nAda,Lovelace,a@x.example\nBob Bell,Bell,b@x.example\n"
    ada, bob = take(data).facts
    assert (ada["first_name"], ada["full_name"]) == ("Ada", "Ada Lovelace")
    assert bob["full_name"] == "Bob Bell"


def test_a_title_says_more_than_a_role() -> None:
    assert said("Name", "Role", "Title")["Title"] == "job.title"
    assert said("Name", "Role")["Role"] == "job.title"
    assert said("Name", "Current Title")["Current Title"] == "job.title"


@pytest.mark.parametrize(
    ("header", "targets"),
    [
        (("prenom", "nom", "societe"), ("first_name", "last_name", "job.company_name")),
        (("Nombre", "Apellidos", "Direccion"), ("first_name", "last_name", "address.street")),
        (("given", "family", "birth"), ("first_name", "last_name", "birthday")),
    ],
)
def test_a_header_may_be_typed_without_its_marks(
    header: tuple[str, ...], targets: tuple[str, ...]
) -> None:
    assert said(*header) == dict(zip(header, targets, strict=True))


def test_a_number_of_the_state_is_no_telephone_number() -> None:
    rows = [[f"Ana {one}", f"123.456.78{one}-0{one}"] for one in range(10)]
    assert suggest(("Nome", "CPF"), rows, vocabulary()).told()["CPF"] == "custom[CPF]"


def test_who_bought_for_another_is_no_address_of_the_guest() -> None:
    """With the buyer's as theirs, all for whom somebody bought would be one person."""
    header = "First Name,Last Name,Email,Buyer First Name,Buyer Last Name,Buyer Email,Buyer Phone"
    rows = (
        "Ada,King,ada@x.example,Owen,Lee,owen@us.example,+44 7700 900123\n"
        "Bob,Stone,bob@x.example,Bob,Stone,bob@x.example,\n"
        "Eve,West,,Owen,Lee,owen@us.example,+44 7700 900123\n"
    )
    ada, bob, eve = take(f"{header}\n{rows}".encode()).facts
    assert ada["emails"] == [{"value": "ada@x.example"}]
    assert ada["custom_fields"]["Buyer Email"] == "owen@us.example"
    assert bob["emails"] == [{"value": "bob@x.example"}]
    assert not {"emails", "phones"} & eve.keys()


def test_who_bought_for_themselves_is_reached_by_what_they_bought_with() -> None:
    header = "first_name,last_name,email,billing_first_name,billing_last_name,billing_phone"
    [facts] = take(f"{header}\nAda,King,ada@x.example,ADA,King,+44 7700 900123\n".encode()).facts
    assert facts["phones"] == [{"label": "billing", "value": "+447700900123"}]


def test_the_same_address_in_every_row_is_nobodys_where_only_its_cells_speak_for_it() -> None:
    """Of two rows, too: payments all go to the same one."""
    rows = "Ada,ada@x.example,us@us.example\nBob,bob@x.example,us@us.example\n"
    taken = take(f"Name,From Email Address,To Email Address\n{rows}".encode())
    assert [facts["emails"] for facts in taken.facts] == [
        [{"value": "ada@x.example"}],
        [{"value": "bob@x.example"}],
    ]
    assert take(b"Name,Mail at\nAda,a@x.example\nBob,a@x.example\n").facts[0]["emails"]


def test_an_address_of_who_is_responsible_is_not_the_persons() -> None:
    rows = "Ada,ada@x.example,max@us.example\nBob,bob@x.example,eva@us.example\n"
    taken = take(f"Name,Email,UserResponsible\n{rows}".encode())
    assert [len(facts["emails"]) for facts in taken.facts] == [1, 1]


def test_what_stands_in_square_brackets_is_said_beside_a_name() -> None:
    assert said("First Name [Required]", "Recovery Phone [MUST BE IN THE E.164 FORMAT]") == {
        "First Name [Required]": "first_name"
    }


@pytest.mark.parametrize(
    ("header", "targets"),
    [
        ("Street 1,City 1,Street 2,City 2", ("1].street", "1].city", "2].street", "2].city")),
        ("Street 1,Street 2,City 1", ("1].street", "1].street2", "1].city")),
    ],
)
def test_a_street_belongs_to_the_town_of_its_number(header: str, targets: tuple[str, ...]) -> None:
    names = header.split(",")
    told = said("Name", *names)
    assert [told[name] for name in names] == [f"address[{target}" for target in targets]


def test_where_a_meeting_takes_place_is_nobodys_address() -> None:
    [facts] = take(b"Name,Event Type Name,Location\nAda,Talk,Zoom\n").facts
    assert facts["custom_fields"]["Location"] == "Zoom"
    assert take(b"Name,Location\nAda,London\n").facts[0]["addresses"] == [{"city": "London"}]


def test_a_title_beside_a_job_is_no_form_of_address_unless_it_is_one() -> None:
    [facts] = take(b"Name,Title,Job\nAda,CTO,Engineer\n").facts
    assert facts["employments"] == [{"title": "CTO"}]
    assert facts["custom_fields"] == {"Job": "Engineer"}
    [facts] = take(b"Name,Title,Job\nAda,Dr,Engineer\n").facts
    assert (facts["name_prefix"], facts["employments"]) == ("Dr", [{"title": "Engineer"}])
    [facts] = take(b"Name,Title,Job Title\nAda,CTO,Engineer\n").facts
    assert facts["custom_fields"] == {"Title": "CTO"}


def test_what_an_account_may_do_in_a_program_is_no_position() -> None:
    [ada, _] = take(b"Name,Role\nAda,end-user\nBob,Admin\n").facts
    assert ada["custom_fields"] == {"Role": "end-user"}
    assert take(b"Name,Role\nAda,Buyer\nBob,Nurse\nEve,Admin\n").facts[0]["employments"]


def test_a_time_zone_is_taken_where_all_are_called_as_iana_does() -> None:
    [facts] = take(b"Name,Invitee Time Zone\nAda,Europe/Berlin\n").facts
    assert facts["timezone"] == "Europe/Berlin"
    [facts] = take(b"Name,Time Zone\nAda,Eastern Time (US & Canada)\n").facts
    assert facts["custom_fields"] == {"Time Zone": "Eastern Time (US & Canada)"}


def test_a_profile_elsewhere_is_not_refused_for_one_of_linkedins() -> None:
    [facts] = take(b"Name,Profile URL\nAda,https://www.xing.com/profile/Ada\n").facts
    assert facts["custom_fields"] == {"Profile URL": "https://www.xing.com/profile/Ada"}
    [facts] = take(b"Name,Profile URL\nAda,https://www.linkedin.com/in/ada\n").facts
    assert facts["linkedin_url"] == "https://www.linkedin.com/in/ada"


def test_days_written_with_dots_begin_with_the_day() -> None:
    """Nobody who puts the month first puts dots between."""
    data = "Name,Company,Birthday\nAda,Engines,{}\nBob,Engines,1.2.1970\n"
    taken = take(data.format("10.12.").encode())
    assert [facts["birthday"] for facts in taken.facts] == ["--12-10", "1970-02-01"]
    assert taken.sniffed.days_assumed
    assert take(data.format("10/12/85").encode()).facts[0]["birthday"] == "1985-10-12"


def test_quotes_that_were_left_around_a_cell_are_none_of_it() -> None:
    [facts] = take(b'Name,Company\nAda,"""Stone, Sons"""\n').facts
    assert facts["employments"] == [{"company_name": "Stone, Sons"}]


@pytest.mark.parametrize(
    ("header", "targets"),
    [
        ("pat_mrn_id,pat_first_name,pat_last_name,pat_suffix", "first_name last_name name_suffix"),
        ("CustFirstName,CustLastName,CustCity", "first_name last_name address.city"),
        ("emp_fname,emp_lname,emp_dept", "first_name last_name job.department"),
        (
            "pat_first_name,pat_last_name,pat_city,doc_first_name,doc_last_name",
            "first_name last_name address.city",
        ),
        ("First Name,Last Name,kid_first_name,kid_last_name", "first_name last_name"),
        ("spouse_first_name,spouse_last_name", ""),
    ],
)
def test_a_word_before_both_parts_of_the_only_name_says_whose_table_it_is(
    header: str, targets: str
) -> None:
    assert " ".join(said(*header.split(",")).values()) == targets


def test_an_insurances_numbers_are_no_telephone_numbers() -> None:
    rows = "Ada,928-32-7101,123-456-789\nBob,928-32-7102,123-456-780\n"
    [facts, _] = take(f"Name,medicare_num,member id\n{rows}".encode()).facts
    assert facts["custom_fields"] == {"medicare_num": "928-32-7101", "member id": "123-456-789"}


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("Phone", "+44 7700 900123 / ada@x.example"),
        ("Phone", "ada@x.example ::: +44 7700 900123"),
        ("Phone", "+44 7700 900123 <ada@x.example>"),
        ("Email", "+44 7700 900123; ada@x.example"),
    ],
)
def test_an_address_and_a_number_in_one_cell_are_both_read(column: str, cell: str) -> None:
    taken = take(f"Name,{column}\nAda,{cell}\n".encode())
    [facts] = taken.facts
    assert facts["emails"] == [{"value": "ada@x.example"}]
    assert facts["phones"] == [{"value": "+447700900123"}]
    assert not taken.tally.warnings


def test_an_address_alone_where_numbers_belong_is_one() -> None:
    [facts] = take(b"Name,Mobile\nAda,ada@x.example\n").facts
    assert facts == {"full_name": "Ada", "emails": [{"value": "ada@x.example"}]}


def test_the_number_of_a_house_stands_beside_its_street_not_behind_the_flat() -> None:
    header = "Nome completo,Logradouro,Número,Complemento,Cidade"
    [facts] = take(f"{header}\nAna,Rua A,10,ap 4,Recife\n".encode()).facts
    assert facts["addresses"] == [{"street": "Rua A 10, ap 4", "city": "Recife"}]
