"""Where the parts of a stack listen, and what a process is told about it."""

import os
from base64 import urlsafe_b64encode
from typing import Final
from urllib.parse import quote

from kith.stack.errors import StackError
from kith.stack.places import Places
from kith.stack.provision import DATABASE
from kith.stack.state import StackState

LONGEST_SOCKET_PATH: Final = 100
"""Bytes; a little less than what the address of a Unix socket may hold (macOS: 104)."""


class Addresses:
    """The addresses and accounts of one stack, running or not."""

    places: Places
    state: StackState

    @property
    def kafka_bootstrap(self) -> str:
        """The broker's `host:port`."""
        return f"127.0.0.1:{self._port('kafka')}"

    def postgres_dsn(self, role: str = "kith_migrator", database: str = DATABASE) -> str:
        """Give the DSN of one of the roles of `state.ROLES`, or of the superuser `postgres`."""
        secret = self.state.secrets[role]
        return f"postgresql://{role}:{secret}@127.0.0.1:{self._port('postgres')}/{database}"

    @property
    def redis_url(self) -> str:
        """Valkey's URL, database 0."""
        return f"redis://:{self.state.secrets['redis']}@127.0.0.1:{self._port('redis')}/0"

    @property
    def neo4j_uri(self) -> str:
        """The graph's Bolt URI."""
        return f"bolt://127.0.0.1:{self._port('neo4j')}"

    @property
    def neo4j_auth(self) -> tuple[str, str]:
        """The graph's user and password."""
        return "neo4j", self.state.secrets["neo4j"]

    def environment(self, role: str = "kith_migrator") -> dict[str, str]:
        """Give the variables from which a process of a role learns where everything is."""
        user, password = self.neo4j_auth
        vault = self.state.secrets["vault"].encode()  # 32 bytes, as a key must be
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka_bootstrap,
            "POSTGRES_DSN": self._nearest_dsn(role),
            "REDIS_URL": self.redis_url,
            "NEO4J_URI": self.neo4j_uri,
            "NEO4J_USER": user,
            "NEO4J_PASSWORD": password,
            "KITH_DIGEST_SECRET": self.state.secrets["digest"],
            "INGEST_ENCRYPTION_KEYS": urlsafe_b64encode(vault).decode(),
        }

    def _nearest_dsn(self, role: str) -> str:
        """Give the way through the server's socket, cheaper than loopback, where there is one.

        Whoever may not enter the data folder, or has it at an odd path, takes the port.
        """
        port = self._port("postgres")
        folder = self.places.data / "postgres"
        path = folder / f".s.PGSQL.{port}"
        long = len(os.fsencode(path)) > LONGEST_SOCKET_PATH
        # A comma would part hosts from one another.
        if long or "," in str(folder) or not os.access(path, os.W_OK):
            return self.postgres_dsn(role)
        secret = self.state.secrets[role]
        return f"postgresql://{role}:{secret}@/{DATABASE}?host={quote(str(folder))}&port={port}"

    def _port(self, name: str) -> int:
        try:
            return self.state.ports[name]
        except KeyError:
            raise StackError("the stack has never been started here: run `kith up`") from None
