"""What an operator may turn about the resolver, its relay and its matcher."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.identifiers.settings import DigestSettings
from shared.kafka.settings import KafkaSettings
from shared.postgres.settings import PostgresSettings


class Settings(BaseSettings):
    """The resolver, from the environment variables `RESOLVER_…`."""

    model_config = SettingsConfigDict(
        env_prefix="RESOLVER_", frozen=True, hide_input_in_errors=True, env_ignore_empty=True
    )

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    postgres: PostgresSettings = Field(default_factory=PostgresSettings)
    digest: DigestSettings = Field(default_factory=DigestSettings)

    bulk_share: Annotated[float, Field(ge=0.01, le=1)] = Field(
        default=0.25,
        description="Share of the time that signals from files may take while live signals flow.",
    )
    bulk_least_share: Annotated[float, Field(ge=0.01, le=1)] = Field(
        default=0.05,
        description="What signals from files keep of the time however late live signals are: half "
        "as much each time they are, and back little by little when they are in time.",
    )
    bulk_yield_above_ms: Annotated[int, Field(ge=0)] = Field(
        default=150,
        description="Live signals that are older than this on their topic when they take effect "
        "are late. They begin to age by the clock of the machine where ingest sent them, and the "
        "resolver's tells how old they are: where the two differ by as much, files get the least, "
        "or no less than their share however late live signals are. `files_share_ratio` shows it.",
    )
    bulk_max_records: Annotated[int, Field(ge=1, le=2_000)] = Field(
        default=250, description="Signals from files decided in one transaction."
    )
    bulk_live_records: Annotated[int, Field(ge=1, le=2_000)] = Field(
        default=50,
        description="So many of them while live signals flow: it is over within the moment for "
        "which live ones gather.",
    )
    snapshot_interval_s: Annotated[float, Field(gt=0, le=86_400)] = Field(
        default=60.0,
        description="Between two looks for contacts with so many new events that a snapshot of "
        "their state is due, seconds; the past of a contact is read from the one before.",
    )


class RelaySettings(BaseSettings):
    """The relay: only where it reads and where it sends; it names no records."""

    model_config = SettingsConfigDict(env_prefix="RELAY_", frozen=True, hide_input_in_errors=True)

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    postgres: PostgresSettings = Field(default_factory=PostgresSettings)


class MatcherSettings(BaseSettings):
    """The matcher, from the environment variables `MATCHER_…`: how fast, beside everybody else."""

    model_config = SettingsConfigDict(
        env_prefix="MATCHER_", frozen=True, hide_input_in_errors=True, env_ignore_empty=True
    )

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    postgres: PostgresSettings = Field(default_factory=PostgresSettings)

    batch_max_records: Annotated[int, Field(ge=1, le=1_000)] = Field(
        default=100,
        description="Events whose contacts are compared in one transaction: the gate waits as long "
        "for the contacts that it merges.",
    )
    contacts_per_second: Annotated[int, Field(ge=1)] = Field(
        default=5_000,
        description="At most so many contacts a second are compared, per process; each costs about "
        "a third of a millisecond of processor time (docs/benchmarks.md).",
    )
    busy_arrivals: Annotated[int, Field(ge=0)] = Field(
        default=1_300,
        description="Events a second that leave matching nothing but the least: each process may "
        "compare so many contacts a second as arrivals stay below this, and catches up afterwards.",
    )
    least_contacts_per_second: Annotated[int, Field(ge=1)] = Field(
        default=40, description="So many contacts a second are compared however many events arrive."
    )
    settled_per_second: Annotated[int, Field(ge=1, le=5_000)] = Field(
        default=100,
        description="At most so many contacts a second are decided again since statistics have "
        "moved, when nothing arrives; one a second when as many events arrive, or more.",
    )
