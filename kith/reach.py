"""Where the command line finds Kafka and PostgreSQL: the environment, else the local stack."""

from typing import TYPE_CHECKING

import typer
from pydantic import SecretStr, ValidationError

from shared.kafka import KafkaSettings
from shared.postgres.settings import PostgresSettings

if TYPE_CHECKING:
    from kith.stack import Stack


def kafka_settings() -> KafkaSettings:
    """Return `KAFKA_…` from the environment; without it, the local stack's Kafka."""
    settings = KafkaSettings()
    if "bootstrap_servers" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"bootstrap_servers": _local_stack().kafka_bootstrap})


def _local_stack() -> "Stack":
    """Load the local stack; its packages are not installed where there is none."""
    from kith.stack import Stack  # noqa: PLC0415

    return Stack.load()


def postgres_settings() -> PostgresSettings:
    """Return `POSTGRES_…` from the environment; without it, the local stack as `kith_cli`."""
    try:
        return PostgresSettings()
    except ValidationError as error:
        if any(problem["type"] != "missing" for problem in error.errors(include_input=False)):
            raise
        return PostgresSettings(dsn=SecretStr(_local_stack().postgres_dsn("kith_cli")))


def local_url(service: str) -> str:
    """Return where a service of the local stack listens."""
    from kith.stack import Stack  # noqa: PLC0415  # the local stack is an optional extra
    from kith.stack.errors import StackError  # noqa: PLC0415
    from kith.stack.fleet import Fleet  # noqa: PLC0415

    try:
        return Fleet(Stack.load()).url(service)
    except StackError as error:
        raise typer.BadParameter(f"{error}; or give --url", param_hint="--url") from None
