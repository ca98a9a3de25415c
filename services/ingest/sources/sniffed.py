"""How a file is to be read, once it has been looked into."""

from dataclasses import dataclass
from typing import Any, Final

from services.ingest.domain.columns import ColumnMapping
from services.ingest.domain.vocabulary import DayOrder

VCARD: Final = "vcard"
"""The layout of files of cards."""

JCARD: Final = "jcard"
"""The layout of cards as JSON."""

SIGNALS: Final = "signals"
"""The layout of signals as JSON, kith's own export among them."""

LDIF: Final = "ldif"
"""The layout of entries of a directory or an address book."""

PHONE_BOOK: Final = "phone-book"
"""The layout of a telephone's or router's phone book in XML."""

LOG: Final = "call-log"
"""The layout of a table of calls or messages."""

OBJECTS: Final = "json"
"""The layout of people as objects whose names are columns."""


@dataclass(frozen=True, slots=True)
class Sniffed:
    """How a file is to be read."""

    layout: str
    encoding: str
    assumed: bool
    """Nothing in the file says its encoding, and it is not UTF-8."""
    delimiter: str = ","
    header_line: int = 1
    """The line that names the columns, from 1; 0: the table has none."""
    header_lines: int = 1
    """How many lines it takes."""
    sheet: str = ""
    """The sheet of a workbook."""
    starts: tuple[int, ...] = ()
    """Where columns of fixed width begin, in characters; empty: a sign parts the cells."""
    mapping: ColumnMapping | None = None
    """What the columns of a table mean; None: it is no table."""
    days: DayOrder = "mdy"
    """The order of the numbers of dates."""
    days_assumed: bool = False
    """No date in the first rows shows the order; it is the header's language's."""
    has_groups: bool = True
    """A card of the file may be a group's, which is then looked for before the first is read."""
    region: str = ""
    """Where its national numbers seem to be dialled (ISO 3166); empty: nothing shows it."""

    @property
    def has_header(self) -> bool:
        """Tell whether a line names the columns; else they were guessed by their cells."""
        return self.header_line > 0

    @property
    def is_json(self) -> bool:
        """Tell whether its rows are items of JSON, which have a number rather than a line."""
        return self.layout in (JCARD, SIGNALS, OBJECTS)

    @property
    def is_table(self) -> bool:
        """Tell whether its rows are lines whose cells a sign parts."""
        is_parted = not (self.sheet or self.starts or self.is_json)
        return is_parted and self.layout not in (LDIF, PHONE_BOOK)

    def told(self) -> dict[str, Any]:
        """Return how the file is read, as `services.ingest.domain.imports.Reading`."""
        told = {
            "layout": self.layout,
            "encoding": self.encoding,
            "encoding_assumed": self.assumed,
        }
        if self.mapping is None:
            return {**told, "phone_region": self.region}
        return {
            **told,
            "delimiter": self.delimiter if self.is_table else "",
            "sheet": self.sheet,
            "header_line": self.header_line,
            "language": self.mapping.language,
            "date_order": self.days,
            "date_order_assumed": self.days_assumed,
            "phone_region": self.region,
            "columns": self.mapping.told(),
        }
