"""Thresholds, weights and dry runs as text for a terminal, and as JSON."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from services.resolver.domain.explaining import ACTION_NAMES, name_attribute, ranked, say_signal
from services.resolver.domain.hindsight import Hindsight, Sample
from services.resolver.domain.matching.training import Learned
from services.resolver.domain.matching.weights import Weights, default_weights
from services.resolver.domain.policies import Settings, differences
from services.resolver.store.policies import WeightsVersion

MERGED: Final = ("merge", "merge_and_flag")

SIGNALS: Final = 5
"""Lines of evidence shown of a pair: those worth most."""

WORDS: Final = {
    "merge": "merged",
    "merge_and_flag": "merged with a flag",
    "review": "in review",
    "keep_apart": "left apart",
}
"""Action → what became of a pair."""


def settings_lines(settings: Settings) -> Iterator[str]:
    """Say what is in force."""
    at = settings.thresholds
    since = f"version {settings.version}" if settings.version else "the release's, never changed"
    yield f"settings: {since}; scorer {settings.scorer}, weights {weights_name(settings)}"
    yield f"  merge from           {at.merge:.4f}"
    yield f"  merge and flag from  {at.merge_and_flag:.4f}"
    yield f"  review from          {at.review:.4f}"


def weights_name(settings: Settings) -> str:
    """Name the weights in force."""
    return str(settings.weights_version) if settings.weights_version else "of the release"


def weights_lines(weights: Weights) -> Iterator[str]:
    """Say what every level weighs, and what the release says where that differs."""
    other = differences(weights)
    again, release_again = weights.told_again, default_weights().told_again
    town = "" if again == release_again else " and the share of a town told again"
    yield f"weights {weights.version}: {len(other)} levels{town} differ from the release's"
    yield (
        f"  before anything is compared {weights.prior:+.2f} bits, "
        f"{weights.per_doubling:.2f} fewer for every doubling of the base; "
        f"a bit above 0 is worth {weights.slope:.2f}"
    )
    beside = f" (release {release_again:.2f})" if town else ""
    yield (
        "  of what tells one town (city, code, state, country) what speaks most counts whole; "
        f"a bit of the others is worth {again:.2f}{beside}"
    )
    yield f"  {'attribute':<22}{'level':<10}{'bits':>8}{'per bit':>9}{'release':>9}"
    for (attribute, level), weight in weights.levels.items():
        change = other.get((attribute, level))
        release = f"{change[0]:>9.2f}" if change else ""
        yield (
            f"  {name_attribute(attribute):<22}{level:<10}{weight.bits:>8.2f}"
            f"{weight.per_bit:>9.2f}{release}"
        )


def version_line(version: WeightsVersion, settings: Settings) -> str:
    """Say on a line what a version of the weights is."""
    mark = "*" if version.version == settings.weights_version else " "
    said = ", ".join(f"{name} {value}" for name, value in version.learned_from.items())
    return f"{mark} {version.version:>4}  {version.created_at:%Y-%m-%d %H:%M}  {said}"


def learned_lines(learned: Learned, present: Weights) -> Iterator[str]:
    """Say what was learned."""
    yield (
        f"{learned.matches:,} pairs that match and {learned.others:,} that do not; on those held "
        f"back the loss goes from {learned.loss_before:.4f} to {learned.loss_after:.4f} bits"
    )
    before, after = present.told_again, learned.weights.told_again
    if before != after:
        yield f"  {'a bit of a town told again':<32}{before:>8.2f} → {after:>6.2f}"
    for key, weight in learned.weights.levels.items():
        bits = present.levels[key].bits if key in present.levels else 0.0
        if abs(weight.bits - bits) >= 0.005:
            yield f"  {name_attribute(key[0]):<22}{key[1]:<10}{bits:>8.2f} → {weight.bits:>6.2f}"


def hindsight_lines(hindsight: Hindsight) -> Iterator[str]:
    """Say which pairs of the past would be decided otherwise."""
    yield f"{len(hindsight.seen):,} pairs of the past, by the newest decision about each"
    if hindsight.settled:
        yield f"  {hindsight.settled:,} are left out: people have decided them"
    if hindsight.unscored:
        yield f"  {hindsight.unscored:,} are left out: the customer's formula scored them"
    same = sum(count for (then, now), count in hindsight.counts.items() if then == now)
    yield f"  {same:,} stay as they are"
    changes = {one: count for one, count in hindsight.counts.items() if one[0] != one[1]}
    for change, count in sorted(changes.items(), key=lambda one: (-one[1], one[0])):
        yield ""
        yield f"{count:,} {name_change(*change)}: {WORDS[change[0]]} → {WORDS[change[1]]}"
        for sample in hindsight.samples.get(change, ()):
            yield from _sample_lines(sample)
    yield ""
    yield (
        "pairs that scored below the review threshold of their time are not in history; where a "
        "contact's other records held a pair back, it is taken to stay held back"
    )


def name_change(then: str, now: str) -> str:
    """Call a change what an operator calls it."""
    if (then in MERGED) != (now in MERGED):
        return "would newly merge" if now in MERGED else "would stop merging"
    if then in MERGED:
        return "would be flagged" if now == "merge_and_flag" else "would lose their flag"
    return "would move to review" if now == "review" else "would leave review"


def _sample_lines(sample: Sample) -> Iterator[str]:
    evidence = sample.evidence
    yield (
        f"  {' / '.join(sample.contacts)}  {evidence.probability:.4f} → {sample.probability:.4f}  "
        f"{evidence.tier}"
    )
    for signal in ranked(evidence.signals)[1 : SIGNALS + 1]:
        yield f"    {say_signal(signal, sample.scorer)}"


def hindsight_document(hindsight: Hindsight) -> dict[str, Any]:
    """Say the same as JSON."""
    return {
        "pairs": len(hindsight.seen),
        "settled": hindsight.settled,
        "unscored": hindsight.unscored,
        "changes": [
            {
                "then": then,
                "now": now,
                "pairs": count,
                "samples": [_told(one) for one in hindsight.samples.get((then, now), ())],
            }
            for (then, now), count in sorted(hindsight.counts.items())
        ],
    }


def _told(sample: Sample) -> Mapping[str, Any]:
    return {
        "contacts": sample.contacts,
        "score": sample.evidence.probability,
        "score_now": sample.probability,
        "action_now": ACTION_NAMES[sample.action],
        "tier": sample.evidence.tier,
        "signals": [one._asdict() for one in sample.evidence.signals],
    }
