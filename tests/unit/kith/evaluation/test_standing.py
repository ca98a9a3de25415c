"""What is measured of what the machine did: flagged merges apart, people's decisions too."""

from kith.evaluation.standing import Decision, Merge, Standing

TRUTH = {"r1": "ada", "r2": "ada", "r3": "ada", "r4": "alan", "r5": "grace"}
STANDING = Standing(
    contacts={"r1": 1, "r2": 1, "r3": 1, "r4": 1},
    homes={"r1": 1, "r2": 2, "r3": 3, "r4": 4},
    merges=[
        Merge(1, 2, by_person=False, action="merge"),
        Merge(1, 3, by_person=False, action="merge_and_flag"),
        Merge(2, 4, by_person=True, action=None),
    ],
    decisions=[
        Decision(1, 2, "exact", 0.99),
        Decision(1, 3, "high", 0.8),
        Decision(1, 4, "high", 0.6),
    ],
    reviews=[(1, 4)],
)


def test_flagged_merges_and_those_of_people_count_apart() -> None:
    partition = STANDING.unflagged(TRUTH)
    assert partition["r1"] == partition["r2"]
    assert len({partition[record] for record in TRUTH}) == 4
    assert STANDING.merged_right(TRUTH, flagged=False) == (1, 1.0)
    assert STANDING.merged_right(TRUTH, flagged=True) == (1, 1.0)


def test_what_hangs_on_a_thread_counts_apart() -> None:
    """Three records of one home are Ada's, one by a thread; two others are somebody else's."""
    truth = {"r1": "ada", "r2": "ada", "r3": "ada", "r4": "alan", "r5": "alan", "r6": "ada"}
    homes = {"r1": 1, "r2": 1, "r3": 1, "r4": 1, "r5": 1, "r6": 6}
    standing = Standing(
        contacts=dict.fromkeys(truth, 1),
        homes=homes,
        merges=[Merge(1, 6, by_person=False, action="merge")],
        decisions=[],
        reviews=[],
        threads={"r3": "r3", "r4": "r4", "r5": "r4"},
    )
    partition = standing.unflagged(truth)
    assert partition["r1"] == partition["r2"] == partition["r6"]
    assert partition["r4"] == partition["r5"]
    assert len(set(partition.values())) == 3
    assert standing.joined_right(truth, flagged=False) == (2, 1.0)
    assert standing.joined_right(truth, flagged=True) == (2, 0.5)


def test_what_the_gate_joined_is_what_no_merge_did() -> None:
    assert STANDING.at_the_gate(TRUTH) == {"r1": 1, "r2": 2, "r3": 3, "r4": 4, "r5": "r5"}


def test_a_record_that_was_refused_stands_alone() -> None:
    assert STANDING.partition(TRUTH) == {"r1": 1, "r2": 1, "r3": 1, "r4": 1, "r5": "r5"}


def test_each_tier_is_set_beside_the_truth() -> None:
    calibration = STANDING.calibration(TRUTH)
    assert list(calibration) == ["exact", "high"]
    assert calibration["exact"] == (1, 0.99, 1.0)
    assert (calibration["high"].pairs, calibration["high"].right) == (2, 0.5)


def test_records_in_review_are_those_at_home_in_a_contact_that_waited() -> None:
    assert STANDING.review_share() == 0.5
