"""What `kith weights` says of a table: every way in which it differs from the release's."""

from dataclasses import replace

from kith.policy_text import learned_lines, weights_lines
from services.resolver.domain.matching.training import Learned
from services.resolver.domain.matching.weights import default_weights

SHARE = f"{default_weights().told_again:.2f}"
BEFORE = replace(default_weights(), version="own-1", told_again=1.0)


def test_a_table_that_differs_in_the_share_of_a_town_alone_says_so() -> None:
    head, _, town, *_ = weights_lines(BEFORE)
    assert head == (
        "weights own-1: 0 levels and the share of a town told again differ from the release's"
    )
    assert town.endswith(f"is worth 1.00 (release {SHARE})")


def test_the_releases_own_table_says_its_share_alone() -> None:
    head, _, town, *_ = weights_lines(default_weights())
    assert head.endswith(": 0 levels differ from the release's")
    assert town.endswith(f"is worth {SHARE}")


def test_what_is_learned_says_that_a_town_counts_once_now() -> None:
    learned = Learned(default_weights(), 100, 100, 0.5, 0.4)
    _, town = learned_lines(learned, BEFORE)
    assert " ".join(town.split()) == f"a bit of a town told again 1.00 → {SHARE}"
    assert len(list(learned_lines(learned, default_weights()))) == 1
