"""What an operator may turn about the indexer."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.kafka.settings import KafkaSettings
from shared.postgres.settings import PostgresSettings


class Neo4jSettings(BaseSettings):
    """The graph, from `NEO4J_…`; without a URI there is none, and the rest works."""

    model_config = SettingsConfigDict(env_prefix="NEO4J_", frozen=True, hide_input_in_errors=True)

    uri: str = Field(default="", description="bolt://… or neo4j+s://…; empty: no graph.")
    user: str = Field(default="neo4j", description="User name.")
    password: SecretStr = Field(default=SecretStr(""), description="Password.")
    database: str = Field(default="neo4j", description="Database; community edition has this one.")


class MeilisearchSettings(BaseSettings):
    """Meilisearch, from `MEILISEARCH_…`; without a URL search runs on PostgreSQL alone."""

    model_config = SettingsConfigDict(
        env_prefix="MEILISEARCH_", frozen=True, hide_input_in_errors=True
    )

    url: str = Field(default="", description="http(s)://host:port; empty: none.")
    api_key: SecretStr = Field(default=SecretStr(""), description="Key that may write documents.")
    index: str = Field(default="contacts", pattern="^[A-Za-z0-9_-]+$", description="Index uid.")


class Settings(BaseSettings):
    """Pace and places."""

    model_config = SettingsConfigDict(env_prefix="INDEXER_", frozen=True)

    linger_ms: int = Field(
        default=500,
        ge=0,
        le=30_000,
        description="At least so long from batch to batch: what changes twice is written once.",
    )
    documents_per_second: int = Field(
        default=2_000, ge=1, description="At most so many contacts a second, for each index."
    )
    busy_arrivals: int = Field(
        default=2_000,
        ge=0,
        description="Events a second that leave the indexes nothing but the least: each index may "
        "write so many contacts a second as arrivals stay below this, and catches up afterwards.",
    )
    yield_above_ms: int = Field(
        default=250,
        ge=0,
        description="While signals are older than this when the read model shows them, the indexes "
        "get nothing but the least.",
    )
    least_documents_per_second: int = Field(
        default=100,
        ge=1,
        description="So many contacts a second, for each index, however many events arrive.",
    )
    state: bool = Field(
        default=True,
        description="Whether `contact.state.v1` is written: every contact as it is, for systems "
        "that begin to listen. Costs as much as an index.",
    )
    batch_max_records: int = Field(
        default=500, ge=1, le=10_000, description="Events looked at at once, at most."
    )
    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    postgres: PostgresSettings = Field(default_factory=PostgresSettings)
    neo4j: Neo4jSettings = Field(default_factory=Neo4jSettings)
    meilisearch: MeilisearchSettings = Field(default_factory=MeilisearchSettings)
