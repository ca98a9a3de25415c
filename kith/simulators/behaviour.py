"""How the vendor simulator treats a person: as the e-mail address says, else by a stable draw."""

import hashlib
from collections.abc import Mapping
from typing import Literal, cast, get_args

Behaviour = Literal[
    "match",  # found
    "none",  # 200 without a person
    "bad",  # 422: the question is refused
    "slow",  # found, late
    "limit",  # 429 with Retry-After once, then found
    "flaky",  # 503 twice, then found
    "down",  # 500 always
    "gateway",  # 502: nobody knows whether the vendor saw it
    "garbage",  # 200 with broken JSON
    "hang",  # no answer
    "drop",  # the connection breaks amid the answer
]
"""What the part of an address before `+` may order: `slow+ada@example.com`."""

Shares = Mapping[Behaviour, float]
"""How often an unmarked person is met with which behaviour; the rest is `none`."""

_KNOWN = frozenset(get_args(Behaviour))


def behaviour_of(subject: str, shares: Shares) -> Behaviour:
    """Choose the behaviour for an address, a profile or a name: always the same one."""
    order, plus, _ = subject.partition("@")[0].lower().partition("+")
    if plus and order in _KNOWN:
        return cast("Behaviour", order)
    draw = int.from_bytes(hashlib.blake2b(subject.encode(), digest_size=8).digest()) / 2**64
    reached = 0.0
    for behaviour, share in shares.items():
        reached += share
        if draw < reached:
            return behaviour
    return "none"
