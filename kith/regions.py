"""`--region`: the country whose national phone numbers a labelled table has."""

from typing import Annotated

import phonenumbers
import typer


def known_region(text: str) -> str:
    """Read a country's code; raises `typer.BadParameter` where no country has it."""
    region = text.strip().upper()
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise typer.BadParameter(f"{text}: two letters of ISO 3166, such as DE")
    return region


Region = Annotated[
    str,
    typer.Option(
        help="Country of national phone numbers.", metavar="ISO 3166", callback=known_region
    ),
]
