"""What kith's own exports say in JSON because their format has no other way (`services.api`).

It is added to what was read beside it; a value replaces what was read, null takes it away.
"""

from typing import Any, Final

import orjson

from services.ingest.domain.columns import NAMES

_TEXTS: Final = frozenset(
    {*NAMES, "headline", "notes", "birthday", "linkedin_url", "photo_url", "timezone"}
)
_LISTS: Final = frozenset(
    {
        *("emails", "phones", "identifiers", "employments", "addresses", "websites", "labels"),
        *("education", "skills", "certifications", "languages", "social_posts"),
    }
)

MALFORMED: Final = "is not what an export of kith says there; the rest of the row is kept"


def add_more(record: dict[str, Any], text: str) -> bool:
    """Add what a text says to a record; False: it is not of our own making."""
    try:
        more = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    if not isinstance(more, dict):
        return False
    fitting = True
    for name, value in more.items():
        if name in _LISTS and isinstance(value, list):
            record[name] = [*record.get(name, ()), *value]
        elif name in _TEXTS and value is None:
            record.pop(name, None)
        elif name in _TEXTS and isinstance(value, str):
            record[name] = value
        elif name == "custom_fields" and isinstance(value, dict):
            record[name] = {**record.get(name, {}), **value}
        else:
            fitting = False
    return fitting
