"""What every vendor's adapter does: answer one question, or say what went wrong and how badly.

EnrichmentError           this lookup, or its moment: `failure` says which kind
SourceUnavailableError    the vendor refuses us, whatever we ask: pause it (shared.errors)
"""

from typing import Protocol

from services.enricher.domain.outcome import Failure, Match, NoMatch
from services.enricher.domain.question import Question
from shared.errors import ServiceError


class EnrichmentError(ServiceError):
    """One lookup led to no answer."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(type(failure).__name__)
        self.failure = failure


class Provider(Protocol):
    """A vendor that can be asked about a person."""

    @property
    def source(self) -> str:
        """Its row of `data_source`."""

    async def lookup(self, question: Question) -> Match | NoMatch:
        """Ask once: at most one request is sent, ever, and nothing is retried here.

        Raises `EnrichmentError` for this lookup, `SourceUnavailableError` for the whole vendor.
        """
