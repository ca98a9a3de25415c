"""What is wrong with a message, said without repeating it."""

import re
from typing import Final

from pydantic import ValidationError

from shared.errors import PoisonMessageError

_ID: Final = re.compile(r"\^([a-z]{3}_)\[[^]]+\]\{26\}\$")
"""The pattern of a public id."""


def invalid(error: ValidationError) -> PoisonMessageError:
    """Say which field is wrong and what would be right, without the value."""
    first = error.errors(include_input=False, include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    named = _ID.fullmatch(first.get("ctx", {}).get("pattern", ""))
    detail = f"must be an id: {named[1]} and 26 characters" if named else first["msg"]
    more = error.error_count() - 1
    suffix = f" (and {more} more)" if more else ""
    return PoisonMessageError("invalid", f"{detail}{suffix}", field=field)
