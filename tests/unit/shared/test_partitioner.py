"""Keys keep the partition that every other client gives them."""

from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from shared.kafka.partitioner import partitions_of


@given(st.lists(st.binary(max_size=80), max_size=20), st.integers(min_value=1, max_value=64))
def test_a_key_goes_where_the_default_partitioner_sends_it(keys: list[bytes], count: int) -> None:
    partitions = list(range(count))
    expected = {key: DefaultPartitioner()(key, partitions, partitions) for key in keys}
    assert partitions_of(keys, count) == expected


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=2, max_size=600))
def test_keys_of_one_length_do_not_disturb_each_other(keys: list[bytes]) -> None:
    assert partitions_of(keys, 12) == {
        key: partition for one in keys for key, partition in partitions_of([one], 12).items()
    }
