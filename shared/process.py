"""One process from its settings to its end: start, serve, stop within 15 seconds.

On SIGTERM: no new HTTP requests, then the app's own shutdown: stop fetching, finish the batch,
commit, leave the group; then exit 0.  An app whose broker fails ends the process with 1, so that
whoever supervises it starts it anew: uvicorn by itself would go on serving without it.
"""

import asyncio
import contextlib
import gc
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

import uvicorn
from faststream.asgi import AsgiFastStream
from opentelemetry.sdk.trace import TracerProvider
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from typing_extensions import override

from shared.observability import metrics
from shared.observability.logs import configure_logging, get_logger
from shared.observability.traces import TraceSettings, configure_tracing
from shared.probes import ASGIApp, Receive, Scope, Send

log = get_logger(__name__)

HTTP_DRAIN_S: Final = 3
"""How long open HTTP requests may take at the end, seconds."""

SHUTDOWN_S: Final = 11.0
"""How long the app's own shutdown may take, seconds; with the drain it stays below 15."""

GC_THRESHOLDS: Final = (50_000, 20, 100)
"""Allocations before a collection: a batch makes tens of thousands of objects and no cycles."""

LOOP_CHECK_S: Final = 0.25
"""Between two looks at the event loop's delay, seconds."""

SettingsT = TypeVar("SettingsT", bound=BaseSettings)


class ServerSettings(BaseSettings):
    """Where the process listens, from `HTTP_…`."""

    model_config = SettingsConfigDict(env_prefix="HTTP_", frozen=True)

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on.")


class LogSettings(BaseSettings):
    """How much is logged, from `LOG_…`."""

    model_config = SettingsConfigDict(env_prefix="LOG_", frozen=True)

    level: str = Field(
        default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least level shown."
    )


def serve(
    create_app: Callable[[SettingsT], ASGIApp], settings_type: type[SettingsT], service: str = ""
) -> None:
    """Run a service until it is told to stop; ends the Python process.

    `service` names it in logs and traces; by default it is taken from the settings' module.
    """
    name = service or settings_type.__module__.split(".")[1]
    settings = load(settings_type)
    server, traces, logs = load(ServerSettings), load(TraceSettings), load(LogSettings)
    configure_logging(name, logs.level)
    provider = configure_tracing(name, traces)
    app = create_app(settings)
    collect_rarely()
    code = _run(app, server)
    _flush(provider)
    sys.stderr.flush()
    sys.exit(code)


def collect_rarely() -> None:
    """Have the collector of cycles look seldom, and never at what the imports made: that stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def load(settings_type: type[SettingsT]) -> SettingsT:
    """Read settings from the environment, or name each wrong variable and exit with 2."""
    try:
        return settings_type()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            variable = _variable(_of_title(settings_type, error.title), problem["loc"])
            message = f"configuration error: {variable}: {problem['msg']}"
            print(message, file=sys.stderr)  # noqa: T201  # before there is a log
        sys.exit(2)


def _of_title(settings_type: type[BaseSettings], title: str) -> type[BaseSettings]:
    """Find the part of the settings that an error speaks of."""
    for field in settings_type.model_fields.values():
        part = field.annotation
        if isinstance(part, type) and issubclass(part, BaseSettings):
            found = _of_title(part, title)
            if found.__name__ == title:
                return found
    return settings_type


def _variable(settings_type: type[BaseSettings], loc: tuple[int | str, ...]) -> str:
    prefix = settings_type.model_config.get("env_prefix", "")
    delimiter = settings_type.model_config.get("env_nested_delimiter") or "__"
    return (prefix + delimiter.join(str(part) for part in loc)).upper() or settings_type.__name__


def with_http(faststream_app: AsgiFastStream, http_app: ASGIApp) -> ASGIApp:
    """Join a FastStream app and an HTTP app: the lifespan and FastStream's routes are the former's.

    The HTTP app's own lifespan is not run: what it needs comes from the FastStream app's.
    """
    own = {path for path, _ in faststream_app.routes}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope.get("path") in own:
            await faststream_app(scope, receive, send)
        else:
            await http_app(scope, receive, send)

    return app


class _Server(uvicorn.Server):
    """Uvicorn that leaves the end of the process to us, instead of killing it with its signal."""

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        yield

    def _stop(self) -> None:
        self.should_exit = True


class _Lifespan:
    """The app's lifespan, watched: FastStream starts its broker after it has said it is up."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._started = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return when the app is up; raise what it raised."""
        self.task = asyncio.create_task(self._main())
        await self._messages.put({"type": "lifespan.startup"})
        started = asyncio.create_task(self._started.wait())
        await asyncio.wait({self.task, started}, return_when=asyncio.FIRST_COMPLETED)
        if self.task.done():
            started.cancel()
            self.task.result()

    async def stop(self) -> None:
        """Tell the app to stop, and wait for it."""
        if self.task is not None:
            await self._messages.put({"type": "lifespan.shutdown"})
            await asyncio.wait_for(self.task, SHUTDOWN_S)

    async def _main(self) -> None:
        scope: Scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        await self._app(scope, self._messages.get, self._answer)

    async def _answer(self, message: Any) -> None:
        if message["type"] == "lifespan.startup.complete":
            self._started.set()


def _run(app: ASGIApp, settings: ServerSettings) -> int:
    config = uvicorn.Config(
        _measured(app),
        host=settings.host,
        port=settings.port,
        lifespan="off",
        loop="auto",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=HTTP_DRAIN_S,
        server_header=False,
    )
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        return runner.run(_main(app, _Server(config)))


async def _main(app: ASGIApp, server: _Server) -> int:
    lifespan = _Lifespan(app)
    watch = asyncio.create_task(_watch_loop())
    try:
        await lifespan.start()
        if lifespan.task is None:
            return 1
        lifespan.task.add_done_callback(lambda _: server._stop())  # noqa: SLF001
        log.info("started", port=server.config.port)
        await server.serve()
        failed = lifespan.task.done()
        await lifespan.stop()
    except TimeoutError:
        log.error("stop took too long", seconds=SHUTDOWN_S)  # noqa: TRY400
        return 1
    except Exception as error:  # noqa: BLE001  # the last one to hear of it
        log.error("stopped by an error", error=error)  # noqa: TRY400
        return 1
    finally:
        watch.cancel()
    log.info("stopped")
    return 1 if failed else 0


async def _watch_loop() -> None:
    worst: list[float] = []
    while True:
        before = time.perf_counter()
        await asyncio.sleep(LOOP_CHECK_S)
        worst = [*worst[-19:], max(0.0, time.perf_counter() - before - LOOP_CHECK_S)]
        metrics.LOOP_LAG_SECONDS.set(max(worst))


def _measured(app: ASGIApp) -> ASGIApp:
    """Count and time HTTP requests by route template, never by path: a path may hold an id."""

    async def measured(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        status = "5xx"
        started = time.perf_counter()

        async def note(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = f"{message['status'] // 100}xx"
            await send(message)

        try:
            await app(scope, receive, note)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            metrics.HTTP_REQUESTS.labels(route, status).inc()
            metrics.HTTP_SECONDS.labels(route).observe(time.perf_counter() - started)

    return measured


def _flush(provider: TracerProvider | None) -> None:
    if provider is not None:
        provider.shutdown()
