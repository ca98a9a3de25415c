"""What an operator may turn about ingest."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import AliasChoices, Field, SecretStr, StringConstraints, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.cache import RedisSettings
from shared.idempotency import IdempotencySettings
from shared.identifiers.settings import DigestSettings
from shared.kafka.settings import KafkaSettings
from shared.limits import LimitSettings
from shared.postgres.settings import PostgresSettings


class RemoteSettings(BaseSettings):
    """Accounts elsewhere that ingest reads: mailboxes, from `INGEST_…`."""

    model_config = SettingsConfigDict(
        env_prefix="INGEST_", frozen=True, hide_input_in_errors=True, env_ignore_empty=True
    )

    encryption_keys: SecretStr = Field(
        default=SecretStr(""),
        description="Keys that encrypt credentials of accounts elsewhere and uploaded files, apart "
        "by commas, each 32 random bytes in URL-safe base64 (`kith sync key`). The first one "
        "encrypts, all decrypt: put a new one in front and connect the accounts again before the "
        "old one goes. Without any, no account can be connected, and files are encrypted by their "
        "volume alone.",
    )
    accounts_at_once: Annotated[int, Field(ge=0, le=64)] = Field(
        default=2, description="Accounts that one process reads at once; 0: it reads none."
    )
    gmail_url: str = Field(
        default="https://gmail.googleapis.com/gmail/v1", description="Where the Gmail API is."
    )
    google_token_url: str = Field(
        default="https://oauth2.googleapis.com/token", description="Where Google renews tokens."
    )
    graph_url: str = Field(
        default="https://graph.microsoft.com/v1.0",
        description="Where Microsoft Graph is; national clouds have their own.",
    )
    people_url: str = Field(
        default="https://people.googleapis.com/v1", description="Where the Google People API is."
    )
    calendar_url: str = Field(
        default="https://www.googleapis.com/calendar/v3",
        description="Where the Google Calendar API is.",
    )
    hubspot_url: str = Field(
        default="https://api.hubapi.com",
        description="Where the HubSpot API is, and renews tokens.",
    )
    salesforce_url: str = Field(
        default="https://{directory}.my.salesforce.com",
        description="Where an organisation's Salesforce API is, and renews tokens.",
    )
    microsoft_login_url: str = Field(
        default="https://login.microsoftonline.com", description="Where Microsoft renews tokens."
    )

    def keys(self) -> list[str]:
        """Return the keys, the one that encrypts first."""
        written = self.encryption_keys.get_secret_value()
        return [key.strip() for key in written.split(",") if key.strip()]


class ObjectStorageSettings(BaseSettings):
    """Object storage for uploaded files, from `INGEST_S3_…`; needs the extra `s3`."""

    model_config = SettingsConfigDict(
        env_prefix="INGEST_S3_", frozen=True, hide_input_in_errors=True, env_ignore_empty=True
    )

    bucket: str | None = Field(
        default=None,
        description="Bucket for uploaded files, in S3 or whatever speaks its protocol; it must be "
        "kith's alone, or the prefix must. Default: files go to INGEST_UPLOAD_DIR, or the "
        "database.",
    )
    prefix: str = Field(default="uploads", description="What names of uploaded files begin with.")
    region: str = Field(default="us-east-1", description="Region of the bucket.")
    endpoint: str | None = Field(
        default=None,
        description="Where the storage is, like https://minio.internal:9000, the bucket's name in "
        "the path; default: AWS. http:// is for tests and meshes that encrypt by themselves.",
    )
    access_key_id: SecretStr = Field(
        default=SecretStr(""),
        description="Key of an account that may list, read, write and delete below the prefix. "
        "Default: the environment's own, by AWS_… variables, web identity or the machine's role.",
    )
    secret_access_key: SecretStr = Field(default=SecretStr(""), description="The key's secret.")
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = Field(
        default=30.0, description="Longest wait for one request, each some 4 MiB at most, seconds."
    )

    @model_validator(mode="after")
    def _has_both_or_neither(self) -> Self:
        if bool(self.access_key_id.get_secret_value()) != bool(
            self.secret_access_key.get_secret_value()
        ):
            raise ValueError("a key needs both INGEST_S3_ACCESS_KEY_ID and …_SECRET_ACCESS_KEY")
        return self


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
    remote: RemoteSettings = Field(default_factory=RemoteSettings)
    s3: ObjectStorageSettings = Field(default_factory=ObjectStorageSettings)

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
        default=512 * 1024 * 1024,
        description="Largest file of POST /v1/imports but mail, bytes.",
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
    file_share: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.5,
        description="Share of the time that reading files and asking what their rows would lead "
        "to may take while live signals flow.",
    )
    max_file_rows: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=200_000, description="Most rows or cards of one file."
    )
    max_mail_bytes: Annotated[int, Field(ge=1_024)] = Field(
        default=8 * 1024 * 1024 * 1024,
        description="Largest file of mail, bytes; it takes as much of the temporary directory "
        "while it is read.",
    )
    mail_helpers: Annotated[int, Field(ge=0, le=32)] = Field(
        default=2,
        description="Processes that parse a mailbox of 32 MiB or more beside the service, for as "
        "long as that takes, each some 60 MiB; 0: it parses alone, on one core.",
    )

    @model_validator(mode="after")
    def _keeps_uploads_in_one_place(self) -> Self:
        if self.upload_dir is not None and self.s3.bucket is not None:
            raise ValueError("say INGEST_UPLOAD_DIR or INGEST_S3_BUCKET, not both")
        return self
