"""What holds the records of a contact together: surely, or by a thread that deserves a look.

The gate joins by one identifier, without a score. Here its joins are held against the evidence that
matching goes by: records that would be merged without a flag, directly or through others, belong
together surely; what else is in the contact hangs on a thread (ADR 0066).
"""

from collections.abc import Mapping
from itertools import combinations
from operator import attrgetter
from typing import TypeVar

from services.resolver.domain.matching.linking import Matcher, Verdict
from services.resolver.domain.matching.model import Profile, Statistics
from services.resolver.domain.matching.tiers import Action

Record = TypeVar("Record", bytes, str)


def sure_groups(
    profiles: Mapping[Record, Profile], matcher: Matcher, statistics: Statistics
) -> list[tuple[Record, ...]]:
    """Group one contact's records, the largest group first; of equals that with the lowest key.

    Every pair is compared, less what is together already: a question for hundreds of records, not
    for thousands.
    """
    group_of = {record: [record] for record in sorted(profiles)}
    for one, other in combinations(group_of, 2):
        mine, theirs = group_of[one], group_of[other]
        if mine is theirs:
            continue
        verdict = matcher.judge(profiles[one], profiles[other], statistics)
        if verdict.action is Action.MERGE:
            mine += theirs
            group_of.update(dict.fromkeys(theirs, mine))
    groups = {id(group): tuple(sorted(group)) for group in group_of.values()}
    return sorted(groups.values(), key=lambda group: (-len(group), group[0]))


def threads(
    profiles: Mapping[Record, Profile], matcher: Matcher, statistics: Statistics
) -> dict[Record, Verdict]:
    """Return the records that hang on a thread, each with what it hangs by.

    That is the comparison in which it agrees best with one of the largest sure group.
    """
    groups = sure_groups(profiles, matcher, statistics)
    return {
        record: max(
            (matcher.judge(profiles[record], profiles[one], statistics) for one in groups[0]),
            key=attrgetter("rank"),
        )
        for group in groups[1:]
        for record in group
    }
