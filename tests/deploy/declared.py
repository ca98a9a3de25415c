"""What the code declares and the deployment files must agree with: settings, topics, metrics."""

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import prometheus_client
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from shared.events import topics
from shared.observability import metrics
from shared.observability.traces import TraceSettings
from shared.process import LogSettings, ServerSettings

ROOT: Final = Path(__file__).resolve().parents[2]
DEPLOY: Final = ROOT / "deploy"
SERVICES: Final = (
    *("ingest", "resolver", "relay", "matcher", "projector", "indexer", "enricher", "api"),
)
"""The processes of kith that run for ever."""
ROLES: Final = {name: "resolver" if name == "matcher" else name for name in SERVICES}
"""Process → whose PostgreSQL role and secret it has: the matcher writes what the resolver does."""


def groups() -> dict[str, set[str]]:
    """Map each consumer group to the topics it reads."""
    found: dict[str, set[str]] = {}
    for topic in topics.ALL:
        for group in topic.consumers:
            found.setdefault(group, set()).add(topic.name)
    return found


SUFFIXES: Final = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}
"""Kind of metric → how the names of its series end."""


def metric_labels() -> dict[str, set[str]]:
    """Map each exposed series of the declared metrics to the labels it carries."""
    found: dict[str, set[str]] = {}
    for metric in vars(metrics).values():
        if isinstance(metric, prometheus_client.metrics.MetricWrapperBase):
            (family,) = metric.describe()
            for suffix in SUFFIXES[family.type]:
                edges = {"le"} if suffix == "_bucket" else set()
                found[family.name + suffix] = {*metric._labelnames, *edges}
    return found


def settings_class(service: str) -> type[BaseSettings] | None:
    """Find the settings of a service; the matcher has its own beside the resolver's."""
    package = "resolver" if service in {"relay", "matcher"} else service
    if not (ROOT / f"services/{package}/settings.py").exists():
        return None
    module = importlib.import_module(f"services.{package}.settings")
    found: type[BaseSettings] = getattr(module, f"{service.title()}Settings", module.Settings)
    return found


def read_by(service: str) -> dict[str, FieldInfo]:
    """List every variable that a service reads: its own settings, and what every process reads."""
    settings = settings_class(service)
    assert settings is not None, f"services/{service}/settings.py is missing"
    every: list[type[BaseSettings]] = [settings, ServerSettings, TraceSettings, LogSettings]
    return {name: field for part in every for name, field in variables(part)}


def variables(settings: type[BaseSettings]) -> Iterator[tuple[str, FieldInfo]]:
    """List every environment variable that a settings class reads, nested classes included."""
    prefix = str(settings.model_config.get("env_prefix", ""))
    for name, field in settings.model_fields.items():
        nested = [
            part
            for part in (field.annotation, *getattr(field.annotation, "__args__", ()))
            if inspect.isclass(part) and issubclass(part, BaseSettings)
        ]
        if nested:
            yield from variables(nested[0])
        elif field.validation_alias is not None:
            alias: Any = field.validation_alias
            for choice in getattr(alias, "choices", [alias]):
                yield str(choice).upper(), field
        else:
            yield f"{prefix}{name}".upper(), field


_KEYWORDS: Final = frozenset(
    [
        "by",
        "without",
        "on",
        "ignoring",
        "group_left",
        "group_right",
        "and",
        "or",
        "unless",
        "bool",
        "offset",
        "inf",
        "nan",
    ]
)
_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


def names_in(expression: str) -> set[str]:
    """List the series that a PromQL expression reads."""
    bare = re.sub(r'"(?:\\.|[^"\\])*"|\'[^\']*\'', '""', expression)
    bare = re.sub(r"\{[^}]*\}", "", bare)
    bare = re.sub(r"\[[^\]]*\]", "", bare)
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", bare)
    found = set()
    for match in _NAME.finditer(bare):
        called = bare[match.end() :].lstrip().startswith("(")
        if (
            not called
            and match[0].lower() not in _KEYWORDS
            and not bare[: match.start()][-1:].isdigit()
        ):
            found.add(match[0])
    return found
