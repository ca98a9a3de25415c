"""Where the command line finds Kafka and PostgreSQL: the environment, else the local stack."""

from pydantic import SecretStr, ValidationError

from kith.stack import Stack
from shared.kafka import KafkaSettings
from shared.postgres.settings import PostgresSettings


def kafka_settings() -> KafkaSettings:
    """Return `KAFKA_…` from the environment; without it, the local stack's Kafka."""
    settings = KafkaSettings()
    if "bootstrap_servers" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"bootstrap_servers": Stack.load().kafka_bootstrap})


def postgres_settings() -> PostgresSettings:
    """Return `POSTGRES_…` from the environment; without it, the local stack as `kith_cli`."""
    try:
        return PostgresSettings()
    except ValidationError as error:
        if any(problem["type"] != "missing" for problem in error.errors(include_input=False)):
            raise
        return PostgresSettings(dsn=SecretStr(Stack.load().postgres_dsn("kith_cli")))
