"""Structured logs: one JSON object a line, and only fields that are known to be harmless.

Personal data stays out by construction: a field that is not on the allow-list is dropped, and so
is the text of an exception, since a driver's message may quote a value (`DETAIL: Key (email)=…`).
"""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any, Final

import orjson
import structlog
from opentelemetry import trace

ALLOWED_FIELDS: Final = frozenset(
    {
        "timestamp", "level", "event", "service", "logger", "trace_id", "span_id",
        "topic", "partition", "offset", "group", "stage", "reason", "field", "count", "size",
        "seconds", "delay_s", "attempt", "error", "error_at", "sqlstate", "status", "route",
        "method", "contact_id", "company_id", "tenant_id", "workspace_id", "event_id",
        "request_id", "command_id", "source", "vendor", "shard", "version", "port", "url", "signal",
        "variable", "path", "kind", "state", "migration", "schema", "limit", "stack",
    }
)  # fmt: skip
"""What a log line may hold; public ids are not personal data, their contact's values are."""

_ERROR_FIELDS: Final = ("exc_info", "exception", "stack_info")


def configure_logging(service: str, level: str = "INFO") -> None:
    """Send every log line of the process, libraries included, to stderr as JSON."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _describe_error,
        _add_trace,
        _only_allowed(service),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_dump),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("aiokafka", "httpx", "httpcore", "uvicorn.access", "faststream", "neo4j"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # It warns at every start that it creates no topics, and repeats what our own metrics say.
    logging.getLogger("kith.faststream").setLevel(logging.ERROR)
    for own in ("uvicorn", "uvicorn.error", "uvicorn.access", "faststream"):
        logging.getLogger(own).handlers.clear()
        logging.getLogger(own).propagate = True


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a module's logger; call it with `__name__`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def where(error: BaseException) -> str:
    """Name file, line and function where an error was raised: what a stack says, in one line."""
    traceback: TracebackType | None = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return ""
    code = traceback.tb_frame.f_code
    return f"{'/'.join(code.co_filename.split('/')[-3:])}:{traceback.tb_lineno} {code.co_name}"


def _describe_error(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    info = event.get("exc_info")
    error = info[1] if isinstance(info, tuple) else info
    if info is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        event.setdefault("error", type(error).__name__)
        event.setdefault("error_at", where(error))
        state = getattr(error, "sqlstate", None)
        if state:
            event.setdefault("sqlstate", state)
    elif isinstance(event.get("error"), BaseException):
        event["error_at"] = where(event["error"])
        event["error"] = type(event["error"]).__name__
    for name in _ERROR_FIELDS:
        event.pop(name, None)
    return event


def _add_trace(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event.setdefault("trace_id", format(context.trace_id, "032x"))
        event.setdefault("span_id", format(context.span_id, "016x"))
    return event


def _only_allowed(service: str) -> structlog.typing.Processor:
    def keep(
        _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        kept = {
            name: value
            for name, value in event.items()
            if name in ALLOWED_FIELDS or name.startswith("_")
        }
        dropped = sorted(event.keys() - kept.keys())
        if dropped:
            kept["dropped"] = ",".join(dropped)
        kept["service"] = service
        return kept

    return keep


def _dump(event: Mapping[str, Any], **_: Any) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
