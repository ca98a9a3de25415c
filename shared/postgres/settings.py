"""What an operator may turn about PostgreSQL."""

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class PostgresSettings(BaseSettings):
    """Connection and limits; every service has its own role, hence its own DSN."""

    model_config = SettingsConfigDict(
        env_prefix="POSTGRES_", frozen=True, hide_input_in_errors=True
    )

    dsn: SecretStr = Field(
        title="DSN", description="postgresql://role:password@host:port/database?sslmode=…"
    )
    pool_min: Annotated[int, Field(ge=0, le=100)] = Field(
        default=1, title="Smallest pool", description="Connections kept open"
    )
    pool_max: Annotated[int, Field(ge=1, le=100)] = Field(
        default=4, title="Largest pool", description="Connections opened at most"
    )
    statement_timeout_ms: Annotated[int, Field(ge=0)] = Field(
        default=30_000, title="Statement timeout", description="Milliseconds; 0 switches it off"
    )
    lock_timeout_ms: Annotated[int, Field(ge=0)] = Field(
        default=10_000, title="Lock timeout", description="Milliseconds to wait for any lock"
    )
    idle_in_transaction_timeout_ms: Annotated[int, Field(ge=0)] = Field(
        default=30_000,
        title="Idle-in-transaction timeout",
        description="Milliseconds; an idle writer would hold back every reader of the event table",
    )
