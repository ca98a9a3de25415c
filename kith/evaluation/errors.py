"""What keeps a file from being evaluated."""

from shared.errors import ServiceError


class EvaluationError(ServiceError):
    """The file or the wish cannot be used: the message says what would be right."""
