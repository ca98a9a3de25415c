"""What work on imports needs, put together once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import orjson

from services.ingest.domain.accounting import Sources
from services.ingest.domain.defined import Definition
from services.ingest.domain.mapping import Origin, Rules
from services.ingest.settings import Settings
from services.ingest.sources.activity_files import ActivityTerms
from services.ingest.sources.reading import Terms
from services.ingest.sources.survey import Survey
from services.ingest.store.copies import CopiedUploads
from services.ingest.store.imports import ImportStore, Job
from services.ingest.store.resolver import Resolver
from services.ingest.store.vault import Vault
from shared.auth import Place
from shared.errors import TransientError
from shared.events.envelope import rfc3339
from shared.kafka.pace import Share
from shared.kafka.producer import Producer
from shared.observability import metrics

SOURCE: Final = "/kith/imports"
"""CloudEvents source of what imports send: part of its signals' ids."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What the steps of an import work with."""

    settings: Settings
    rules: Rules
    producer: Producer
    store: ImportStore
    uploads: CopiedUploads[Survey]
    resolver: Resolver
    share: Share
    """How much of the time reading a file takes while live signals flow."""
    vault: Vault
    """Seals what people wrote, where there are keys."""
    sources: Sources = field(default_factory=Sources)

    def count(self, source: str, verdict: str, rows: int) -> None:
        """Count rows of files, by the source that they come from."""
        if rows:
            label = self.sources.label(source)
            metrics.INGESTED_SIGNALS.labels(label, "file", verdict).inc(rows)


class LostError(TransientError):
    """Another worker has the import now."""


def name_of(import_id: str) -> str:
    """Name an import as its signals do."""
    return f"{SOURCE}#{import_id}"


def terms_of(job: Job, settings: Settings, definitions: Mapping[str, Definition]) -> Terms:
    """Return what holds for every row of an import; `definitions`: of its custom fields."""
    said = job.terms
    return Terms(
        _origin(job),
        said["source"],
        settings.max_file_rows,
        said.get("import_source"),
        said.get("region"),
        said.get("timezone", "UTC"),
        definitions,
    )


def activity_terms_of(job: Job, settings: Settings, own: Iterable[str]) -> ActivityTerms:
    """Return what holds for every entry of an import of activities, whenever it is read."""
    said = job.terms
    return ActivityTerms(
        origin=_origin(job),
        now=job.row["created_at"],
        layout=orjson.loads(job.row["reading"])["layout"],
        source=said.get("declared_source"),
        own=frozenset(own),
        region=said.get("region"),
        timezone=said.get("timezone", "UTC"),
        max_rows=settings.max_file_rows,
    )


def _origin(job: Job) -> Origin:
    at = rfc3339(job.row["created_at"])
    return Origin(
        signal_id=name_of(job.name),
        tenant=job.place.tenant,
        workspace=job.place.workspace,
        occurred_at=at,
        received_at=at,
        import_id=job.name,
    )


async def forget_read_file(tools: Tools, place: Place, number: int) -> None:
    """Forget the file of an import of activities that is over, unless some of it was rejected."""
    over = await tools.store.fetchrow(place, "is_file_over", number)
    if over is not None and over["is_over"]:
        await tools.uploads.delete(place, number)
        await tools.store.fetchrow(place, "note_file_forgotten", number)
