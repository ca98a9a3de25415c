"""Neo4j community edition: the graph."""

import hashlib
import secrets
import shutil
from pathlib import Path

from neo4j import GraphDatabase
from typing_extensions import override

from kith.stack.java import JavaPart
from kith.stack.part import Say, Setting
from kith.stack.processes import Launch

HASH_ROUNDS = 1024
"""Rounds of SHA-256 over a password, as the server itself stores it."""


def render_config(setting: Setting) -> str:
    """Write the server's configuration."""
    ports = setting.ports
    lines = {
        "server.default_listen_address": "127.0.0.1",
        "server.bolt.listen_address": f"127.0.0.1:{ports['neo4j']}",
        "server.bolt.advertised_address": f"127.0.0.1:{ports['neo4j']}",
        "server.http.listen_address": f"127.0.0.1:{ports['neo4j_http']}",
        "server.https.enabled": "false",
        # From its home on, which its command line names: here it takes no letter beyond ASCII.
        "server.directories.data": "data",
        "server.directories.logs": "logs",
        "server.memory.heap.initial_size": "256m",
        "server.memory.heap.max_size": "512m",
        "server.memory.pagecache.size": "128m",
        "db.tx_log.rotation.retention_policy": "100M size",
        "db.tx_log.rotation.size": "32M",
        "db.tx_log.preallocate": "false",
        "dbms.usage_report.enabled": "false",
        # Nobody is asked to wait: with the defaults of 5 s each, a stop takes 10 s.
        "internal.server.bolt.thread_pool_shutdown_wait_time": "500ms",
        "internal.server.bolt.connection_shutdown_wait_time": "500ms",
        # A query's parameters are people's names and addresses.
        "db.logs.query.enabled": "OFF",
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def render_auth(user: str, password: str, salt: bytes) -> str:
    """Write the file from which the server takes its first account, in its own format."""
    digest = hashlib.sha256(salt + password.encode()).digest()
    for _ in range(HASH_ROUNDS - 1):
        digest = hashlib.sha256(digest).digest()
    return f"{user}:SHA-256,{digest.hex()},{salt.hex()},{HASH_ROUNDS}:\n"


def _link(name: Path, target: Path) -> None:
    """Make a folder known by another name; a real one of that name, as older data have it, goes."""
    target.mkdir(parents=True, exist_ok=True)
    if name.is_dir() and not name.is_symlink():
        shutil.rmtree(name)
    name.unlink(missing_ok=True)
    name.symlink_to(target)


class Neo4j(JavaPart):
    """The graph; everything else works without it."""

    name = "neo4j"
    port_names = ("neo4j", "neo4j_http")
    # The graph may lag; what a person waits for may not.
    nice = 10
    options = (
        "-XX:+UseG1GC",
        "-Dfile.encoding=UTF-8",
        # The server's own list of opened modules.
        "--add-opens=java.base/java.nio=ALL-UNNAMED",
        "--add-opens=java.base/java.io=ALL-UNNAMED",
        "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
        "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
    )

    @override
    def prepare(self, setting: Setting, say: Say) -> Launch:
        folder = self.fetch(setting, say)
        config = folder / "conf"
        config.mkdir(exist_ok=True)
        (config / "neo4j.conf").write_text(render_config(setting))
        _link(folder / "logs", setting.places.logs / "neo4j")
        accounts = folder / "data" / "dbms" / "auth.ini"
        if not accounts.exists():
            accounts.parent.mkdir(parents=True, exist_ok=True)
            accounts.touch(mode=0o600)
            accounts.write_text(
                render_auth("neo4j", setting.secrets["neo4j"], secrets.token_bytes(32))
            )
        server = "org.neo4j.server.CommunityEntryPoint"
        return self.launch(
            setting, "neo4j", [server, f"--home-dir={folder}", f"--config-dir={config}"]
        )

    @override
    def logs(self, setting: Setting) -> list[Path]:
        return [setting.places.log("neo4j"), setting.places.logs / "neo4j" / "neo4j.log"]

    @override
    def ping(self, setting: Setting) -> None:
        uri = f"bolt://127.0.0.1:{setting.ports['neo4j']}"
        auth = ("neo4j", setting.secrets["neo4j"])
        with GraphDatabase.driver(uri, auth=auth, connection_timeout=2) as driver:
            driver.execute_query("RETURN 1", database_="neo4j")

    @override
    def fix(self, setting: Setting) -> str:
        return (
            "`kith logs neo4j`; the graph can be dropped and rebuilt at any time: "
            f"stop, remove {setting.folder('neo4j')}, start; or go on `--without neo4j`"
        )
