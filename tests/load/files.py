"""Large files as people bring them, alike in every run: Google's CSV, vCards, an mbox."""

import base64
import csv
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from tests.support.mail import an_mbox, correspondence

FIRST: Final = ("Ada", "Björn", "Chloé", "Dinesh", "Elif", "Femi", "Grace", "Hana", "Ivo", "Juan")
TITLES: Final = ("Engineer", "Head of Procurement", "Sales Manager", "")
CITIES: Final = (("Lyon", "France"), ("Graz", "Austria"), ("Porto", "Portugal"))

GOOGLE: Final = [
    "First Name",
    "Middle Name",
    "Last Name",
    "Phonetic First Name",
    "Phonetic Middle Name",
    "Phonetic Last Name",
    "Name Prefix",
    "Name Suffix",
    "Nickname",
    "File As",
    "Organization Name",
    "Organization Title",
    "Organization Department",
    "Birthday",
    "Notes",
    "Photo",
    "Labels",
    "E-mail 1 - Label",
    "E-mail 1 - Value",
    "E-mail 2 - Label",
    "E-mail 2 - Value",
    "Phone 1 - Label",
    "Phone 1 - Value",
    "Address 1 - Label",
    "Address 1 - Formatted",
    "Address 1 - Street",
    "Address 1 - City",
    "Address 1 - PO Box",
    "Address 1 - Region",
    "Address 1 - Postal Code",
    "Address 1 - Country",
    "Address 1 - Extended Address",
    "Website 1 - Label",
    "Website 1 - Value",
]
"""Columns of Google's export."""

PHOTO_BYTES: Final = 6_000
"""Of a card's photo, as phones export them scaled down."""

MESSAGES: Final = 2_000
"""Different messages of a mailbox; a larger one repeats them under other ids."""


def write_google_csv(file: Path, rows: int) -> Path:
    """Write Google's export of so many people: one in fifty stands there twice."""
    with file.open("w", encoding="utf-8", newline="") as out:
        table = csv.DictWriter(out, GOOGLE, restval="", lineterminator="\n")
        table.writeheader()
        for number in range(rows):
            table.writerow(_google_row(number - 1 if number % 50 == 49 else number))
    return file


def _google_row(number: int) -> dict[str, str]:
    """Write a person: half have a job, most a phone, a third an address, a fifth two mailboxes."""
    dice = random.Random(number)
    firm = number % 1_999
    row = {
        "First Name": dice.choice(FIRST),
        "Last Name": _surname(number),
        "Labels": "* myContacts",
        "E-mail 1 - Label": "* Home",
        "E-mail 1 - Value": f"p{number}@{'example.org' if number % 3 else f'mail{firm}.example'}",
    }
    if number % 2:
        row |= {
            "Organization Name": f"Firm {_word(firm)} Ltd",
            "Organization Title": dice.choice(TITLES),
        }
    if number % 5 == 0:
        row |= {
            "E-mail 2 - Label": "Work",
            "E-mail 2 - Value": f"p{number}@firm{firm}.example.com",
        }
    if number % 8:
        row |= {"Phone 1 - Label": "Mobile", "Phone 1 - Value": f"+4477{number:08d}"}
    if number % 3 == 0:
        city, country = CITIES[number // 3 % 3]
        row |= {
            "Address 1 - Label": "Home",
            "Address 1 - Street": f"{number} Long Street",
            "Address 1 - City": city,
            "Address 1 - Postal Code": f"{number:05d}",
            "Address 1 - Country": country,
        }
    if number % 4 == 0:
        row["Birthday"] = f"19{number % 60 + 40}-0{number % 9 + 1}-1{number % 10}"
    if number % 6 == 0:
        row["Notes"] = f"Met at the fair, number {number}"
    return row


def _surname(number: int) -> str:
    """Name a person so that those who work together are not called alike."""
    return _word(number * 7_368_787 % 63_999_979).capitalize()


def _word(number: int) -> str:
    """Write a number in letters, so that names differ by more than a digit."""
    letters = ""
    while True:
        number, digit = divmod(number, 20)
        letters += "bcdfghjklmnpqrstvwxz"[digit] + "aeiou"[(digit + number) % 5]
        if not number:
            return letters


def write_vcards(file: Path, cards: int) -> Path:
    """Write so many cards as iCloud does, each with a photo inline."""
    photo = base64.b64encode(random.Random(1).randbytes(PHOTO_BYTES)).decode()
    folded = "\r\n ".join(photo[at : at + 74] for at in range(0, len(photo), 74))
    with file.open("w", encoding="utf-8", newline="") as out:
        for number in range(cards):
            last = _surname(number)
            first = FIRST[number % len(FIRST)]
            out.write(
                "BEGIN:VCARD\r\nVERSION:3.0\r\n"
                f"N:{last};{first};;;\r\nFN:{first} {last}\r\n"
                f"ORG:Firm {_word(number % 1_999)} Ltd;\r\nTITLE:Engineer\r\n"
                f"EMAIL;type=INTERNET;type=HOME;type=pref:p{number}@example.org\r\n"
                f"TEL;type=CELL;type=VOICE;type=pref:+4477{number:08d}\r\n"
                f"item1.ADR;type=HOME:;;{number} Long Street;Lyon;;{number:05d};France\r\n"
                "item1.X-ABADR:fr\r\n"
                f"PHOTO;ENCODING=b;TYPE=JPEG:{folded}\r\n"
                f"UID:{number:08d}-bench\r\nEND:VCARD\r\n"
            )
    return file


def write_mbox(file: Path, size: int) -> tuple[Path, int]:
    """Write a mailbox of at least `size` bytes; returns how many messages are in it."""
    written = list(_parts(MESSAGES))
    total = messages = 0
    with file.open("wb") as out:
        while total < size:
            for part in written:
                # Another id makes another message of it; its length stays.
                mark = b"%07d" % messages
                out.write(part.replace(b"@example.com>\nDate:", b"@m" + mark + b"x>\nDate:", 1))
                total += len(part)
                messages += 1
                if total >= size:
                    break
    return file, messages


def _parts(count: int) -> Iterator[bytes]:
    for message in islice(correspondence(count), count):
        yield an_mbox(message) + b"\n"
