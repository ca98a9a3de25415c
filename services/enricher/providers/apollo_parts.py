"""Parts of Apollo's answers, read tolerantly: what is odd is as if it were not there."""

from datetime import date
from typing import Any, Final

MAX_TEXT: Final = 255
"""The longest short text of a signal."""


def text_of(part: dict[str, Any], field: str, longest: int = MAX_TEXT) -> str | None:
    """Return a text, cut to what a signal takes."""
    value = part.get(field)
    if not isinstance(value, str):
        return None
    return value.replace("\x00", "").strip()[:longest].strip() or None


def date_of(part: dict[str, Any], field: str) -> date | None:
    """Return a day, of a moment too."""
    text = text_of(part, field)
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        return None


def number_of(part: dict[str, Any], field: str, least: int, most: int) -> int | None:
    """Return a whole number within bounds."""
    value = part.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Infinity and NaN compare as out of bounds.
    return int(value) if least <= value <= most else None


def part_of(part: dict[str, Any], field: str) -> dict[str, Any]:
    """Return an object within one; empty where there is none."""
    value = part.get(field)
    return value if isinstance(value, dict) else {}


def parts_of(part: dict[str, Any], field: str) -> list[dict[str, Any]]:
    """Return the objects of a list."""
    value = part.get(field)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def texts_of(part: dict[str, Any], field: str) -> list[str]:
    """Return the texts of a list."""
    value = part.get(field)
    listed = value if isinstance(value, list) else []
    return [text for one in listed if (text := text_of({"": one}, ""))]
