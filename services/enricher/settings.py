"""What an operator may turn about the enricher."""

from typing import Annotated, Self

from pydantic import AnyHttpUrl, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.enricher.domain.rules import AUTO_SOURCES
from shared.cache import RedisSettings
from shared.identifiers.settings import DigestSettings
from shared.kafka.settings import KafkaSettings
from shared.postgres.settings import PostgresSettings


class Settings(BaseSettings):
    """The enricher, from the environment variables `ENRICHER_…`."""

    model_config = SettingsConfigDict(
        env_prefix="ENRICHER_", frozen=True, hide_input_in_errors=True, env_ignore_empty=True
    )

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    postgres: PostgresSettings = Field(default_factory=PostgresSettings)
    digest: DigestSettings = Field(default_factory=DigestSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)

    vendor_url: AnyHttpUrl = Field(
        default=AnyHttpUrl("https://api.apollo.io"), description="Where Apollo's API is."
    )
    vendor_key: SecretStr | None = Field(
        default=None, description="Apollo's API key; without it requests wait and nobody is asked."
    )
    auto: bool = Field(
        default=False, description="Ask about new contacts without an order (spec 003, 8.2)."
    )
    auto_share: Annotated[float, Field(ge=0.0, le=1.0)] = Field(
        default=1.0, description="Share of the new contacts that `auto` asks about."
    )
    auto_sources: frozenset[str] = Field(
        default=AUTO_SOURCES, description="Sources whose new contacts `auto` asks about (JSON)."
    )
    max_calls_per_second: Annotated[float, Field(gt=0.0, le=1_000.0)] = Field(
        default=5.0, description="Calls to the vendor, all replicas together."
    )
    concurrency: Annotated[int, Field(ge=1, le=64)] = Field(
        default=4, description="Calls in flight at once, per replica."
    )
    call_timeout_seconds: Annotated[float, Field(gt=0.0, le=8.0)] = Field(
        default=8.0,
        description="A call without answer after this has an unknown outcome. "
        "Below the 15 seconds in which a process must stop.",
    )
    lease_seconds: Annotated[float, Field(ge=1.0)] = Field(
        default=60.0,
        description="A call whose process died counts as lost after this.",
    )
    poll_seconds: Annotated[float, Field(gt=0.0, le=60.0)] = Field(
        default=1.0, description="How often an idle enricher looks for work."
    )

    @model_validator(mode="after")
    def _settings_fit_together(self) -> Self:
        if self.auto and self.vendor_key is None:
            msg = "ENRICHER_VENDOR_KEY is required with ENRICHER_AUTO=true"
            raise ValueError(msg)
        if self.lease_seconds <= self.call_timeout_seconds:
            msg = "ENRICHER_LEASE_SECONDS must be longer than ENRICHER_CALL_TIMEOUT_SECONDS"
            raise ValueError(msg)
        return self
