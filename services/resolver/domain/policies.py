"""What a tenant decides by: scorer, thresholds, weights; a new version for every change.

The highest version is in force, for later matches only; going back is a new version with the old
content (spec 003, 7.2; DESIGN 4.3).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from services.resolver.domain.matching.levels import RANK
from services.resolver.domain.matching.tiers import Thresholds
from services.resolver.domain.matching.weights import Weights, default_weights, weights_from
from shared.errors import PoisonMessageError

SCORERS: Final = ("evidence", "spec")
"""Formulas of confidence, the default first."""

MOST_BITS: Final = 40.0
"""Bits that a weight may add at most: nobody is surer (`matching.linking.SUREST`)."""

MOST_LEVELS: Final = 2_000
"""Rows of a table of weights; the release's has about 80."""

_THRESHOLDS: Final = ("merge", "merge_and_flag", "review")


@dataclass(frozen=True, slots=True)
class Settings:
    """A version of what a tenant decides by."""

    version: int = 0
    """0: the release's defaults, nobody changed them."""
    scorer: str = SCORERS[0]
    weights_version: int | None = None
    """None: the weights that the release brings."""
    thresholds: Thresholds = field(default_factory=Thresholds)


def changed(present: Settings, wishes: Mapping[str, Any]) -> Settings:
    """Return the settings with wishes in them, one version on; what is not named stays.

    Raises `PoisonMessageError` naming the field that is wrong and what would be right.
    """
    unknown = set(wishes) - {"scorer", "weights_version", "thresholds"}
    if unknown:
        raise _invalid(min(unknown), "is unknown; say scorer, weights_version or thresholds")
    scorer = wishes.get("scorer", present.scorer)
    if scorer not in SCORERS:
        raise _invalid("scorer", f"must be one of {', '.join(SCORERS)}")
    version = wishes.get("weights_version", present.weights_version)
    if version is not None and (type(version) is not int or version < 1):
        raise _invalid("weights_version", "must be a version's number, or null for the release's")
    thresholds = read_thresholds(present.thresholds, wishes.get("thresholds", {}))
    return replace(
        present,
        version=present.version + 1,
        scorer=scorer,
        weights_version=version,
        thresholds=thresholds,
    )


def read_thresholds(present: Thresholds, wishes: Any) -> Thresholds:
    """Return thresholds with wishes in them: 0 ≤ review ≤ merge_and_flag ≤ merge ≤ 1."""
    if not isinstance(wishes, Mapping):
        raise _invalid("thresholds", 'must be an object, like {"merge": 0.97}')
    for name, value in wishes.items():
        if name not in _THRESHOLDS:
            raise _invalid(f"thresholds.{name}", f"is unknown; say {', '.join(_THRESHOLDS)}")
        if not _is_number(value) or not 0.0 <= value <= 1.0:
            raise _invalid(f"thresholds.{name}", "must be a probability from 0 to 1")
    found = replace(present, **{name: float(value) for name, value in wishes.items()})
    if not found.review <= found.merge_and_flag <= found.merge:
        raise _invalid("thresholds", "must rise: review, then merge_and_flag, then merge")
    return found


def read_weights(document: Any) -> Weights:
    """Read a table of weights that somebody sends, or refuse it with the row that is wrong."""
    if not isinstance(document, Mapping):
        raise _invalid("weights", "must be an object, as `kith weights show --json` prints it")
    for name in ("prior", "per_doubling", "slope"):
        _bits(document.get(name), f"weights.{name}")
    if document["per_doubling"] < 0 or not 0 < document["slope"] <= 1:
        raise _invalid("weights", "per_doubling must be 0 or more, slope above 0 and at most 1")
    again = document.get("told_again", 1.0)
    if not _is_number(again) or not 0.0 < again <= 1.0:
        raise _invalid("weights.told_again", "must be a share above 0 and at most 1")
    rare, levels = document.get("most_rare"), document.get("levels")
    if not isinstance(rare, Mapping) or not isinstance(levels, Mapping):
        raise _invalid("weights", "must have the objects most_rare and levels")
    for name, value in rare.items():
        _bits(value, f"weights.most_rare.{name}")
    if sum(len(rows) for rows in levels.values() if isinstance(rows, Mapping)) > MOST_LEVELS:
        raise _invalid("weights.levels", f"has more than {MOST_LEVELS} rows")
    for attribute, rows in levels.items():
        _check_rows(attribute, rows)
    return weights_from({"version": "", **document})


def _check_rows(attribute: str, rows: Any) -> None:
    place = f"weights.levels.{attribute}"
    if not isinstance(rows, Mapping):
        raise _invalid(place, "must be an object of levels")
    for level, pair in rows.items():
        if level not in RANK:
            raise _invalid(f"{place}.{level}", f"is no level; say one of {', '.join(RANK)}")
        if not isinstance(pair, list) or not 1 <= len(pair) <= 2:
            raise _invalid(f"{place}.{level}", "must be [bits] or [bits, bits per bit of rarity]")
        for value in pair:
            _bits(value, f"{place}.{level}")


def _bits(value: Any, place: str) -> None:
    if not _is_number(value) or abs(value) > MOST_BITS:
        raise _invalid(place, f"must be a number of bits from -{MOST_BITS:.0f} to {MOST_BITS:.0f}")


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def differences(weights: Weights) -> dict[tuple[str, str], tuple[float, float]]:
    """Return the levels that weigh otherwise than in the release, each with both bits."""
    release = default_weights()
    found = {}
    for key in sorted({*weights.levels, *release.levels}):
        theirs = weights.levels[key].bits if key in weights.levels else 0.0
        ours = release.levels[key].bits if key in release.levels else 0.0
        if theirs != ours:
            found[key] = (ours, theirs)
    return found


def tell_settings(settings: Settings) -> dict[str, Any]:
    """Say what is in force as JSON."""
    return {
        "version": settings.version,
        "scorer": settings.scorer,
        "weights_version": settings.weights_version,
        "thresholds": {name: getattr(settings.thresholds, name) for name in _THRESHOLDS},
    }


def tell_version(
    version: int, learned_from: Mapping[str, Any], created_at: datetime
) -> dict[str, Any]:
    """Say of a version of the weights what it is, as JSON."""
    return {
        "version": version,
        "learned_from": learned_from,
        "created_at": created_at.isoformat(),
    }


def _invalid(place: str, detail: str) -> PoisonMessageError:
    return PoisonMessageError("invalid", detail, field=place)
