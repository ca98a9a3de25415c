"""Messages once written are read for ever, and what is published never breaks a reader."""

import hashlib
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from pydantic import BaseModel, create_model
from typer.testing import CliRunner

from kith.cli import app
from kith.docs import cli
from kith.docs.asyncapi import SIGNAL_EXAMPLES
from kith.docs.cli import DOCS
from kith.docs.schemas import breaking_changes, message_schema, message_schemas
from shared.events import topics
from shared.events.envelope import Envelope, from_record

EXAMPLES = Path(__file__).parent / "examples"
FILES = sorted(EXAMPLES.rglob("*.json"))


def parse(example: dict[str, Any]) -> tuple[Envelope, BaseModel]:
    headers = [(name, text.encode()) for name, text in example["headers"].items()]
    envelope = from_record(headers, json.dumps(example["data"]).encode())
    model = topics.MODEL_BY_TYPE[envelope.type]
    return envelope, model.model_validate_json(envelope.data)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_an_old_message_parses(path: Path) -> None:
    example = json.loads(path.read_text())
    envelope, message = parse(example)
    declared = {topic.name: topic.messages for topic in topics.ALL}
    assert envelope.type in declared[path.parent.name]
    if "ce_type" in example["headers"]:
        assert_holds(json.loads(message.model_dump_json()), example["data"])
        schema = message_schema(envelope.type)
        jsonschema.validate(example["data"], schema)


def test_examples_are_only_added() -> None:
    """A change of an example would hide that old messages no longer parse."""
    lines = (EXAMPLES / "SHA256SUMS").read_text().splitlines()
    noted = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    actual = {
        str(path.relative_to(EXAMPLES)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in FILES
    }
    assert actual == noted


def test_every_message_has_an_example() -> None:
    shown = {
        (path.parent.name, json.loads(path.read_text())["headers"].get("ce_type")) for path in FILES
    }
    assert shown >= {(topic.name, ce_type) for topic in topics.ALL for ce_type in topic.messages}


def test_generated_pages_are_fresh_and_nothing_breaks() -> None:
    assert cli.breaks() == []
    assert cli.stale() == []


@pytest.mark.parametrize(
    ("name", "change", "complaint"),
    [
        ("field removed", {"properties.source": None}, "source: was removed"),
        ("type changed", {"properties.source_version": {"type": "string"}}, "source_version"),
        ("bound tightened", {"properties.confidence.maximum": 0.5}, "maximum is now 0.5"),
        ("pattern changed", {"properties.source.pattern": "^x$"}, "pattern is now ^x$"),
        ("field required", {"required": ["source", "full_name"]}, "full_name: is now required"),
        ("default changed", {"properties.confidence.default": 0.5}, "default is now 0.5"),
        ("closed", {"additionalProperties": False}, "unknown fields are now refused"),
        (
            "choice removed",
            {"$defs.OtherIdentifier.properties.type.enum": ["email"]},
            "no longer takes",
        ),
        ("field of a part removed", {"$defs.ContactPoint.properties.label": None}, "label"),
        ("null refused", {"properties.full_name": {"type": "string"}}, "full_name"),
    ],
)
def test_a_breaking_change_is_caught(name: str, change: dict[str, Any], complaint: str) -> None:
    old = message_schema("kith.signal.contact.v1")
    new = changed(old, change)
    assert any(complaint in one for one in breaking_changes(old, new)), name


@pytest.mark.parametrize(
    "change",
    [
        {"properties.new_field": {"type": "string"}},
        {"properties.confidence.maximum": 2.0},
        {"properties.full_name.description": "Another word."},
        {"$defs.OtherIdentifier.properties.type.enum": ["mastodon_handle"], "widen": True},
        {"required": []},
    ],
)
def test_a_compatible_change_passes(change: dict[str, Any]) -> None:
    old = message_schema("kith.signal.contact.v1")
    if change.pop("widen", False):
        [(place, added)] = change.items()
        change = {place: [*old["$defs"]["OtherIdentifier"]["properties"]["type"]["enum"], *added]}
    assert breaking_changes(old, changed(old, change)) == []


def test_a_new_required_field_of_a_model_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way: the model changes, `kith docs generate` refuses."""
    (tmp_path / "events").mkdir()
    for ce_type, schema in message_schemas().items():
        (tmp_path / "events" / f"{ce_type}.schema.json").write_text(json.dumps(schema))
    model = topics.MODEL_BY_TYPE["kith.contact.archived.v1"]
    monkeypatch.setitem(
        topics.MODEL_BY_TYPE,
        "kith.contact.archived.v1",
        create_model("ContactArchived", __base__=model, archived_by=(str, ...)),
    )
    monkeypatch.setattr(cli.breaks, "__defaults__", (tmp_path,))

    assert cli.breaks(tmp_path) == ["kith.contact.archived.v1: archived_by: is now required"]
    result = CliRunner().invoke(app, ["docs", "generate"])
    assert result.exit_code == 1
    assert "archived_by: is now required" in result.output


def test_the_asyncapi_document_is_well_formed() -> None:
    document = yaml.safe_load((DOCS / "events" / "asyncapi.yaml").read_text())
    for server in document["servers"].values():
        server["pathname"] = "/"  # optional in AsyncAPI 3.0, not in FastStream's model of it
    ApplicationSchema.model_validate(document)
    for reference in references(document):
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]


@pytest.mark.parametrize("ce_type", topics.SIGNALS.messages)
def test_the_example_for_outsiders_is_a_signal(ce_type: str) -> None:
    example = SIGNAL_EXAMPLES[ce_type]
    envelope, _ = parse({"headers": example["headers"], "data": example["payload"]})
    assert envelope.type == ce_type


def assert_holds(read: Any, written: Any) -> None:
    """Check that everything written was read; a newer model may have added defaults."""
    if isinstance(written, dict):
        for name, value in written.items():
            assert_holds(read[name], value)
    elif isinstance(written, list):
        assert len(read) == len(written)
        for one, other in zip(read, written, strict=True):
            assert_holds(one, other)
    else:
        assert read == written


def changed(schema: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    copy = deepcopy(schema)
    for place, value in change.items():
        *path, last = place.split(".")
        target = copy
        for part in path:
            target = target[part]
        if value is None:
            del target[last]
        else:
            target[last] = value
    return copy


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        found = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return found + [one for value in part.values() for one in references(value)]
    if isinstance(part, list):
        return [one for value in part for one in references(value)]
    return []
