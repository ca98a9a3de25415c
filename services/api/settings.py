"""What an operator may turn about the api."""

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.postgres.settings import PostgresSettings


class Settings(BaseSettings):
    """The api's settings; PostgreSQL's are its own part's, role `kith_api`."""

    model_config = SettingsConfigDict(
        env_prefix="API_", frozen=True, hide_input_in_errors=True, env_ignore_empty=True
    )

    postgres: PostgresSettings = Field(default_factory=PostgresSettings)
    resolver_url: str = Field(
        default="http://resolver:8080",
        validation_alias=AliasChoices("API_RESOLVER_URL", "RESOLVER_URL"),
        description="Where the resolver answers questions and takes orders of people who wait.",
    )
