"""A real stack of its own: what is killed comes back, and what was written stays."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL

import asyncpg
import psutil
import pytest
import redis
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from neo4j import GraphDatabase

from kith.stack import PARTS, Stack, StackError
from kith.stack.ports import is_free
from kith.stack.processes import wait_until
from kith.stack.stack import silent

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
TOPIC = "stack.test.v1"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="module")
def stack(home: Path) -> Iterator[Stack]:
    """All four parts, in a home of their own, without a trace afterwards."""
    stack = Stack.load(home=home)
    try:
        stack.start()
        yield stack
    finally:
        stack.wipe()


async def write(stack: Stack) -> None:
    """Leave something in every part."""
    connection = await asyncpg.connect(stack.postgres_dsn())
    await connection.execute("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('row')")
    await connection.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka_bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, 1, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka_bootstrap, acks="all") as producer:
        await producer.send_and_wait(TOPIC, b"message")
    with redis.Redis.from_url(stack.redis_url) as client:
        client.set("kept", "value")
    with GraphDatabase.driver(stack.neo4j_uri, auth=stack.neo4j_auth) as driver:
        driver.execute_query("CREATE (:Kept {word: 'node'})")


async def read(stack: Stack) -> tuple[object, ...]:
    """Find it again."""
    connection = await asyncpg.connect(stack.postgres_dsn())
    row = await connection.fetchval("SELECT word FROM kept")
    await connection.close()
    async with AIOKafkaConsumer(
        TOPIC, bootstrap_servers=stack.kafka_bootstrap, auto_offset_reset="earliest"
    ) as consumer:
        message = await asyncio.wait_for(consumer.getone(), 20)
    with redis.Redis.from_url(stack.redis_url) as client:
        value = client.get("kept")
    with GraphDatabase.driver(stack.neo4j_uri, auth=stack.neo4j_auth) as driver:
        nodes = driver.execute_query("MATCH (k:Kept) RETURN k.word AS word").records
    return row, message.value, value, [node["word"] for node in nodes]


async def test_all_parts_answer_and_only_on_loopback(stack: Stack) -> None:
    assert set(stack.pids()) == set(PARTS)
    assert all(stack.is_ready(name) for name in PARTS)
    for pid in stack.pids().values():
        for connection in psutil.Process(pid).net_connections():
            if connection.status == psutil.CONN_LISTEN:
                assert connection.laddr.ip in {"127.0.0.1", "::ffff:127.0.0.1"}
    assert stack.places.state_file.stat().st_mode & 0o777 == 0o600


async def test_starting_again_changes_nothing(stack: Stack) -> None:
    before = stack.pids()
    stack.start()
    assert stack.pids() == before


async def test_what_was_killed_comes_back_with_its_data(stack: Stack) -> None:
    """Every part SIGKILLed at once, by somebody who tells the stack nothing."""
    await write(stack)
    ports, before = stack.state.ports, stack.pids()
    for pid in before.values():
        os.kill(pid, SIGKILL)
    assert wait_until(lambda: not stack.pids(), 5)
    # After a reboot the pid in a stale lock file may be anybody's: here it is this test's.
    folder = stack.setting.folder("postgres")
    for stale in (folder / "postmaster.pid", *folder.glob(".s.PGSQL.*.lock")):
        stale.write_text(f"{os.getpid()}\n" + stale.read_text().partition("\n")[2])
    stack.start()
    assert stack.state.ports == ports
    assert not set(stack.pids().values()) & set(before.values())
    assert await read(stack) == ("row", b"message", b"value", ["node"])


async def test_services_reach_postgres_by_its_socket_where_there_is_one(stack: Stack) -> None:
    by_socket = stack.environment("kith_api")["POSTGRES_DSN"]
    (stack.setting.folder("postgres") / f".s.PGSQL.{stack.state.ports['postgres']}").rename(
        aside := stack.places.home / "socket"
    )
    by_port = stack.environment("kith_api")["POSTGRES_DSN"]
    aside.rename(stack.setting.folder("postgres") / f".s.PGSQL.{stack.state.ports['postgres']}")
    for dsn, family in ((by_socket, None), (by_port, "127.0.0.1")):
        connection = await asyncpg.connect(dsn)
        address = await connection.fetchval("SELECT host(inet_client_addr())")
        await connection.close()
        assert address == family


async def test_one_part_is_restarted_alone(stack: Stack) -> None:
    before = stack.pids()
    stack.restart("kafka", hard=True)
    stack.restart("postgres")
    after = stack.pids()
    assert {name for name in PARTS if before[name] != after[name]} == {"kafka", "postgres"}
    assert await read(stack) == ("row", b"message", b"value", ["node"])


async def test_a_lost_state_file_is_made_anew_around_the_data(stack: Stack, home: Path) -> None:
    """The processes that it named are found by their command lines, the passwords by the data."""
    before = stack.pids()
    stack.places.state_file.unlink()
    again = Stack.load(home=home)
    again.start(["postgres", "valkey"])
    assert not psutil.pid_exists(before["postgres"]) or again.pids()["postgres"] > 0
    connection = await asyncpg.connect(again.postgres_dsn())
    assert await connection.fetchval("SELECT word FROM kept") == "row"
    await connection.close()
    again.start()
    stack._reload()
    assert set(stack.pids()) == set(PARTS)
    assert await read(stack) == ("row", b"message", b"value", ["node"])


async def test_parts_move_when_strangers_took_their_ports(stack: Stack) -> None:
    """Also the broker, whose cluster remembers its controller's address."""
    names = ["kafka", "postgres", "valkey", "neo4j"]
    stack.stop(names)
    old = dict(stack.state.ports)
    listeners = [asyncio.start_server(lambda *_: None, "127.0.0.1", port) for port in old.values()]
    servers = await asyncio.gather(*listeners)
    try:
        await asyncio.to_thread(stack.start, names)
        assert not set(stack.state.ports.values()) & set(old.values())
        assert await read(stack) == ("row", b"message", b"value", ["node"])
    finally:
        for server in servers:
            server.close()
            await server.wait_closed()


async def test_services_get_roles_without_more_power_than_they_need(stack: Stack) -> None:
    connection = await asyncpg.connect(stack.postgres_dsn("kith_api"))
    rows = await connection.fetch(
        "SELECT rolname, rolsuper, rolbypassrls, rolcreatedb FROM pg_roles"
        " WHERE rolname LIKE 'kith%'"
    )
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("CREATE TABLE public.mine (i int)")
    await connection.close()
    assert not any(row["rolsuper"] or row["rolbypassrls"] for row in rows)
    assert [row["rolname"] for row in rows if row["rolcreatedb"]] == ["kith_migrator"]


async def test_scratch_databases_have_the_extensions(stack: Stack) -> None:
    owner = await asyncpg.connect(stack.postgres_dsn())
    await owner.execute("CREATE DATABASE scratch")
    scratch = await asyncpg.connect(stack.postgres_dsn(database="scratch"))
    found = {row["extname"] for row in await scratch.fetch("SELECT extname FROM pg_extension")}
    await scratch.close()
    await owner.execute("DROP DATABASE scratch")
    await owner.close()
    assert {"pg_trgm", "unaccent", "fuzzystrmatch", "btree_gin", "citext"} <= found


async def test_a_part_that_fails_says_why_and_what_to_do(stack: Stack) -> None:
    stack.stop(["valkey"])
    broken = stack.setting.folder("valkey") / "appendonlydir" / "appendonly.aof.manifest"
    kept = broken.read_text()
    broken.write_text("file what is this")
    try:
        with pytest.raises(StackError) as caught:
            stack.start(["valkey"])
    finally:
        broken.write_text(kept)
    words = str(caught.value)
    assert words.startswith("valkey failed: its process ended while it was starting")
    assert "manifest" in words, "its own last lines"
    assert "what to do: `kith logs valkey`" in words
    stack.start(["valkey"])
    assert (await read(stack))[2] == b"value"


async def test_down_leaves_nothing_running_and_keeps_the_data(stack: Stack) -> None:
    pids, ports = stack.pids(), stack.state.ports
    stack.stop(progress=silent)
    assert stack.pids() == {}
    for pid in pids.values():
        with suppress(psutil.NoSuchProcess):
            assert psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert all(is_free(port) for port in ports.values())
    stack.start()
    assert await read(stack) == ("row", b"message", b"value", ["node"])
