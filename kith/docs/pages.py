"""The generated pages: topics, metrics, settings."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any, Final

from pydantic import SecretStr
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

import services
import shared
from kith.docs.attribute_docs import attribute_docs
from kith.topics import DEAD_LETTER_RETENTION_MS
from shared.errors import DEAD_LETTER_REASONS
from shared.events import topics
from shared.observability import metrics

NOTICE: Final = "<!-- Made by `kith docs generate`: change the code, not this page. -->\n\n"

SETTINGS_MODULES: Final = (
    "shared.cache",
    "shared.idempotency",
    "shared.limits",
    "shared.observability.traces",
    "shared.process",
)
"""Modules other than `settings` that hold a settings class."""


def topics_page() -> str:
    """Describe every topic and its dead letters."""
    lines = [
        NOTICE + "# Topics\n",
        "| topic | what | key | partitions | kept | written by | read by | public |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{t.name}` | {t.title} | {t.key} | {t.partitions} | {_kept(t)} "
        f"| {', '.join(t.producers)} | {', '.join(t.consumers)} | {'yes' if t.public else 'no'} |"
        for t in topics.ALL
    ]
    lines += [
        "\n## Messages\n",
        "| topic | CloudEvents type | schema | what |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{t.name}` | `{ce_type}` | [{model.__name__}](events/{ce_type}.schema.json) "
        f"| {(model.__doc__ or '').strip().splitlines()[0]} |"
        for t in topics.ALL
        for ce_type, model in t.messages.items()
    ]
    lines += [
        "\n## Dead letters\n",
        (
            "What a group cannot read lies, byte for byte, on `<topic>.<group>.dlq` for "
            f"{_days(DEAD_LETTER_RETENTION_MS)}, with the headers `kith_dlq_reason`, `_detail`, "
            "`_field`, `_topic`, `_partition`, `_offset`, `_timestamp`, `_group`, `_failed_at` and "
            "`_stack_hash`. `kith dead` lists, shows, replays and drops them.\n"
        ),
        "Reasons: " + ", ".join(f"`{reason}`" for reason in DEAD_LETTER_REASONS) + ".\n",
    ]
    lines += [f"- `{t.dead_letters(group)}`" for t in topics.ALL for group in t.consumers]
    return "\n".join(lines) + "\n"


def metrics_page() -> str:
    """Describe every metric."""
    lines = [
        NOTICE + "# Metrics\n",
        (
            "Every process serves its own on `/metrics`, besides Python's and the process's "
            "(`process_cpu_seconds_total`, `process_resident_memory_bytes`, …).\n"
        ),
        "| metric | type | labels | what |",
        "|---|---|---|---|",
    ]
    for metric in vars(metrics).values():
        if hasattr(metric, "_labelnames"):
            [family] = metric.describe()
            name = family.name + ("_total" if family.type == "counter" else "")
            labels = ", ".join(f"`{label}`" for label in metric._labelnames)  # noqa: SLF001
            lines.append(f"| `{name}` | {family.type} | {labels} | {family.documentation} |")
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """Describe every environment variable, by the part that reads it."""
    lines = [
        NOTICE + "# Settings\n",
        (
            "Environment variables, read once at the start. A wrong one is named and the process "
            "ends with exit code 2.\n"
        ),
    ]
    for cls in _settings_classes():
        prefix = cls.model_config.get("env_prefix", "")
        where = cls.__module__.removesuffix(".settings")
        lines += [
            f"## `{prefix}…` ({where})\n",
            " ".join((cls.__doc__ or "").split()) + "\n",
            "| variable | default | what |",
            "|---|---|---|",
        ]
        texts = attribute_docs(cls)
        for name, field in cls.model_fields.items():
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseSettings):
                lines.append(f"| see `{field.annotation.model_config.get('env_prefix')}…` | | |")
                continue
            text = field.description or texts.get(name, "")
            default = _default(field.get_default(call_default_factory=True, validated_data={}))
            lines.append(f"| `{(prefix + name).upper()}` | {default} | {text} |")
        lines.append("")
    return "\n".join(lines)


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "**required**"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, frozenset):
        value = ",".join(sorted(value))
    return "" if value is None or value == "" else f"`{value}`"


def _settings_classes() -> Iterator[type[BaseSettings]]:
    names = [
        module.name
        for package in (shared, services)
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
        if module.name.endswith(".settings")
    ]
    for name in sorted([*names, *SETTINGS_MODULES]):
        module = importlib.import_module(name)
        for cls in vars(module).values():
            if (
                isinstance(cls, type)
                and issubclass(cls, BaseSettings)
                and cls.__module__ == module.__name__
            ):
                yield cls


def _kept(topic: topics.Topic) -> str:
    if topic.is_compacted:
        return f"the newest of each key; what it replaced {_days(topic.retention_ms)}"
    return _days(topic.retention_ms)


def _days(milliseconds: int) -> str:
    return f"{milliseconds // topics.DAY_MS} days"
