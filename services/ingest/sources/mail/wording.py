"""The words of signatures as patterns, made once of `data/signature.toml`."""

import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from tomllib import loads
from typing import Final, Literal

PhoneKind = Literal["work", "mobile", "fax", "home"]

KINDS: Final[tuple[PhoneKind, ...]] = ("fax", "mobile", "home", "work")
"""In the order in which a label is asked: `Tel. mobil` is a mobile, `Tel./Fax` is a fax."""


class Wording:
    """Compiled patterns; `pattern.search` unless said otherwise."""

    def __init__(self, words: dict[str, list[str]], phone: dict[str, list[str]]) -> None:
        self.closing = re.compile(rf"\W*(?:{_any(words['closing'])})[\s,.!;:–—-]*", re.IGNORECASE)
        """`fullmatch`: a line that ends a letter."""
        self.before_name = re.compile(
            rf"(?:(?:{_any(words['before_name'])})\s+)+(?=\w)", re.IGNORECASE
        )
        """`match`: honorifics."""
        self.behind_name = re.compile(rf"(?:\s+(?:{_any(words['behind_name'])}))+$", re.IGNORECASE)
        """`sub`: degrees and orders."""
        self.greeting = re.compile(rf"\W*(?:{_any(words['greeting'])})(?!\w)", re.IGNORECASE)
        """`match`: a line that speaks to somebody."""
        self.title = _words(words["title"], words["title_inside"])
        self.form = _words(words["company_form"], words["company_inside"])
        self.organisation = _words(words["company_word"])
        self.department = _words(words["department"], words["department_inside"])
        self.street = _words(words["street"])
        self.state = re.compile(rf"(?:{_any(words['state'])})")
        """`fullmatch`: a state of the United States in full."""
        self.country = re.compile(rf"(?:{_any(words['country'])})\.?", re.IGNORECASE)
        """`fullmatch`."""
        self.phone = {kind: _words(phone[kind]) for kind in KINDS}


@lru_cache(maxsize=1)
def wording() -> Wording:
    """Return the words, read from their file the first time."""
    text = (files("services.ingest.sources.mail") / "data" / "signature.toml").read_text("utf-8")
    document = loads(text)
    phone, address = document.pop("phone"), document.pop("address")
    return Wording({**document, **address}, phone)


def _any(words: Sequence[str]) -> str:
    return "|".join(words)


def _words(words: Sequence[str], inside: Sequence[str] = ()) -> re.Pattern[str]:
    """Match any of the words where it stands by itself, or what may stand inside of others."""
    alone = rf"(?<![\w]) (?:{_any(words)}) (?![\w])".replace(" (?:", "(?:").replace(") (", ")(")
    parts = [alone, *(re.escape(one) for one in inside)]
    return re.compile("|".join(parts), re.IGNORECASE)
