"""Splink over a table of contacts: u from the base itself, m as set, nothing learned blindly.

Splink is imported here only: it is the extra `audit`, and takes a second to load.
"""

import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from kith.audit.people import KEYS, UNIQUE_ID, People
from shared.errors import ServiceError

Backend = Literal["duckdb", "spark"]

SAMPLED_PAIRS: Final = 2_000_000
"""Random pairs of contacts from which it is estimated how often strangers agree."""

SEED: Final = 1
"""Of that sample: two audits of one base find the same."""

DUPLICATES: Final = 0.05
"""Share of contacts that are expected to have a second one: the prior, no goal."""


class AuditError(ServiceError):
    """The audit cannot be made: the message says what is missing."""


class Pair(NamedTuple):
    """Two contacts that Splink takes for one person."""

    one: str
    other: str
    probability: float


def find_pairs(people: People, backend: Backend, least: float) -> list[Pair]:
    """Return pairs of contacts from this probability on, the likeliest first.

    Raises `AuditError` when Splink or its backend is not installed.
    """
    if len(people) < 2:
        return []
    try:
        import splink  # noqa: PLC0415  # the extra `audit`
    except ImportError:
        raise AuditError("Splink is not installed: pip install 'kith[audit]'") from None
    with _BACKENDS[backend](people) as table:
        linker = splink.Linker(table, _settings(len(people)), log_level=logging.ERROR)
        linker.training.estimate_u_using_random_sampling(max_pairs=SAMPLED_PAIRS, seed=SEED)
        found = linker.inference.predict(threshold_match_probability=least).as_record_list()
    pairs = [
        Pair(row[f"{UNIQUE_ID}_l"], row[f"{UNIQUE_ID}_r"], row["match_probability"])
        for row in found
    ]
    return sorted(pairs, key=lambda pair: (-pair.probability, pair.one, pair.other))


def _settings(contacts: int) -> Any:
    import splink.comparison_library as compare  # noqa: PLC0415  # the extra `audit`
    from splink import SettingsCreator, block_on  # noqa: PLC0415  # too

    names = [
        compare.JaroWinklerAtThresholds(name, [0.92, 0.8]).configure(
            term_frequency_adjustments=True, m_probabilities=[0.80, 0.10, 0.05, 0.05]
        )
        for name in ("given", "family")
    ]
    others = [
        compare.ExactMatch(name).configure(
            term_frequency_adjustments=True, m_probabilities=[agrees, 1.0 - agrees]
        )
        for name, agrees in (
            ("email", 0.60),
            ("phone", 0.60),
            ("title", 0.60),
            ("city", 0.75),
            ("postcode", 0.80),
            ("birthday", 0.95),
        )
    ]
    company = compare.JaroWinklerAtThresholds("company", [0.9]).configure(
        term_frequency_adjustments=True, m_probabilities=[0.65, 0.10, 0.25]
    )
    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name=UNIQUE_ID,
        probability_two_random_records_match=min(0.5, 2.0 * DUPLICATES / (contacts - 1)),
        comparisons=[*names, company, *others],
        blocking_rules_to_generate_predictions=[block_on(column) for column in KEYS],
    )


@contextmanager
def _on_duckdb(people: People) -> Iterator[Any]:
    """Hand the table to DuckDB in this process, on a file of its own that is gone afterwards."""
    import duckdb  # noqa: PLC0415  # comes with Splink
    import pyarrow as pa  # noqa: PLC0415  # comes with Splink
    from splink import DuckDBAPI  # noqa: PLC0415  # the extra `audit`

    columns = {**people.columns, **dict(people.keys())}
    table = pa.table({name: pa.array(cells, pa.string()) for name, cells in columns.items()})
    with (
        tempfile.TemporaryDirectory(prefix="kith-audit-") as folder,
        duckdb.connect(Path(folder, "audit.duckdb")) as connection,
    ):
        yield DuckDBAPI(connection=connection).register(table)


@contextmanager
def _on_spark(people: People) -> Iterator[Any]:
    """Hand the table to the Spark that the environment configures."""
    try:
        from pyspark.sql import SparkSession  # noqa: PLC0415  # beyond one machine only
        from pyspark.sql.types import StringType, StructField, StructType  # noqa: PLC0415  # too
    except ImportError:
        raise AuditError("Spark is not installed: pip install pyspark") from None
    from splink import SparkAPI  # noqa: PLC0415  # the extra `audit`
    from splink.backends.spark import similarity_jar_location  # noqa: PLC0415  # too

    columns = {**people.columns, **dict(people.keys())}
    spark = (
        SparkSession.builder.appName("kith audit")
        .config("spark.jars", similarity_jar_location())
        .getOrCreate()
    )
    schema = StructType([StructField(name, StringType()) for name in columns])
    rows = list(zip(*columns.values(), strict=True))
    backend: Any = SparkAPI
    yield backend(spark_session=spark).register(spark.createDataFrame(rows, schema))


_BACKENDS: Final[dict[Backend, Callable[[People], AbstractContextManager[Any]]]] = {
    "duckdb": _on_duckdb,
    "spark": _on_spark,
}
