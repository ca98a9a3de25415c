"""What the parts are told in their configuration files."""

import dataclasses
import hashlib
import shlex
import subprocess
import uuid
from pathlib import Path

import pytest

from kith.stack import kafka, neo4j, postgres, valkey
from kith.stack.errors import FetchError
from kith.stack.fetch import fetch_jars, jar_path, read_lock
from kith.stack.part import Setting
from kith.stack.places import Places
from kith.stack.relock import PARTS as COORDINATES
from kith.stack.stack import PARTS
from kith.stack.state import SECRETS


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    names = [name for part in PARTS.values() for name in part.port_names]
    return Setting(
        places=Places(tmp_path, tmp_path / "home", tmp_path / "data", tmp_path / "cache"),
        ports={name: 20000 + number for number, name in enumerate(names)},
        secrets={name: f"{name}-secret" for name in SECRETS},
    )


def properties(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines())
    return {key.strip(): value.strip().strip("'") for key, _, value in pairs}


def test_kafka_listens_on_loopback_alone(setting: Setting) -> None:
    config = properties(kafka.render_server_properties(setting))
    for listener in (config["listeners"] + "," + config["advertised.listeners"]).split(","):
        assert "://127.0.0.1:" in listener
    assert config["auto.create.topics.enable"] == "false"
    assert int(config["message.max.bytes"]) > 2_000_000
    assert all(value == "1" for key, value in config.items() if "replication.factor" in key)


def test_a_cluster_id_never_looks_like_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """One in 64 random ids begins with a hyphen, which the formatting tool refuses."""
    drawn = iter([uuid.UUID(bytes=b"\xf8" + bytes(15)), uuid.UUID(bytes=b"\x04" + bytes(15))])
    monkeypatch.setattr(uuid, "uuid4", lambda: next(drawn))
    assert kafka.make_id() == "BAAAAAAAAAAAAAAAAAAAAA"


def test_postgres_is_durable_and_on_loopback(setting: Setting) -> None:
    config = properties(postgres.render_config(setting))
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        assert config[name] == "on"
    assert config["listen_addresses"] == "127.0.0.1"
    assert config["unix_socket_directories"] == "."
    assert config["port"] == str(setting.ports["postgres"])


def test_postgres_takes_an_eighth_of_the_memory_within_bounds() -> None:
    gigabyte = 2**30
    found = [postgres.choose_buffers(size * gigabyte) for size in (1, 4, 8, 24, 256)]
    assert found == [256, 512, 1024, 3072, 4096]


UNLIMITED_V1 = str(2**63 - 4096)
"""What the first version of control groups says where there is no limit."""


@pytest.mark.parametrize(
    ("own", "limits", "expected"),
    [
        ("0::/\n", {"memory.max": "2147483648"}, 2 * 2**30),
        ("0::/\n", {"memory.max": "max"}, None),
        ("0::/a/b\n", {"a/memory.max": "3221225472", "a/b/memory.max": "max"}, 3 * 2**30),
        # In a container its own group is mounted as if it were the first.
        (
            "3:cpu:/\n2:memory:/of/the/host\n0::/\n",
            {"memory/memory.limit_in_bytes": "1073741824"},
            2**30,
        ),
        ("2:memory:/\n0::/\n", {"memory/memory.limit_in_bytes": UNLIMITED_V1}, None),
        ("", {}, None),
    ],
)
def test_a_container_has_no_more_memory_than_it_may_use(
    tmp_path: Path, own: str, limits: dict[str, str], expected: int | None
) -> None:
    (tmp_path / "own").write_text(own)
    for name, said in limits.items():
        (tmp_path / "groups" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / name).write_text(said + "\n")
    here = postgres.find_memory(tmp_path / "own", tmp_path / "groups", 64 * 2**30)
    assert here == (expected or 64 * 2**30)


def test_memory_is_the_machines_where_nobody_knows_of_groups(tmp_path: Path) -> None:
    assert postgres.find_memory(tmp_path / "own", tmp_path, 2**30) == 2**30
    assert postgres.find_memory() > 0


def test_postgres_is_unpacked_whole_where_everybody_may_run_it(tmp_path: Path) -> None:
    home = postgres.unpack_programs(tmp_path)
    for path in [home, *home.parents][: len(home.parts) - len(tmp_path.parts)]:
        assert path.stat().st_mode & 0o755 == 0o755
    for program in ("initdb", "postgres"):
        answer = subprocess.run(
            [home / "bin" / program, "--version"], capture_output=True, text=True, check=True
        )
        assert answer.stdout.startswith(f"{program} (PostgreSQL) 18.")
    assert postgres.unpack_programs(tmp_path) == home


def test_a_missing_postgres_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "BUILD", "no-such-package")
    with pytest.raises(FetchError, match="no-such-package is not installed here; what to do"):
        postgres.unpack_programs(tmp_path)


def test_valkey_asks_for_its_password(setting: Setting) -> None:
    lines = valkey.render_config(setting).splitlines()
    assert "requirepass redis-secret" in lines
    assert "bind 127.0.0.1" in lines


def test_neo4j_logs_no_query_and_reports_no_usage(setting: Setting) -> None:
    config = properties(neo4j.render_config(setting))
    assert config["db.logs.query.enabled"] == "OFF"
    assert config["dbms.usage_report.enabled"] == "false"
    assert all(value.startswith("127.0.0.1") for key, value in config.items() if "_address" in key)


def test_neo4j_logs_go_where_all_logs_are_also_from_data_that_have_a_folder_of_them(
    tmp_path: Path,
) -> None:
    name, target = tmp_path / "logs", tmp_path / "kept" / "neo4j"
    (name / "older").mkdir(parents=True)
    for _ in range(2):
        neo4j._link(name, target)
        (name / "neo4j.log").write_text("line")
        assert [one.name for one in target.iterdir()] == ["neo4j.log"]


def test_neo4j_account_is_a_salted_hash_of_the_password() -> None:
    line = neo4j.render_auth("neo4j", "password", b"salt").strip()
    digest = hashlib.sha256(b"saltpassword").digest()
    for _ in range(1023):
        digest = hashlib.sha256(digest).digest()
    assert line == f"neo4j:SHA-256,{digest.hex()},{b'salt'.hex()},1024:"


@pytest.mark.parametrize("part", sorted(COORDINATES))
def test_every_locked_jar_has_a_checksum(part: str) -> None:
    jars = read_lock(part)
    assert all(len(jar.sha256 or "") == 64 for jar in jars)
    locked = {f"{jar.groupId}:{jar.artifactId}:{jar.version}" for jar in jars}
    assert {words.removesuffix("!") for words in COORDINATES[part]} <= locked


def test_kafka_uses_its_own_client_library() -> None:
    """log4j's version list names an older one: see the comment in `relock`."""
    versions = {jar.artifactId: jar.version for jar in read_lock("kafka")}
    assert versions["kafka-clients"] == versions["kafka_2.13"]


def test_a_complete_cache_needs_no_network(tmp_path: Path) -> None:
    wanted = [jar_path(tmp_path, jar) for jar in read_lock("kafka")]
    wanted[0].parent.mkdir()
    for path in wanted:
        path.touch()
    told: list[int] = []
    assert fetch_jars("kafka", tmp_path, lambda done, *_: told.append(done)) == wanted
    assert told == []


def test_a_folder_may_have_any_name(setting: Setting) -> None:
    """Java reads properties as Latin-1, and Valkey's words end at spaces."""
    odd = Path('/tmp/Müller, \U0001f600 & \\ "Söhne"')
    places = Places(odd, odd / "home", odd / "data", odd / "cache")
    moved = dataclasses.replace(setting, places=places)
    log = properties(kafka.render_log4j2(moved))["appender.file.fileName"]
    assert as_java_reads(log) == str(odd / "home/logs/kafka.log")
    assert neo4j.render_config(moved) == neo4j.render_config(setting)
    assert kafka.render_server_properties(moved) == kafka.render_server_properties(setting)
    (line,) = [one for one in valkey.render_config(moved).splitlines() if one.startswith("dir ")]
    assert shlex.split(line) == ["dir", str(odd / "data/valkey")]


def as_java_reads(value: str) -> str:
    """Read a value of a properties file: Latin-1, with escapes of UTF-16."""
    text = value.encode("latin-1").decode("unicode_escape")
    return text.encode("utf-16", "surrogatepass").decode("utf-16")
