"""The secret behind the digests of `shared.identifiers.digests`."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.identifiers.digests import Digests


class DigestSettings(BaseSettings):
    """The same for every process of an installation that names records, from `KITH_…`."""

    model_config = SettingsConfigDict(env_prefix="KITH_", frozen=True, hide_input_in_errors=True)

    digest_secret: SecretStr = Field(
        min_length=16,
        description="The installation's secret for digests. There is no default, and it must "
        "never change: every record would look new.",
    )

    def digests(self) -> Digests:
        """Build the digests of this installation."""
        return Digests(self.digest_secret.get_secret_value())
