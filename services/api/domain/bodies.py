"""What bodies of requests have in common."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Takes what it knows and nothing else; errors do not repeat values, which may be personal."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
