"""The parameters of each endpoint for OpenAPI, and a page that shows them without any script."""

import html
from collections.abc import Iterable
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from services.api.domain.activities import ACTIVITY_FILTERS
from services.api.domain.companies import COMPANY_FILTERS
from services.api.domain.company_documents import COMPANY_ATTRIBUTES
from services.api.domain.contacts import ROOT
from services.api.domain.documents import CONTACT_ATTRIBUTES, CONTACT_RELATIONSHIPS
from services.api.domain.listing import FILTERS, INCLUDES, SORT_FIELDS
from services.api.domain.paging import DEFAULT_SIZE, MAX_SIZE
from services.api.domain.position import DEFAULT_WAIT_SECONDS, MAX_WAIT_SECONDS, POSITION_HEADER

_DESCRIPTIONS: Final = {
    "page[size]": f"Rows of a page, 1 to {MAX_SIZE}; default {DEFAULT_SIZE}.",
    "page[after]": "The page after this cursor (alias: page[cursor]).",
    "page[before]": "The page before this cursor.",
    "sort": f"Up to three of {', '.join(SORT_FIELDS)}; `-` descends. Default: -id, newest first.",
    "include": f"Related resources to include: {', '.join(INCLUDES)}.",
    "fields[contacts]": "Show only these: "
    f"{', '.join((*CONTACT_ATTRIBUTES, *CONTACT_RELATIONSHIPS))}.",
    "fields[contact_identifiers]": "Show only these of each identifier.",
    "format": "csv (the default), xlsx, vcard (4.0), vcard3 (3.0), json; `Accept` may say it.",
    "filter[id]": "Only these contacts; several by comma (alias: ids).",
    "at": "ISO 8601: show the contact as kith knew it at this moment.",
    "filter[state]": "What became of a pair: open (the default), approved, rejected, retired, "
    "auto_merged.",
    "filter[tier]": "exact, high, medium, low, none: how strong the evidence is.",
    "filter[least_score]": "Pairs scored at least this, 0 to 1.",
    "filter[contact]": "Pairs of this contact.",
    "filter[name]": "Of this name, whole.",
    "waitFor": "A position that a write answered: wait until it can be read.",
    "fields[companies]": f"Show only these of each company: {', '.join(COMPANY_ATTRIBUTES)}.",
    **{
        f"filter[{name}]": text
        for name, text in {**COMPANY_FILTERS, **ACTIVITY_FILTERS, **FILTERS}.items()
    },
}

_HEADERS: Final = {
    POSITION_HEADER: "A position that a write answered: wait until it can be read.",
    "Prefer": f"`wait=N`: how many seconds to wait for the position, {DEFAULT_WAIT_SECONDS:g} "
    f"by default, {MAX_WAIT_SECONDS:g} at most (RFC 7240).",
}

_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}
code{{background:#f0f0f0;padding:.1em .3em}}td{{vertical-align:top;padding:.2em 1em .2em 0}}</style>
<h1>{title}</h1><p>{about}</p><p><a href="{root}/openapi.json">OpenAPI document</a></p>
{body}</html>"""

router = APIRouter(prefix=ROOT, include_in_schema=False)


def documented(names: Iterable[str], *, required: str = "") -> dict[str, Any]:
    """Describe query parameters, and the headers that every read takes."""
    query = [_parameter("query", name, _DESCRIPTIONS[name], name == required) for name in names]
    headers = [_parameter("header", name, text, False) for name, text in _HEADERS.items()]
    return {
        "parameters": [*sorted(query, key=lambda one: str(one["name"])), *headers],
        "security": [{"apiKey": []}],
    }


@router.get("/docs")
async def show_docs(request: Request) -> HTMLResponse:
    """Show what there is to ask, as one page of plain HTML."""
    document = request.app.openapi()
    text = _PAGE.format(
        title=html.escape(document["info"]["title"]),
        about=html.escape(document["info"]["description"]),
        root=ROOT,
        body="".join(
            _operation(method, path, operation)
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
        ),
    )
    return HTMLResponse(text, headers={"Content-Security-Policy": _POLICY})


_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{html.escape(one['name'])}</code></td>"
        f"<td>{html.escape(one.get('description', ''))}</td></tr>"
        for one in operation.get("parameters", ())
    )
    about = html.escape(operation.get("description", ""))
    return (
        f"<h2><code>{method.upper()} {html.escape(path)}</code></h2>"
        f"<p>{about}</p><table>{rows}</table>"
    )


def _parameter(place: str, name: str, description: str, required: bool) -> dict[str, Any]:
    return {
        "in": place,
        "name": name,
        "description": description,
        "required": required,
        "schema": {"type": "string"},
    }
