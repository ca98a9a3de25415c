"""From two profiles to a link: scorer, vetoes and tiers in one place, the same for all callers."""

from dataclasses import dataclass, field
from typing import Final

from services.resolver.domain.matching.households import may_be_relatives
from services.resolver.domain.matching.model import (
    Profile,
    Score,
    Scorer,
    Statistics,
    to_bits,
)
from services.resolver.domain.matching.partitioning import Link, Rules
from services.resolver.domain.matching.tiers import Action, Thresholds, Tier, allowed, tier_of
from services.resolver.domain.matching.vetoes import BARS, Veto, veto_of

MARGIN: Final = 0.5
"""Bits below the threshold of review from which a link is kept: a mean may lie above it."""

SUREST: Final = 40.0
"""Bits beyond which nobody is surer: the formula of `spec` knows certainty, a mean does not."""

_ROUNDING: Final = 1e-6
"""Bits that a mean of many weights may be off by."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything that is known of a pair: what is stored, and what `why` shows."""

    score: Score
    tier: Tier
    veto: Veto | None
    action: Action
    """What would be done with the two alone."""
    link: Link

    @property
    def rank(self) -> tuple[Action, float]:
        """Say how well two records agree: what that allows, then what it weighs."""
        return self.link.allowed, self.link.weight


@dataclass(frozen=True, slots=True)
class Matcher:
    """A scorer with a tenant's thresholds."""

    scorer: Scorer
    thresholds: Thresholds = field(default_factory=Thresholds)

    @property
    def floor(self) -> float:
        """Bits from which a link is kept."""
        return min(0.0, to_bits(self.thresholds.review)) - MARGIN

    def weigh(self, left: Profile, right: Profile, statistics: Statistics) -> float:
        """Return the weight of the link that `judge` finds, at less than half of the cost."""
        return min(SUREST, max(-SUREST, self.scorer.weigh(left, right, statistics)))

    def judge(self, left: Profile, right: Profile, statistics: Statistics) -> Verdict:
        """Compare two records in full."""
        score = self.scorer.score(left, right, statistics)
        weight = min(SUREST, max(-SUREST, score.weight))
        veto = veto_of(left, right, statistics) if weight >= self.floor else None
        most = allowed(score.signals, veto)
        if most is Action.MERGE and may_be_relatives(
            left, right, score.signals, are_doubtful=veto is Veto.DOUBT
        ):
            veto = Veto.HOUSEHOLD
            most = allowed(score.signals, veto)
        action = min(most, self.thresholds.action_at(score.probability))
        return Verdict(
            score, tier_of(score.signals), veto, action, Link(weight, most, veto in BARS)
        )

    def least(self, action: Action) -> float:
        """Return the fewest bits that allow an action, with as much to spare as a mean rounds."""
        low, high = -SUREST, SUREST
        while high - low > _ROUNDING:
            middle = (low + high) / 2
            if self.thresholds.action_at(self.scorer.calibrate(middle)) >= action:
                high = middle
            else:
                low = middle
        return high + _ROUNDING

    @property
    def joins(self) -> bool:
        """Tell whether any evidence is enough for a merge: a tenant may leave all to people."""
        surest = self.scorer.calibrate(SUREST)
        return self.thresholds.action_at(surest) >= Action.FLAG

    def rules(self, least: Action = Action.FLAG) -> Rules:
        """Return how groups are decided: `least` MERGE leaves out what would be flagged."""
        calibrate, action_at = self.scorer.calibrate, self.thresholds.action_at
        return Rules(lambda mean: action_at(calibrate(mean)), least)
