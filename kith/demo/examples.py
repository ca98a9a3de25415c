"""A few contacts that show where each value came from."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

import httpx

from kith.demo.ledger import Home, Ledger, SourceRecord
from kith.demo.report import Example, Value
from kith.demo.web import get_contact
from kith.stack import Fleet

NUMBER: Final = 3
LOOKED_AT: Final = 60
"""Contacts among which the most telling ones are chosen."""
FAVOURED: Final = ("csv_upload", "vcard_upload")
"""Sources of the sample files: what a newcomer can open beside the report."""


async def choose_examples(
    client: httpx.AsyncClient, fleet: Fleet, token: str, ledger: Ledger, home: Home
) -> tuple[Example, ...]:
    """Choose contacts that several sources speak of, and read them as the api shows them."""
    contacts = await ledger.find_examples(home, FAVOURED, LOOKED_AT)
    records: dict[str, list[SourceRecord]] = defaultdict(list)
    for record in await ledger.find_sources(home, contacts):
        records[record.contact].append(record)
    examples = [
        tell_example(
            await get_contact(client, fleet, token, contact),
            {record.record_key: record for record in records[contact]},
        )
        for contact in contacts
    ]
    return tuple(sorted(examples, key=_mixture, reverse=True)[:NUMBER])


def tell_example(resource: Mapping[str, Any], records: Mapping[str, SourceRecord]) -> Example:
    """Pair each value of a contact with the record it came from."""
    attributes, meta = resource["attributes"], resource["meta"]
    values = [
        Value(
            field=name,
            value=str(attributes[name]),
            source=origin["source"],
            record=_name(records.get(origin["source_record"])),
        )
        for name, origin in meta["provenance"].items()
        if attributes.get(name) is not None
    ]
    return Example(
        id=resource["id"],
        sources=tuple(dict.fromkeys(record.source for record in records.values())),
        possible_duplicates=len(meta["possible_duplicates"]),
        values=tuple(values),
    )


def _mixture(example: Example) -> int:
    """Count the records that its visible values come from: the more, the more it shows."""
    return len({(value.source, value.record) for value in example.values})


def _name(record: SourceRecord | None) -> str:
    """Name a record as its source does; rows of files often have no id."""
    if record is None:
        return "an earlier version"
    return f"record {record.record_id}" if record.record_id else "a row without an id"
