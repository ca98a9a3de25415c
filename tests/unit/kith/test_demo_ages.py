import math

from kith.demo.ages import added, percentile, read_buckets

TEXT = """\
# TYPE pipeline_end_to_end_seconds histogram
pipeline_end_to_end_seconds_bucket{le="0.5",path="read_model"} 10.0
pipeline_end_to_end_seconds_bucket{le="1.0",path="read_model"} 30.0
pipeline_end_to_end_seconds_bucket{le="+Inf",path="read_model"} 40.0
pipeline_end_to_end_seconds_count{path="read_model"} 40.0
pipeline_end_to_end_seconds_bucket{le="0.5",path="graph"} 7.0
pipeline_end_to_end_seconds_bucket{le="+Inf",path="graph"} 7.0
"""
READ = {0.5: 10.0, 1.0: 30.0, math.inf: 40.0}


def test_a_histogram_is_read_by_name_and_label() -> None:
    found = read_buckets(TEXT, "pipeline_end_to_end_seconds", {"path": "read_model"})
    assert found == READ


def test_a_histogram_nobody_has_observed_is_empty() -> None:
    assert read_buckets(TEXT, "pipeline_end_to_end_seconds", {"path": "search"}) == {}


def test_only_what_came_since_counts_over_all_processes() -> None:
    after = {0.5: 12.0, 1.0: 35.0, math.inf: 45.0}
    assert added([(READ, after), ({}, READ)]) == {0.5: 12.0, 1.0: 35.0, math.inf: 45.0}


def test_a_process_that_restarted_counts_from_zero() -> None:
    again = {0.5: 1.0, 1.0: 1.0, math.inf: 1.0}
    assert added([(READ, again)]) == again


def test_a_percentile_lies_evenly_within_its_bucket() -> None:
    assert percentile(READ, 0.25) == 0.5
    assert percentile(READ, 0.5) == 0.75


def test_beyond_the_last_bound_the_bound_is_all_that_is_known() -> None:
    assert percentile(READ, 0.99) == 1.0


def test_no_observation_has_no_percentile() -> None:
    assert percentile({}, 0.5) is None
    assert percentile({1.0: 0.0, math.inf: 0.0}, 0.5) is None
