"""A decision about two contacts in plain words: each signal, the vetoes, what was missing.

Everything is said from what is stored with the decision, so that an explanation is as true in a
year as on the day; the score is made again from its signals and has to come out the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.resolver.domain.matching.evidence import PRIOR
from services.resolver.domain.matching.linking import SUREST, Verdict
from services.resolver.domain.matching.model import CUSTOM, Scorer, Signal
from services.resolver.domain.matching.spec import SpecScorer
from services.resolver.domain.matching.tiers import Action, Thresholds, Tier, allowed
from services.resolver.domain.matching.vetoes import BARS, Veto

ACTION_NAMES: Final = {
    Action.MERGE: "merge",
    Action.FLAG: "merge_and_flag",
    Action.REVIEW: "review",
    Action.NOTHING: "keep_apart",
}
"""Action → its name in tables and answers."""

TIER_NAMES: Final = {tier: str(tier) for tier in Tier} | {Tier.MEDIUM_PLACE: "medium"}
"""Tier → its name in tables and answers: the customer knows one `medium`."""

ATTRIBUTES: Final = {
    "given": "given name",
    "family": "family name",
    "name": "name",
    "email": "e-mail address",
    "phone": "phone number",
    "linkedin": "LinkedIn profile",
    "linkedin_urn": "LinkedIn member",
    "handle": "handle",
    "domain": "company domain",
    "company": "company",
    "title": "job title",
    "street": "street",
    "city": "city",
    "state": "state",
    "postcode": "postcode",
    "country": "country",
    "birthday": "birthday",
    "custom": "a workspace's own field",
}
"""Attribute → what people call it; whatever is not here is called as its source did."""

LEVELS: Final = {
    "equal": "is the same",
    "shared": "is the same, but several people use it",
    "nickname": "is a form of the other",
    "local": "is the same before the @",
    "near": "is the same but for a slip of the pen",
    "line": "is the same line",
    "subset": "is part of the other",
    "prefix": "begins the other",
    "initial": "is the initial of the other",
    "similar": "is similar",
    "fuzzy": "is similar",
    "part": "agrees as far as both say",
    "loose": "is a little similar",
    "remote": "is hardly similar",
    "named": "spells the name, as the other does",
    "neighbour": "is a line of the same range",
    "numbered": "is the same but for its number",
    "differ": "is different",
}
"""Level of agreement → a predicate."""

VETOES: Final = {
    Veto.NAMES: "both names are well-formed and disagree: only a person may merge them",
    Veto.GENERATIONS: "one is the junior, the other the senior, or was born a generation before: "
    "only a person may merge them",
    Veto.RELATIVES: "the given names are two, and nothing agrees that relatives do not share: "
    "only a person may merge them",
    Veto.PROFILES: "LinkedIn knows them as two members: only a person may merge them",
    Veto.DOUBT: "the names disagree, though one may be garbled: a merge is flagged at most",
    Veto.HOUSEHOLD: "the given names may be two, and all that agrees a household shares: a merge "
    "is flagged at most",
    Veto.EVIDENCE: "an identifier agrees and something else differs: left to matching",
}
"""Veto → why a machine must not merge, or not silently."""

TIERS: Final = {
    "exact": "an e-mail address, phone number or profile agrees",
    "high": "a name and strong evidence besides agree",
    "medium": "a name and a company or a place agree",
    "low": "a name or one other thing agrees",
    "none": "nothing agrees",
}
"""Tier → what its evidence is."""

OUTCOMES: Final = {
    "merge": "they are merged",
    "merge_and_flag": "they are merged, and the merge is marked for a look",
    "review": "a person has to decide",
    "keep_apart": "they stay apart",
}
"""Action → what comes of it."""

REASONS: Final = {
    "identifiers_of_several_contacts": "a record of one names what the other is known by",
    "names_in_conflict": "they share an identifier, but their names disagree",
    "father_and_son": "they share an identifier, but one is the junior, the other the senior",
    "different_linkedin_members": "they share an identifier, but LinkedIn knows two members",
    "evidence_in_conflict": "they share an identifier, but no LinkedIn profile, birthday or number",
    "phone_backup": "of an address book a machine takes who has an equal phone and no other name",
    "same_name": "they have the very same name, and an import brought one of them",
    "audit": "an audit of the whole base took them for one person",
    "alike": "what their records say is much the same",
}
"""Why a pair was put up for review, where no score says it."""

HALVINGS: Final = 60
"""Steps of looking for the weight of a probability: a double holds no more."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A decision as it is stored, or as it would be stored now."""

    scorer: str
    """`evidence` or `spec`."""
    weights_version: int | None
    """None: the weights that the release brings."""
    probability: float
    weight: float | None
    """Bits; None where none are stored."""
    tier: str
    action: str
    thresholds: Thresholds
    signals: tuple[Signal, ...]
    vetoes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What a pair lacks to be merged by itself."""

    threshold: float
    """The lowest probability from which pairs are merged."""
    bits: float
    """How much more its evidence would have to say; 0 when the score suffices."""


def evidence_of(
    verdict: Verdict,
    action: Action,
    thresholds: Thresholds,
    scorer: str,
    weights_version: int | None,
) -> Evidence:
    """Write a comparison as it would be stored, were it made now."""
    return Evidence(
        scorer=scorer,
        weights_version=weights_version,
        probability=verdict.score.probability,
        weight=verdict.score.weight,
        tier=TIER_NAMES[verdict.tier],
        action=ACTION_NAMES[action],
        thresholds=thresholds,
        signals=verdict.score.signals,
        vetoes=(str(verdict.veto),) if verdict.veto else (),
    )


def is_exact(evidence: Evidence, scorer: Scorer) -> bool:
    """Tell whether the stored score comes out of the stored signals again, to the last bit."""
    again = scorer.recompute(evidence.signals)
    same_weight = evidence.weight is None or again.weight == evidence.weight
    return same_weight and again.probability == evidence.probability


def shortfall(evidence: Evidence, scorer: Scorer) -> Shortfall:
    """Return what is missing to the threshold from which pairs are merged."""
    least = evidence.thresholds.merge_and_flag
    if evidence.probability >= least:
        return Shortfall(least, 0.0)
    # Nobody is surer than this: without any signal, the formula of `spec` would be, infinitely.
    bits = max(-SUREST, scorer.recompute(evidence.signals).weight)
    return Shortfall(least, round(max(0.0, _weight_of(least, scorer) - bits), 3))


def _weight_of(probability: float, scorer: Scorer) -> float:
    """Return the least weight that a scorer calibrates to a probability, by halving."""
    low, high = -100.0, 100.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        if scorer.calibrate(middle) >= probability:
            high = middle
        else:
            low = middle
    return high


def say_signal(signal: Signal, scorer: Scorer, *, hidden: bool = False) -> str:
    """Say what one signal found and what that is worth; `hidden` keeps the values back."""
    worth = _worth(signal.weight, scorer)
    if signal.attribute == PRIOR:
        return f"before anything is compared, two records are rarely one person: {worth}"
    values = "" if hidden else _values(signal)
    level = LEVELS.get(signal.level, signal.level)
    return f"{name_attribute(signal.attribute)} {level}{values}: {worth}"


def name_attribute(attribute: str) -> str:
    """Call an attribute what people call it."""
    if attribute.startswith(CUSTOM):
        return f"own field {attribute.removeprefix(CUSTOM)}"
    return ATTRIBUTES.get(attribute, attribute.replace("_", " "))


def _values(signal: Signal) -> str:
    if not signal.left and not signal.right:
        return ""
    if signal.left == signal.right:
        return f" ({signal.left})"
    return f" ({signal.left} / {signal.right})"


def _worth(weight: float, scorer: Scorer) -> str:
    if isinstance(scorer, SpecScorer):
        return f"adds {weight:.0%} certainty"
    if weight == 0.0:
        return "says nothing"
    side = "for it" if weight > 0 else "against it"
    return f"{weight:+.1f} bits, {side}"


def conclude(evidence: Evidence, scorer: Scorer) -> str:
    """Say in a few sentences what came of the evidence, and why."""
    said = [f"Scored {evidence.probability:.4f}: {TIERS[evidence.tier]} ({evidence.tier})."]
    said += [_sentence(say_veto(veto)) for veto in evidence.vetoes]
    missing = shortfall(evidence, scorer)
    if missing.bits:
        said.append(
            f"From {missing.threshold:.2f} pairs are merged: "
            f"{missing.bits:.1f} bits of evidence are missing."
        )
    elif evidence.action in {"review", "keep_apart"} and not set(evidence.vetoes) & BARS:
        said.append(_why_not_merged(evidence))
    said.append(_sentence(OUTCOMES[evidence.action]))
    return " ".join(said)


def _why_not_merged(evidence: Evidence) -> str:
    """Say why a score that suffices did not: its kind of evidence, or the contacts' other records.

    What is stored is the comparison of the two records that agree most.
    """
    if allowed(evidence.signals, None) <= Action.REVIEW:
        return "The score would suffice, but not for this kind of evidence."
    return "These two records agree most; with all their other records the contacts agree less."


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def say_reason(reason: str, identifiers: Sequence[tuple[str, str]]) -> str:
    """Say why a pair was put up without a score, and through which identifiers."""
    words = REASONS.get(reason, reason.replace("_", " "))
    named = ", ".join(f"{kind} {value}" for kind, value in identifiers)
    return f"{_sentence(f'{words}: {named}' if named else words)} {_sentence(OUTCOMES['review'])}"


def say_veto(veto: str) -> str:
    """Say why a machine must not merge; a name from another release stands for itself."""
    return next((words for known, words in VETOES.items() if known == veto), veto)


def ranked(signals: Sequence[Signal]) -> list[Signal]:
    """Order signals for people: what was believed before first, then by what they are worth."""
    return sorted(signals, key=lambda one: (one.attribute != PRIOR, -abs(one.weight)))
