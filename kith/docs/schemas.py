"""JSON Schemas of the messages, and which changes to one would break those who use it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from kith.docs.attribute_docs import attribute_docs
from shared.events import topics

Schema = dict[str, Any]

TIGHTER_WHEN_HIGHER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems")
TIGHTER_WHEN_LOWER: Final = (
    "maximum",
    "exclusiveMaximum",
    "maxLength",
    "maxItems",
    "maxProperties",
)


def message_schemas() -> dict[str, Schema]:
    """Return CloudEvents type → JSON Schema of its data, of every topic."""
    return {ce_type: message_schema(ce_type) for ce_type in sorted(topics.MODEL_BY_TYPE)}


def message_schema(ce_type: str) -> Schema:
    """Return the JSON Schema of one message's data, on its own."""
    model = topics.MODEL_BY_TYPE[ce_type]
    schema = model.model_json_schema(mode="validation")
    _describe({model.__name__: schema, **schema.get("$defs", {})}, [model])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{ce_type}.schema.json",
        **schema,
    }


def component_schemas() -> dict[str, Schema]:
    """Return every model's schema under its name, as an AsyncAPI document holds them."""
    models = list(dict.fromkeys(topics.MODEL_BY_TYPE.values()))
    _, document = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    schemas: dict[str, Schema] = document["$defs"]
    _describe(schemas, models)
    return schemas


def _describe(schemas: Mapping[str, Schema], roots: Sequence[type[BaseModel]]) -> None:
    """Put the attributes' docstrings where the schema has none."""
    for model in _with_parts(roots):
        properties = schemas.get(model.__name__, {}).get("properties", {})
        for name, text in attribute_docs(model).items():
            if name in properties:
                properties[name].setdefault("description", text)


def _with_parts(roots: Sequence[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    seen: set[type[BaseModel]] = set()
    waiting: list[Any] = list(roots)
    while waiting:
        one = waiting.pop()
        waiting.extend(getattr(one, "__args__", ()))
        if isinstance(one, type) and issubclass(one, BaseModel) and one not in seen:
            seen.add(one)
            waiting.extend(field.annotation for field in one.model_fields.values())
            yield one


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """Say what in `new` breaks a sender or a reader of `old`; empty: nothing does.

    A reader must still find each field it knew; a message that was valid must stay valid.
    """
    return list(_Comparison(old, new).of(old, new, ""))


class _Comparison:
    """Walks two schemas side by side; each keeps its own definitions."""

    def __init__(self, old_root: Schema, new_root: Schema) -> None:
        self._old_root = old_root
        self._new_root = new_root
        self._open: list[tuple[str, str]] = []
        """Pairs of references that are being compared: a model may hold itself."""

    def of(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        """Compare two schemas at a path."""
        pair = (old.get("$ref", ""), new.get("$ref", ""))
        if any(pair) and pair in self._open:
            return
        self._open.append(pair)
        yield from self._content(
            _resolved(old, self._old_root), _resolved(new, self._new_root), path
        )
        self._open.pop()

    def _content(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        where = path or "the message"
        if "anyOf" in old or "anyOf" in new:
            yield from self._choices(old, new, path)
            return
        if _types(new) and not (_types(old) and _types(old) <= _types(new)):
            yield f"{where}: was {_words(old)}, is {_words(new)}"
            return
        yield from _constraints(old, new, where)
        yield from self._fields(old, new, path)
        for keyword in ("items", "additionalProperties"):
            if isinstance(new.get(keyword), dict):
                was = old.get(keyword)
                yield from self.of(was if isinstance(was, dict) else {}, new[keyword], f"{path}[]")

    def _choices(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        """Each choice there was must still be there, or be taken by another."""
        for was in old.get("anyOf", [old]):
            complaints = [list(self.of(was, choice, path)) for choice in new.get("anyOf", [new])]
            if all(complaints):
                yield from min(complaints, key=len)

    def _fields(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        had, has = old.get("properties", {}), new.get("properties", {})
        prefix = f"{path}." if path else ""
        for name, schema in had.items():
            if name in has:
                yield from self.of(schema, has[name], prefix + name)
            else:
                yield f"{prefix}{name}: was removed"
        for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
            yield f"{prefix}{name}: is now required"
        if (
            new.get("additionalProperties") is False
            and old.get("additionalProperties") is not False
        ):
            yield f"{path or 'the message'}: unknown fields are now refused"


def _constraints(old: Schema, new: Schema, where: str) -> Iterator[str]:
    for keyword in TIGHTER_WHEN_HIGHER:
        if keyword in new and new[keyword] > old.get(keyword, float("-inf")):
            yield f"{where}: {keyword} is now {new[keyword]}"
    for keyword in TIGHTER_WHEN_LOWER:
        if keyword in new and new[keyword] < old.get(keyword, float("inf")):
            yield f"{where}: {keyword} is now {new[keyword]}"
    if "default" in old and new.get("default") != old["default"]:
        # A default is left out when a message is written: old ones would say something else.
        yield f"{where}: default is now {new.get('default')}"
    for keyword in ("pattern", "format"):
        if keyword in new and new[keyword] != old.get(keyword):
            yield f"{where}: {keyword} is now {new[keyword]}"
    allowed = new.get("enum", [new["const"]] if "const" in new else None)
    if allowed is not None:
        gone = set(old.get("enum", [old["const"]] if "const" in old else ())) - set(allowed)
        if gone or not ("enum" in old or "const" in old):
            yield f"{where}: no longer takes {', '.join(sorted(map(str, gone))) or 'any value'}"


def _resolved(schema: Schema, root: Schema) -> Schema:
    while "$ref" in schema:
        target: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        schema = target
    return schema


def _types(schema: Schema) -> set[str]:
    kind = schema.get("type", [])
    types = {kind} if isinstance(kind, str) else set(kind)
    return types | {"integer"} if "number" in types else types


def _words(schema: Schema) -> str:
    return " or ".join(sorted(_types(schema))) or "anything"
