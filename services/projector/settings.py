"""What an operator may turn about the projector."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.kafka.settings import KafkaSettings
from shared.postgres.settings import PostgresSettings


class Settings(BaseSettings):
    """The projector's own settings are those of the parts it stands on."""

    model_config = SettingsConfigDict(
        env_prefix="PROJECTOR_", frozen=True, hide_input_in_errors=True
    )

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    postgres: PostgresSettings = Field(default_factory=PostgresSettings)
