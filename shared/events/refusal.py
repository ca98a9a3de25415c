"""What is wrong with a message, said without repeating it."""

from pydantic import ValidationError

from shared.errors import PoisonMessageError


def invalid(error: ValidationError) -> PoisonMessageError:
    """Say which field is wrong and what would be right, without the value."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    more = error.error_count() - 1
    suffix = f" (and {more} more)" if more else ""
    return PoisonMessageError("invalid", f"{first['msg']}{suffix}", field=field)
