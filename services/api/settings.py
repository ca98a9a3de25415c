"""What an operator may turn about the api."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.postgres.settings import PostgresSettings


class Settings(BaseSettings):
    """The api's settings; PostgreSQL's are its own part's, role `kith_api`."""

    model_config = SettingsConfigDict(env_prefix="API_", frozen=True, hide_input_in_errors=True)

    postgres: PostgresSettings = Field(default_factory=PostgresSettings)
