"""Identifiers that several people use: role mailboxes, switchboards, family phones."""

import re
from functools import cache, lru_cache
from importlib import resources
from typing import Final

from services.resolver.domain.matching.model import IDENTIFIERS, Statistics
from services.resolver.domain.matching.statistics import SHARED_BY

_BETWEEN_WORDS: Final = re.compile(r"[.\-_+]")
_SHORT: Final = 2
"""Letters of a country or a team in a role's address: `info-de`, `sales.uk`."""


def is_shared(attribute: str, value: str, statistics: Statistics) -> bool:
    """Tell whether an identifier is used by several people, by its form or by what was seen."""
    if attribute not in IDENTIFIERS:
        return False
    return (attribute == "email" and is_role_mailbox(value)) or (
        statistics.holders(attribute, value) >= SHARED_BY
    )


@lru_cache(maxsize=8_192)
def is_role_mailbox(email: str) -> bool:
    """Tell whether an address is a role's, not a person's: `info@`, `sales-uk@`, `support2@`."""
    words = _BETWEEN_WORDS.split(email.rpartition("@")[0].rstrip("0123456789"))
    roles = _roles()
    if "".join(words) in roles:
        return True
    return any(word in roles for word in words) and all(
        word in roles or len(word) <= _SHORT for word in words
    )


@cache
def _roles() -> frozenset[str]:
    text = resources.files(__package__).joinpath("role_mailboxes.dat").read_text("utf-8")
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return frozenset(line for line in lines if line)
