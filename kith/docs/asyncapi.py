"""The AsyncAPI 3.0 document: all that an outsider needs to publish signals and read events."""

from typing import Any

from kith.docs.schemas import component_schemas
from shared.events import topics

DESCRIPTION = """\
kith turns contact signals from many sources into one record per person, and tells what happened.

**Messages are CloudEvents 1.0.** In *binary* content mode the attributes are Kafka headers
(`ce_id`, `ce_source`, `ce_type`, …; UTF-8 text) and the record's value is the JSON data. Signals
may also be sent in *structured* mode: header `content-type: application/cloudevents+json`, and the
whole event as the value.

**To publish a signal**, send one record to `contact.signals.v1` with the headers
`ce_specversion: 1.0`, `ce_id` (unique per `ce_source`), `ce_source` (who you are, a URI
reference), `ce_type: kith.signal.contact.v1` and `content-type: application/json`, and a JSON
object of schema `ContactSignal` as its value, at most 64 KiB. `ce_time` says when it was true.
`ce_tenant` and `ce_workspace` say whose contact it is; they may be absent where the installation
has one tenant with one workspace. Any key will do; one per source record keeps a record's versions
in order. Sending the same record again changes nothing. A signal that cannot be read goes to
`contact.signals.v1.ingest.dlq`, with the headers `kith_dlq_reason`, `kith_dlq_field` and
`kith_dlq_detail`.

**What happened between people**, an e-mail, a meeting, a call, a form …, is a signal too: type
`kith.signal.activity.v1`, schema `ActivitySignal`, the same topic and the same delivery. Each
participant with an address, a number or a profile is found among the contacts or becomes one, and
gets the activity on the timeline; a newer version of the record replaces it.

**To read events**, consume `contact.events.v1` with a group of your own and
`auto.offset.reset=earliest`. Delivery is at least once: `ce_id` identifies an event. Events of one
contact or company share a key (its id, also `ce_subject`) and come in order; `ce_sequence` numbers
them 1, 2, 3 … Skip an event whose number you have; a number that jumps means that you missed one.
**To begin with what there is**, read `contact.state.v1` to its end first: one message for every
contact, as it is, in the same headers. A record without a value says that the contact is deleted:
delete what you have of it. Then read `contact.events.v1` from a week ago or less, and skip events
whose number you have. A state whose `ce_sequence` is lower than what you have is an old one: skip
it too.

Ignore types and fields that you do not know: they may be added at any time. A change that breaks a
reader is a new topic.
"""

CONTACT_EXAMPLE: dict[str, Any] = {
    "headers": {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": "crm-4711-3",
        "ce_source": "/crm/eu",
        "ce_type": "kith.signal.contact.v1",
        "ce_time": "2026-01-31T12:00:00Z",
    },
    "payload": {
        "source": "hubspot_crm",
        "source_record_id": "4711",
        "source_version": 3,
        "full_name": "Ada Lovelace",
        "emails": [{"value": "ada@example.com", "label": "work", "primary": True}],
        "phones": [{"value": "030 1234567", "label": "mobile"}],
        "phone_region": "DE",
        "employments": [{"company_name": "Analytical Engines", "title": "Programmer"}],
    },
}
ACTIVITY_EXAMPLE: dict[str, Any] = {
    "headers": {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": "pbx-2026-01-31-17",
        "ce_source": "/pbx/berlin",
        "ce_type": "kith.signal.activity.v1",
        "ce_time": "2026-01-31T12:07:41Z",
    },
    "payload": {
        "signal": "activity",
        "source": "call_log",
        "source_record_id": "2026-01-31-17",
        "kind": "call",
        "direction": "inbound",
        "status": "answered",
        "occurred_at": "2026-01-31T12:00:00Z",
        "duration_s": 461,
        "phone_region": "DE",
        "participants": [{"role": "caller", "name": "Ada Lovelace", "phone": "030 1234567"}],
    },
}
SIGNAL_EXAMPLES = {
    example["headers"]["ce_type"]: example for example in (CONTACT_EXAMPLE, ACTIVITY_EXAMPLE)
}
"""CloudEvents type → a signal as an outsider would send it; a test reads it as ingest does."""

STRING = {"type": "string"}


def asyncapi() -> dict[str, Any]:
    """Return the document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "kith",
            "version": "1.0.0",
            "description": DESCRIPTION,
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "description": "On the local stack `kith status` shows the port; elsewhere "
                "`KAFKA_BOOTSTRAP_SERVERS`, with TLS and SASL as the operator says.",
                "variables": {"bootstrap": {"default": "localhost:9092"}},
            }
        },
        "channels": {topic.name: _channel(topic) for topic in topics.ALL},
        "operations": dict(operation for topic in topics.ALL for operation in _operations(topic)),
        "components": {
            "messages": {
                _message_name(ce_type): _message(ce_type, topic)
                for topic in topics.ALL
                for ce_type in topic.messages
            },
            "schemas": component_schemas(),
        },
    }


def _channel(topic: topics.Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "title": topic.title,
        "description": f"Key: {topic.key}.",
        "tags": [{"name": "public" if topic.public else "internal"}],
        "messages": {
            _message_name(ce_type): {"$ref": f"#/components/messages/{_message_name(ce_type)}"}
            for ce_type in topic.messages
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    **_kept(topic),
                    "max.message.bytes": topics.MAX_MESSAGE_BYTES,
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _kept(topic: topics.Topic) -> dict[str, Any]:
    if topic.is_compacted:
        return {"cleanup.policy": ["compact"], "delete.retention.ms": topic.retention_ms}
    return {"cleanup.policy": ["delete"], "retention.ms": topic.retention_ms}


def _operations(topic: topics.Topic) -> list[tuple[str, dict[str, Any]]]:
    """Say what kith does with a topic: it receives what others send, and the other way round."""
    channel = {"$ref": f"#/channels/{topic.name}"}
    receive = {
        "action": "receive",
        "channel": channel,
        "summary": f"kith reads it; groups: {', '.join(topic.consumers)}.",
    }
    send = {
        "action": "send",
        "channel": channel,
        "summary": f"Written by: {', '.join(topic.producers)}.",
    }
    if topic is topics.SIGNALS:
        return [(f"receive.{topic.name}", receive)]
    if not topic.consumers:
        return [(f"send.{topic.name}", send)]
    return [(f"send.{topic.name}", send), (f"receive.{topic.name}", receive)]


def _message_name(ce_type: str) -> str:
    return ce_type.removeprefix("kith.").replace(".", "_")


def _message(ce_type: str, topic: topics.Topic) -> dict[str, Any]:
    model = topics.MODEL_BY_TYPE[ce_type]
    events = topic in (topics.EVENTS, topics.STATE)
    examples = {"examples": [SIGNAL_EXAMPLES[ce_type]]} if topic is topics.SIGNALS else {}
    return {
        "name": ce_type,
        "title": model.__name__,
        "summary": (model.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "headers": _headers(ce_type, events=events),
        "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
        "bindings": {
            "kafka": {"key": {**STRING, "description": topic.key}, "bindingVersion": "0.5.0"}
        },
        **examples,
    }


def _headers(ce_type: str, *, events: bool) -> dict[str, Any]:
    moment = {**STRING, "format": "date-time"}
    properties = {
        "content-type": {**STRING, "const": "application/json"},
        "ce_specversion": {**STRING, "const": "1.0"},
        "ce_id": {**STRING, "description": "Unique per source.", "minLength": 1, "maxLength": 255},
        "ce_source": {**STRING, "description": "Who says it.", "minLength": 1, "maxLength": 255},
        "ce_type": {**STRING, "const": ce_type},
        "ce_time": {**moment, "description": "When it happened, RFC 3339 with an offset."},
        "ce_subject": {**STRING, "description": "Whom it is about."},
        "ce_tenant": {**STRING, "description": "Public id of the tenant, `ten_…`."},
        "ce_workspace": {**STRING, "description": "Public id of the workspace, `wsp_…`."},
        "ce_recordedtime": {**moment, "description": "When kith first saw what led to it."},
        "traceparent": {**STRING, "description": "W3C trace context."},
    }
    required = ["content-type", "ce_specversion", "ce_id", "ce_source", "ce_type"]
    if events:
        properties["ce_sequence"] = {
            **STRING,
            "description": "The entity's version, ten digits.",
            "pattern": "^[0-9]{10}$",
        }
        required += ["ce_subject", "ce_tenant", "ce_sequence", "ce_time"]
    return {"type": "object", "properties": properties, "required": required}
