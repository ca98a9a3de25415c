"""What an operator may turn about ingest."""

from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.cache import RedisSettings
from shared.idempotency import IdempotencySettings
from shared.identifiers.settings import DigestSettings
from shared.kafka.settings import KafkaSettings
from shared.limits import LimitSettings
from shared.postgres.settings import PostgresSettings


class Settings(BaseSettings):
    """Ingest, from the environment variables `INGEST_…`."""

    model_config = SettingsConfigDict(
        env_prefix="INGEST_", frozen=True, hide_input_in_errors=True, env_ignore_empty=True
    )

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    postgres: PostgresSettings = Field(default_factory=PostgresSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    idempotency: IdempotencySettings = Field(default_factory=IdempotencySettings)
    digest: DigestSettings = Field(default_factory=DigestSettings)

    default_phone_region: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")] = Field(
        default="US",
        description="ISO 3166 code of the country where national phone numbers are read when "
        "their record declares none; they are marked as assumed.",
    )
    max_request_bytes: Annotated[int, Field(ge=1_024)] = Field(
        default=8 * 1024 * 1024, description="Largest body of POST /v1/signals, bytes."
    )
    max_signals: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=1_000, description="Most signals in one POST /v1/signals."
    )
    max_file_bytes: Annotated[int, Field(ge=1_024)] = Field(
        default=64 * 1024 * 1024, description="Largest file of POST /v1/imports, bytes."
    )
    resolver_url: str = Field(
        default="http://resolver:8080",
        validation_alias=AliasChoices("INGEST_RESOLVER_URL", "RESOLVER_URL"),
        description="Where the resolver says what an import's rows would lead to, and led to.",
    )
    upload_dir: Path | None = Field(
        default=None,
        description="Directory for uploaded files, shared by all replicas; default: the database.",
    )
    keep_import_hours: Annotated[int, Field(ge=1, le=8_760)] = Field(
        default=168,
        description="How long an import keeps its file and what its rows say, hours. The report "
        "stays.",
    )
    max_file_rows: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=200_000, description="Most rows or cards of one file."
    )
