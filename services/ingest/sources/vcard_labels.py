"""What vCards call a number, an address or a date: one word for each of the formats' spellings."""

import re
from functools import lru_cache
from typing import Final

_WRAPPED = re.compile(r"_\$!<(.+)>!\$_")
"""How Apple wraps the labels that it translates."""

_SEAM = re.compile(r"(?<=[a-z])(?=[A-Z])")

_SILENT: Final = frozenset(
    {
        "pref", "internet", "voice", "text", "x-internet", "utf-8", "dom", "intl", "postal",
        "parcel", "msg", "uri", "individual", "x-nointernet",
    }
)  # fmt: skip
"""Types that say nothing a person would call a label."""

_WORDS: Final = {
    "cell": "mobile",
    "textphone": "text phone",
    "x-mobil": "mobile",
    "x-iphone": "iphone",
    "homepage": "home page",
    "x-homepage": "home page",
    "x-evolution-callback": "callback",
    "x-evolution-company": "company main",
    "x-evolution-radio": "radio",
}
"""Type → the word for it."""

_ORDER: Final = ("home", "work", "other", "iphone", "mobile", "car", "main", "fax", "pager")
"""In which order words are put together: `home fax`, `work mobile`."""


@lru_cache(maxsize=1_024)
def label_of_types(types: frozenset[str]) -> str:
    """Put `TYPE` values together into a label; empty where they say nothing."""
    words = {_WORDS.get(word, word.removeprefix("x-")) for word in types - _SILENT}
    if "iphone" in words:
        words.discard("mobile")
    known = [word for word in _ORDER if word in words]
    return " ".join([*known, *sorted(words.difference(_ORDER))])


def apple_label(text: str) -> str:
    """Unwrap a label that Apple translates: `_$!<HomeFAX>!$_` is `home fax`."""
    match = _WRAPPED.fullmatch(text)
    if match is None:
        return text
    return _SEAM.sub(" ", match[1]).lower()
