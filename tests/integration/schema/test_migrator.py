"""Migrations: one transaction each, or step by step; broken off anywhere, they go on."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from shared.postgres.migrate import MigrationError, migrate

Write = Callable[[str, str], None]
"""Write a migration: its name, its text."""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"package_{uuid4().hex[:12]}"
    (tmp_path / name / "migrations").mkdir(parents=True)
    (tmp_path / name / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    return name


@pytest.fixture
def write(tmp_path: Path, package: str) -> Write:
    def write(name: str, text: str) -> None:
        (tmp_path / package / "migrations" / name).write_text(text)

    return write


TABLE = "CREATE TABLE s.t (id int); CREATE TABLE s.log (what text);"


async def noted(owner: asyncpg.Connection) -> list[str]:
    return [row[0] for row in await owner.fetch("SELECT name FROM s.schema_version ORDER BY 1")]


async def test_steps_are_applied_in_turn_and_noted(
    owner: asyncpg.Connection, dsn: str, package: str, write: Write
) -> None:
    write("0001_pre_tables.sql", TABLE)
    write(
        "0002_pre_steps.sql",
        "-- What it is about.\n"
        "-- step: one\nALTER TABLE s.t ADD COLUMN a int;\nINSERT INTO s.log VALUES ('one');\n"
        "-- step: two\n-- Why.\nCREATE INDEX CONCURRENTLY IF NOT EXISTS t_a\n    ON s.t (a);\n"
        "-- step: three\nDROP INDEX CONCURRENTLY IF EXISTS s.t_a;\n",
    )
    assert await migrate(dsn, [("s", package)]) == 2
    assert await migrate(dsn, [("s", package)]) == 0
    assert await noted(owner) == [
        "0001_pre_tables.sql",
        "0002_pre_steps.sql",
        "0002_pre_steps.sql step 1",
        "0002_pre_steps.sql step 2",
    ]
    assert await owner.fetchval("SELECT count(*) FROM s.log") == 1
    assert await owner.fetchval("SELECT to_regclass('s.t_a')") is None


async def test_what_broke_off_goes_on_where_it_stopped(
    owner: asyncpg.Connection, dsn: str, package: str, write: Write
) -> None:
    write("0001_pre_tables.sql", TABLE)
    write(
        "0002_pre_steps.sql",
        "-- step: one\nINSERT INTO s.log VALUES ('one');\n"
        "-- step: two\nINSERT INTO s.log VALUES ('two'); INSERT INTO s.missing VALUES (1);\n",
    )
    with pytest.raises(MigrationError, match="does not exist"):
        await migrate(dsn, [("s", package)])
    assert [row["what"] for row in await owner.fetch("SELECT * FROM s.log")] == ["one"]
    await owner.execute("CREATE TABLE s.missing (id int)")
    assert await migrate(dsn, [("s", package)]) == 1
    assert [row["what"] for row in await owner.fetch("SELECT * FROM s.log")] == ["one", "two"]


async def test_a_half_applied_file_must_not_be_edited(
    owner: asyncpg.Connection, dsn: str, package: str, write: Write
) -> None:
    write("0001_pre_tables.sql", TABLE)
    text = "-- step: one\nINSERT INTO s.log VALUES ('one');\n-- step: two\nSELECT 1 / 0;\n"
    write("0002_pre_steps.sql", text)
    with pytest.raises(MigrationError, match="division by zero"):
        await migrate(dsn, [("s", package)])
    write("0002_pre_steps.sql", text.replace("1 / 0", "1"))
    with pytest.raises(MigrationError, match="applied with another text"):
        await migrate(dsn, [("s", package)])


async def test_an_index_whose_build_broke_off_is_built_anew(
    owner: asyncpg.Connection, dsn: str, package: str, write: Write
) -> None:
    """PostgreSQL leaves an invalid index behind, which IF NOT EXISTS would take for the wanted."""
    write("0001_pre_tables.sql", TABLE + "INSERT INTO s.t VALUES (1), (1);")
    write(
        "0002_pre_index.sql",
        "-- step: only\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_id ON s.t (id);\n",
    )
    with pytest.raises(MigrationError, match="could not create unique index"):
        await migrate(dsn, [("s", package)])
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 's.t_id'::regclass"
    assert await owner.fetchval(valid) is False
    await owner.execute("DELETE FROM s.t")
    assert await migrate(dsn, [("s", package)]) == 1
    assert await owner.fetchval(valid) is True


async def test_runners_take_turns_also_around_an_index(
    owner: asyncpg.Connection, dsn: str, package: str, write: Write
) -> None:
    write("0001_pre_tables.sql", TABLE)
    write(
        "0002_pre_index.sql",
        "-- step: slow\nSELECT pg_sleep(0.5);\n"
        "-- step: index\nCREATE INDEX CONCURRENTLY IF NOT EXISTS t_id ON s.t (id);\n",
    )
    assert sorted(await asyncio.gather(*(migrate(dsn, [("s", package)]) for _ in range(3)))) == [
        0,
        0,
        2,
    ]


async def test_a_step_lets_others_pass_when_it_gets_no_lock(
    owner: asyncpg.Connection, dsn: str, package: str, write: Write
) -> None:
    """A reader holds the table for two seconds; who comes after the migration waits under one."""
    write("0001_pre_tables.sql", TABLE)
    await migrate(dsn, [("s", package)])
    write("0002_pre_column.sql", "-- step: column\nALTER TABLE s.t ADD COLUMN a int;\n")
    reader, writer = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    try:
        await writer.execute("SET lock_timeout = '1s'")
        reading = reader.transaction()
        await reading.start()
        await reader.execute("SELECT * FROM s.t")
        migrating = asyncio.create_task(migrate(dsn, [("s", package)]))
        for number in range(20):
            await writer.execute("INSERT INTO s.t (id) VALUES ($1)", number)
            await asyncio.sleep(0.1)
        await reading.rollback()
        assert await migrating == 1
    finally:
        await reader.close()
        await writer.close()
    assert await owner.fetchval("SELECT count(*) FROM s.t WHERE a IS NULL") == 20
