"""What an operator may turn about the local stack, read from the environment."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class StackSettings(BaseSettings):
    """Where the stack keeps its state and its downloads; every field has a working default."""

    model_config = SettingsConfigDict(env_prefix="KITH_", frozen=True, extra="ignore")

    home: Path | None = None
    """State, logs and (for an ordinary user) data; default `.kith` in the checkout."""
    cache: Path | None = None
    """Downloaded parts, shared between checkouts; default depends on the account."""
