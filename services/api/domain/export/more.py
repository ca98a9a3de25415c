"""What a format has no way to say goes into one field as JSON, so that no export loses anything.

Ingest reads it back (`services.ingest.sources.more`).
"""

import re
from typing import Any, Final

import orjson

_UNSEEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
"""Control characters that files of text do not carry."""


EPOCHS: Final = ("1604-", "0000-", "0001-")
"""Years by which address books say that they know none: a reader takes them for that."""


_ERRORS: Final = frozenset(
    {"#N/A", "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#GETTING_DATA"}
)
"""What a spreadsheet shows where it could not compute: a reader takes it for nothing."""


class More:
    """What of one contact did not fit."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}

    def put(self, name: str, value: Any) -> None:
        """Keep a value; None says that there is none, whatever the file seems to say."""
        self._kept[name] = value

    def extend(self, name: str, values: list[Any]) -> None:
        """Keep what follows in a list."""
        if values:
            self._kept[name] = [*self._kept.get(name, ()), *values]

    def custom(self, name: str, value: Any) -> None:
        """Keep a custom field."""
        self._kept.setdefault("custom_fields", {})[name] = value

    @property
    def text(self) -> str:
        """Return it as JSON; empty: everything fitted."""
        return to_json(self._kept) if self._kept else ""


def to_json(value: Any) -> str:
    """Write a value as JSON in one line."""
    return orjson.dumps(value).decode()


def is_plain_job(job: dict[str, Any]) -> bool:
    """Tell whether a reader gives every part of a job back as it is."""
    texts = [text for text in job.values() if isinstance(text, str)]
    days = (job.get("start_date", ""), job.get("end_date", ""))
    return all(map(is_plain, texts)) and not any(day.startswith(EPOCHS) for day in days)


def is_plain(text: Any) -> bool:
    """Tell whether a reader that trims its cells gives a text back as it is."""
    if not isinstance(text, str) or text in _ERRORS:
        return False
    return text == text.strip() and not _UNSEEN.search(text)
