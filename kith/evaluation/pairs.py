"""Labelled pairs of a labelled table: what `kith weights train --from` learns from."""

from collections.abc import Iterable, Mapping
from itertools import combinations
from random import Random
from typing import Final

from kith.evaluation.labelled import Labelled, LabelledRow, signal_of
from services.ingest.domain.mapping import to_draft
from services.resolver.domain.matching.blocking import HOT, blocking_keys
from services.resolver.domain.matching.evidence import observe
from services.resolver.domain.matching.model import Profile
from services.resolver.domain.matching.profile import profile_of
from services.resolver.domain.matching.statistics import count_all
from services.resolver.domain.matching.training import LabelledPair
from shared.errors import PoisonMessageError
from shared.events.signal import Facts

MOST: Final = 3_000
"""Pairs of each kind that are learned from: more hardly move a weight, and take minutes."""


def labelled_pairs(labelled: Labelled, region: str, seed: int) -> list[LabelledPair]:
    """Compare records that share a blocking key, as matching would; a sample of either kind."""
    profiles = dict(_profiles(labelled.rows, region))
    truth = labelled.people
    counts = count_all(profiles.values())
    kinds: dict[bool, list[tuple[str, str]]] = {True: [], False: []}
    for one, other in sorted(_candidates(profiles)):
        if one in truth and other in truth:
            kinds[truth[one] == truth[other]].append((one, other))
    dice = Random(seed)  # noqa: S311  # a sample, no secret
    chosen = [
        (pair, is_match)
        for is_match, pairs in kinds.items()
        for pair in (dice.sample(pairs, MOST) if len(pairs) > MOST else pairs)
    ]
    return [
        LabelledPair(tuple(observe(profiles[one], profiles[other], counts)), counts.size, is_match)
        for (one, other), is_match in chosen
    ]


def _profiles(rows: Iterable[LabelledRow], region: str) -> Iterable[tuple[str, Profile]]:
    for row in rows:
        try:
            draft = to_draft(signal_of(row), region)
        except PoisonMessageError:
            continue  # It speaks of nobody: production refuses it, too.
        yield row.record_id, profile_of(Facts.model_validate(draft.facts))


def _candidates(profiles: Mapping[str, Profile]) -> set[tuple[str, str]]:
    blocks: dict[str, list[str]] = {}
    for record, profile in profiles.items():
        for key in blocking_keys(profile):
            blocks.setdefault(key, []).append(record)
    return {
        (one, other) if one < other else (other, one)
        for block in blocks.values()
        if len(block) <= HOT
        for one, other in combinations(block, 2)
    }
