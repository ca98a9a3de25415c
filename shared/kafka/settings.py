"""How to reach Kafka, and how patiently."""

from typing import Literal, Self

from aiokafka.helpers import create_ssl_context
from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Options = dict[str, object]
"""Keyword arguments of an aiokafka client."""


class KafkaSettings(BaseSettings):
    """Kafka, from the environment variables `KAFKA_…`."""

    model_config = SettingsConfigDict(env_prefix="KAFKA_", frozen=True, hide_input_in_errors=True)

    bootstrap_servers: str = Field(
        default="localhost:9092", min_length=1, description="Brokers, host:port, comma separated."
    )
    client_id: str = Field(default="kith", description="Name in the broker's logs and quotas.")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="Transport security and authentication."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="How the password is proven, with SASL_*."
    )
    sasl_username: str = Field(default="", description="User, with SASL_*.")
    sasl_password: SecretStr = Field(default=SecretStr(""), description="Password, with SASL_*.")
    ssl_cafile: str | None = Field(
        default=None, description="File of the authority that signed the brokers' certificates."
    )
    ssl_certfile: str | None = Field(default=None, description="Client certificate file, for mTLS.")
    ssl_keyfile: str | None = Field(default=None, description="Key file of `ssl_certfile`.")
    session_timeout_ms: int = Field(
        default=30_000, ge=6_000, description="Silence after which a member counts as dead."
    )
    heartbeat_interval_ms: int = Field(default=3_000, ge=100, description="Between heartbeats.")
    rebalance_timeout_ms: int = Field(
        default=60_000, ge=5_000, description="How long a rebalance waits for a batch to finish."
    )
    request_timeout_ms: int = Field(
        default=30_000, ge=1_000, description="An unanswered request counts as lost after this."
    )
    poll_timeout_ms: int = Field(
        default=20, ge=1, le=1_000, description="An idle consumer looks again after twice this."
    )
    gather_ms: int = Field(
        default=60,
        ge=0,
        le=1_000,
        description="How long records may gather on each hop: a batch costs as much as dozens.",
    )
    batch_max_records: int = Field(
        default=500, ge=1, le=10_000, description="Records handed to a handler at once, at most."
    )
    handler_error_limit: int = Field(
        default=20,
        ge=1,
        description="Records in a row that our own code may fail on before consuming stops: a bug "
        "must not drain a topic into its dead letters.",
    )
    compression: Literal["none", "gzip", "lz4", "zstd"] = Field(
        default="none", description="Of produced batches; lz4 costs about 5 us a message."
    )

    @model_validator(mode="after")
    def _sasl_needs_credentials(self) -> Self:
        if self.security_protocol.startswith("SASL") and not self.sasl_username:
            msg = f"sasl_username is required with security_protocol={self.security_protocol}"
            raise ValueError(msg)
        return self

    @property
    def uses_sasl(self) -> bool:
        """Whether a user name and a password are sent."""
        return self.security_protocol.startswith("SASL")

    def client_options(self) -> Options:
        """Return what every aiokafka client needs to connect."""
        options: Options = {
            "bootstrap_servers": self.bootstrap_servers.split(","),
            "client_id": self.client_id,
            "request_timeout_ms": self.request_timeout_ms,
            "security_protocol": self.security_protocol,
        }
        if self.security_protocol.endswith("SSL"):
            options["ssl_context"] = create_ssl_context(
                cafile=self.ssl_cafile, certfile=self.ssl_certfile, keyfile=self.ssl_keyfile
            )
        if self.uses_sasl:
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.sasl_username
            options["sasl_plain_password"] = self.sasl_password.get_secret_value()
        return options
