"""What the gate is held against: a bare COPY of the rows that it writes, and Splink."""

import logging
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import asyncpg
import orjson

from kith.audit.linking import SAMPLED_PAIRS, _settings
from kith.audit.people import ATTRIBUTES, KEYS, People
from services.ingest.domain.mapping import Origin, Rules, to_normalized
from services.ingest.domain.reading import read_value
from services.resolver.domain.arrival import read_signal
from services.resolver.domain.matching.profile import profile_of
from shared.identifiers.digests import Digests

COPIED: Final = 10_000
"""Contacts whose rows are copied."""

LINKED: Final = 500
"""New records that Splink links, in batches of `AT_ONCE`."""

AT_ONCE: Final = 100
"""As many as the gate has in a batch at this rate."""

LEAST: Final = 0.2
"""Pairs of less are not even for review."""

_TABLES: Final = """
SELECT c.relname AS name, a.attname AS column
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = 'contact'
JOIN pg_attribute AS a ON a.attrelid = c.oid
    AND a.attname = CASE c.relname WHEN 'contact' THEN 'id' WHEN 'contact_event' THEN 'entity_id'
                    ELSE 'contact_id' END
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY c.relname
"""
"""Tables of the schema that say something of contacts, and by which column."""


async def copy(dsn: str) -> dict[str, Any]:
    """COPY all rows of some contacts into tables and indexes alike, in one durable transaction."""
    connection = await asyncpg.connect(dsn)
    try:
        last = await connection.fetchval("SELECT max(id) FROM contact.contact")
        ids = await connection.fetch(
            "SELECT id FROM contact.contact WHERE id <= $1 ORDER BY id DESC LIMIT $2", last, COPIED
        )
        chosen = [row["id"] for row in ids]
        await connection.execute("CREATE SCHEMA bench")
        rows, seconds = 0, 0.0
        with tempfile.TemporaryDirectory(prefix="kith-bench-") as folder:
            names = []
            for table in await connection.fetch(_TABLES):
                name, column = table["name"], table["column"]
                file = Path(folder, name)
                said = await connection.copy_from_query(
                    f"SELECT * FROM contact.{name} WHERE {column} = ANY($1::bigint[])",
                    chosen,
                    output=file,
                    format="binary",
                )
                if int(said.split()[-1]):
                    rows += int(said.split()[-1])
                    names.append(name)
                    await connection.execute(
                        f"CREATE TABLE bench.{name} (LIKE contact.{name}"
                        " INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING INDEXES)"
                    )
            began = time.perf_counter()
            async with connection.transaction():
                for name in names:
                    await connection.copy_to_table(
                        name, schema_name="bench", source=Path(folder, name), format="binary"
                    )
            seconds = time.perf_counter() - began
        await connection.execute("DROP SCHEMA bench CASCADE")
    finally:
        await connection.close()
    return {
        "contacts_per_second": round(len(chosen) / seconds),
        "rows_per_contact": round(rows / len(chosen), 1),
    }


def link(bodies: Iterator[bytes], base: int) -> dict[str, Any]:
    """Link new records with a base of so many by Splink on DuckDB, as `kith audit` is set."""
    import duckdb  # noqa: PLC0415  # the extra `audit`
    import pyarrow as pa  # noqa: PLC0415  # too
    import splink  # noqa: PLC0415  # too
    from splink import DuckDBAPI  # noqa: PLC0415  # too

    people = _people(islice(bodies, base), "base")
    columns = {**people.columns, **dict(people.keys())}
    with duckdb.connect() as connection:
        api = DuckDBAPI(connection=connection)
        known = api.register(_table(pa, columns))
        linker = splink.Linker(known, _settings(base), log_level=logging.ERROR)
        linker.training.estimate_u_using_random_sampling(max_pairs=SAMPLED_PAIRS, seed=1)
        for name in ATTRIBUTES:
            linker.table_management.compute_tf_table(name)
        seconds = 0.0
        for number in range(LINKED // AT_ONCE):
            new = _people(islice(bodies, AT_ONCE), f"new{number}")
            keys = {
                column: [
                    f"{left}|{right}" if left and right else None
                    for left, right in zip(new.columns[one], new.columns[other], strict=True)
                ]
                for column, (one, other) in KEYS.items()
            }
            table = api.register(_table(pa, {**new.columns, **keys}))
            began = time.perf_counter()
            linker.inference.predict_between(
                known, table, threshold_match_probability=LEAST
            ).as_record_list()
            seconds += time.perf_counter() - began
    return {"base": base, "batch": AT_ONCE, "records_per_second": round(LINKED / seconds, 1)}


def _table(arrow: Any, columns: dict[str, list[str | None]]) -> Any:
    return arrow.table(
        {name: arrow.array(cells, arrow.string()) for name, cells in columns.items()}
    )


def _people(bodies: Iterator[bytes], prefix: str) -> People:
    """Read signals as matching does, one record a person."""
    people, rules, now = People(), Rules(Digests("bench")), datetime.now(UTC).isoformat()
    for number, body in enumerate(bodies):
        origin = Origin(f"/bench#{number}", "ten_" + "0" * 26, "wsp_" + "0" * 26, now, now)
        signal = to_normalized(
            read_value(orjson.loads(body), may_hold_nul=False)[0], body, origin, rules
        )
        people.add(f"{prefix}-{number}", [profile_of(read_signal(signal.body).facts)])
    return people
