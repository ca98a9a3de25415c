"""What a tenant decides by is changed whole, and what is wrong is named."""

from copy import deepcopy
from typing import Any

import pytest

from services.resolver.domain.matching.tiers import Thresholds
from services.resolver.domain.matching.weights import default_weights, to_document
from services.resolver.domain.policies import Settings, changed, differences, read_weights
from shared.errors import PoisonMessageError


def test_what_is_not_named_stays() -> None:
    present = Settings(4, "spec", 2, Thresholds(0.9, 0.5, 0.1))
    new = changed(present, {"thresholds": {"merge": 0.97}})
    assert new == Settings(5, "spec", 2, Thresholds(0.97, 0.5, 0.1))
    assert changed(new, {"weights_version": None, "scorer": "evidence"}).weights_version is None


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        ({"thresholds": {"merge": 1.1}}, "thresholds.merge"),
        ({"thresholds": {"merge": "0.9"}}, "thresholds.merge"),
        ({"thresholds": {"merge": True}}, "thresholds.merge"),
        ({"thresholds": {"merge": float("nan")}}, "thresholds.merge"),
        ({"thresholds": {"flag": 0.5}}, "thresholds.flag"),
        ({"thresholds": {"merge": 0.3}}, "thresholds"),
        ({"thresholds": [0.9]}, "thresholds"),
        ({"scorer": "magic"}, "scorer"),
        ({"weights_version": 0}, "weights_version"),
        ({"weights_version": "2"}, "weights_version"),
        ({"merge": 0.9}, "merge"),
    ],
)
def test_a_wish_that_cannot_be_met_names_its_field(wishes: dict[str, Any], field: str) -> None:
    with pytest.raises(PoisonMessageError) as refused:
        changed(Settings(), wishes)
    assert refused.value.field == field


def test_the_releases_own_table_is_read_as_it_is() -> None:
    assert read_weights(to_document(default_weights())) == default_weights()
    assert differences(default_weights()) == {}


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("prior",), None, "weights.prior"),
        (("slope",), 0, "weights"),
        (("per_doubling",), -1, "weights"),
        (("levels",), [], "weights"),
        (("levels", "email"), 3, "weights.levels.email"),
        (("levels", "email", "equal"), [1, 2, 3], "weights.levels.email.equal"),
        (("levels", "email", "equal"), [99], "weights.levels.email.equal"),
        (("levels", "email", "certain"), [1], "weights.levels.email.certain"),
        (("most_rare", "email"), "x", "weights.most_rare.email"),
        (("told_again",), 0, "weights.told_again"),
        (("told_again",), True, "weights.told_again"),
    ],
)
def test_a_table_that_cannot_be_used_names_its_row(
    path: tuple[str, ...], value: Any, field: str
) -> None:
    document = deepcopy(to_document(default_weights()))
    place: Any = document
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(PoisonMessageError) as refused:
        read_weights(document)
    assert refused.value.field == field


def test_a_table_is_an_object() -> None:
    with pytest.raises(PoisonMessageError):
        read_weights(None)


def test_differences_say_both_bits() -> None:
    document = deepcopy(to_document(default_weights()))
    document["levels"]["city"]["equal"][0] += 1.0
    before = default_weights().levels["city", "equal"].bits
    assert differences(read_weights(document)) == {("city", "equal"): (before, before + 1.0)}
