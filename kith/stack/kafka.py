"""Apache Kafka: one KRaft node that is broker and controller."""

import base64
import subprocess
import uuid
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from typing_extensions import override

from kith.stack.errors import PartFailedError
from kith.stack.java import ENVIRONMENT, JavaPart, render_properties
from kith.stack.part import Say, Setting, run_apart
from kith.stack.processes import Launch, tail

MESSAGE_MAX_BYTES = 2_621_440
"""A dead letter carries the original message of up to 1 MB, its error and its headers."""


def render_server_properties(setting: Setting) -> str:
    """Write the broker's configuration."""
    ports = setting.ports
    lines = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{ports['kafka_controller']}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://127.0.0.1:{ports['kafka']},"
        f"CONTROLLER://127.0.0.1:{ports['kafka_controller']}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{ports['kafka']},"
        f"CONTROLLER://127.0.0.1:{ports['kafka_controller']}",
        "inter.broker.listener.name": "PLAINTEXT",
        # In the folder that it runs in: with a comma in its path it would be two.
        "log.dirs": "log",
        "auto.create.topics.enable": "false",
        "default.replication.factor": 1,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 12,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 4,
        "group.initial.rebalance.delay.ms": 0,
        # A killed broker may not register again before its old session is over (9 s by default).
        "broker.session.timeout.ms": 3000,
        "broker.heartbeat.interval.ms": 500,
        "message.max.bytes": MESSAGE_MAX_BYTES,
        "replica.fetch.max.bytes": MESSAGE_MAX_BYTES,
        "log.segment.bytes": 64 * 1024 * 1024,
        # More than such a segment needs. Of 10 MB, as it is by default, each page was filled with
        # zeros when it was first touched: a twentieth of all processor time on a young stack.
        "log.index.size.max.bytes": 256 * 1024,
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "background.threads": 4,
    }
    return render_properties(lines)


def render_log4j2(setting: Setting) -> str:
    """Say where the broker writes, and how much of it is kept."""
    log = setting.places.log("kafka")
    lines = {
        "appender.file.type": "RollingFile",
        "appender.file.name": "file",
        "appender.file.fileName": log,
        "appender.file.filePattern": f"{log}.%i",
        "appender.file.layout.type": "PatternLayout",
        "appender.file.layout.pattern": "%d{ISO8601} %p %m (%c{1})%n",
        "appender.file.policies.type": "SizeBasedTriggeringPolicy",
        "appender.file.policies.size": "10MB",
        "appender.file.strategy.type": "DefaultRolloverStrategy",
        "appender.file.strategy.max": 2,
        "rootLogger.level": "INFO",
        "rootLogger.appenderRef.file.ref": "file",
    }
    return render_properties(lines)


class Kafka(JavaPart):
    """The broker."""

    name = "kafka"
    port_names = ("kafka", "kafka_controller")
    options = ("-XX:+UseSerialGC", "-Djava.awt.headless=true")

    @override
    def prepare(self, setting: Setting, say: Say) -> Launch:
        folder = self.fetch(
            setting,
            say,
            f"-Dlog4j2.configurationFile={setting.folder(self.name) / 'log4j2.properties'}",
            f"-Dkafka.logs.dir={setting.places.logs}",
        )
        config = folder / "server.properties"
        config.write_text(render_server_properties(setting))
        (folder / "log4j2.properties").write_text(render_log4j2(setting))
        if not (folder / "log" / "meta.properties").exists():
            say("formatting")
            self._format(setting)
        return self.launch(setting, "kafka.out", ["kafka.Kafka", str(config)])

    @override
    def logs(self, setting: Setting) -> list[Path]:
        return [setting.places.log("kafka.out"), setting.places.log("kafka")]

    @override
    def ping(self, setting: Setting) -> None:
        run_apart(_describe(f"127.0.0.1:{setting.ports['kafka']}"))

    def _format(self, setting: Setting) -> None:
        """Give the empty log folder its cluster id."""
        folder = setting.folder("kafka")
        config = str(folder / "server.properties")
        words = ["format", "--standalone", "--cluster-id", make_id(), "--config", config]
        result = subprocess.run(
            self.command(setting, "kafka.tools.StorageTool", *words),
            cwd=folder,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise PartFailedError(
                self.name,
                f"formatting its log folder ended with {result.returncode}",
                tail=(result.stdout + result.stderr).splitlines()[-15:]
                or tail(setting.places.log("kafka"), 15),
                log="its output",
                advice=f"if {folder} holds nothing of worth: `kith down --wipe`",
            )


def make_id() -> str:
    """Make a cluster's id as Kafka does: none that begins like an option of its tools."""
    while True:
        made = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not made.startswith("-"):
            return made


async def _describe(bootstrap: str) -> None:
    """Ask for the cluster's brokers; one must have registered."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=2000)
    try:
        await admin.start()
        cluster = await admin.describe_cluster()
        if not cluster["brokers"]:
            raise ConnectionError("no broker has registered yet")
    finally:
        await admin.close()
