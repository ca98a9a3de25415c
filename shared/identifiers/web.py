"""Addresses of the web, as sources show pictures and pages by them."""

from typing import Final
from urllib.parse import urlsplit

from shared.identifiers.names import clean_text
from shared.identifiers.types import Refused

MAX_ADDRESS: Final = 1_000
"""Characters of an address, as `wire.Line`."""

_NO_ADDRESS: Final = Refused(
    "is not an address of the web; write it like https://example.com/a.jpg"
)


def normalize_address(value: str) -> str | Refused:
    """Return an address of the web, `http` or `https`, as it was written; white space is dropped.

    One with a name and a password in it is none: whoever is shown it would be shown those, too.
    """
    if len(value) > MAX_ADDRESS:
        return Refused(f"has more than {MAX_ADDRESS} characters; give a shorter address")
    text = clean_text(value)
    try:
        parts = urlsplit(text)
        is_one = parts.scheme.lower() in {"http", "https"} and "." in (parts.hostname or "")
    except ValueError:
        return _NO_ADDRESS
    return text if is_one and "@" not in parts.netloc and " " not in text else _NO_ADDRESS
