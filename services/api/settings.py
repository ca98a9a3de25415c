"""What an operator may turn about the api."""

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.cache import RedisSettings
from shared.idempotency import IdempotencySettings
from shared.limits import LimitSettings
from shared.postgres.settings import PostgresSettings


class ExportSettings(BaseSettings):
    """How much one replica exports at once."""

    model_config = SettingsConfigDict(env_prefix="API_EXPORT_", frozen=True, env_ignore_empty=True)

    at_once: int = Field(
        default=4, ge=1, le=100, description="Exports that one replica writes at once."
    )
    max_contacts: int = Field(
        default=1_000_000, ge=1, description="Contacts of one export at most."
    )


class Settings(BaseSettings):
    """The api's settings; PostgreSQL's are its own part's, role `kith_api`."""

    model_config = SettingsConfigDict(
        env_prefix="API_", frozen=True, hide_input_in_errors=True, env_ignore_empty=True
    )

    postgres: PostgresSettings = Field(default_factory=PostgresSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    idempotency: IdempotencySettings = Field(default_factory=IdempotencySettings)
    export: ExportSettings = Field(default_factory=ExportSettings)
    resolver_url: str = Field(
        default="http://resolver:8080",
        validation_alias=AliasChoices("API_RESOLVER_URL", "RESOLVER_URL"),
        description="Where the resolver answers questions and takes orders of people who wait.",
    )
