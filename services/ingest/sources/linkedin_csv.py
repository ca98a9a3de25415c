"""LinkedIn's `Connections.csv` (product research 3.3).

The profile's address identifies a row.  Old exports have none; most rows have no e-mail; rows of
closed accounts are blank or hold nothing but a date.
"""

from datetime import date, datetime
from typing import BinaryIO, Final

from services.ingest.sources.row import BadRow, Blank, Row, Rows, compact
from services.ingest.sources.sniff import Sniffed
from services.ingest.sources.table import Cells, read_table
from shared.identifiers.linkedin import normalize_linkedin
from shared.identifiers.types import Refused

_DATES: Final = ("%d %b %Y", "%d-%b-%y", "%Y-%m-%d")
"""`12 Mar 2024`, in older exports `7-Feb-22`."""

_PERSON: Final = ("First Name", "Last Name", "URL", "Email Address")
_BAD_DATE: Final = "is not a date like 12 Mar 2024"


def read_linkedin(file: BinaryIO, sniffed: Sniffed) -> Rows:
    """Yield a row per connection."""
    for cells in read_table(file, sniffed):
        yield cells if isinstance(cells, BadRow | Blank) else _row(cells)


def _row(cells: Cells) -> Row | Blank:
    values = cells.values
    if not any(values.get(name) for name in _PERSON):
        return Blank(cells.line)
    left_out: list[tuple[str, str]] = []
    connected = values.get("Connected On")
    day = _day(connected) if connected else None
    if connected and day is None:
        left_out.append(("Connected On", _BAD_DATE))
    url, email = values.get("URL"), values.get("Email Address")
    job = compact({"company_name": values.get("Company"), "title": values.get("Position")})
    profile = normalize_linkedin(url) if url else None
    return Row(
        line=cells.line,
        record=compact(
            {
                "first_name": values.get("First Name"),
                "last_name": values.get("Last Name"),
                "linkedin_url": url,
                "emails": [{"value": email}] if email else [],
                "employments": [job] if job else [],
                "custom_fields": {"linkedin_connected_on": day.isoformat()} if day else {},
            }
        ),
        raw=dict(values),
        uid=None if profile is None or isinstance(profile, Refused) else profile.value,
        left_out=left_out,
        columns={"linkedin_url": "URL", "emails.0.value": "Email Address"},
    )


def _day(text: str) -> date | None:
    for form in _DATES:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007  # a day has no zone
        except ValueError:
            continue
    return None
