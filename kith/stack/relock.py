"""Resolve the parts' coordinates anew and write their lock files: `python -m kith.stack.relock`.

For the developer who raises a version; `kith up` itself only reads the lock files.
"""

import tempfile
from pathlib import Path

from jgo.env import EnvironmentBuilder, EnvironmentSpec
from jgo.maven import MavenContext, PythonResolver

from kith.stack.fetch import LOCKS, TIMEOUT_SECONDS

PARTS = {
    "kafka": [
        "org.apache.kafka:kafka_2.13:4.3.0",
        # Without a binding for slf4j the broker is silent; the version is its log4j-core's.
        # `!`: it must not manage the versions of the others, or Kafka gets the clients of 3.9.
        "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4!",
    ],
    "neo4j": ["org.neo4j:neo4j:5.26.18", "org.neo4j.app:neo4j-server:5.26.18"],
}
"""The Maven coordinates of every part."""


def main() -> None:
    """Write one lock file for each part."""
    for part, coordinates in PARTS.items():
        with tempfile.TemporaryDirectory() as folder:
            context = MavenContext(
                resolver=PythonResolver(), repo_cache=Path(folder) / "m2", timeout=TIMEOUT_SECONDS
            )
            builder = EnvironmentBuilder(context, cache_dir=Path(folder) / "envs")
            lock = builder.resolve_lockfile(EnvironmentSpec(name=part, coordinates=coordinates))
            lock.save(LOCKS / f"{part}.lock.toml")
            print(f"{part}: {len(lock.dependencies)} jars")


if __name__ == "__main__":
    main()
