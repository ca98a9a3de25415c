"""What the graph knows of contacts and companies: nodes, and where people work."""

from typing import Any, Final, get_args

from services.indexer.domain.changes import Company, Contact
from shared.events.contact import CompanyCreated, CompanyRelationKind
from shared.events.jobs import stints


def contact_node(contact: Contact) -> dict[str, Any]:
    """Make a contact's node and its WORKS_AT edges, one per job at a company we know."""
    state = contact.state
    return {
        "id": state.contact_id,
        "tenant": contact.tenant,
        "version": state.version,
        "properties": {
            "status": state.status,
            "display_name": state.fields.get("display_name"),
            "company_name": state.fields.get("company_name"),
        },
        "jobs": [
            {
                "company": job.company_id,
                "role": job.title,
                "department": job.department,
                "since": job.start_date,
                "until": job.end_date,
                "is_current": job.is_current,
                "source": state.source,
            }
            for job in stints(dict.fromkeys(state.employments))
            if job.company_id is not None
        ],
    }


def company_node(company: Company) -> dict[str, Any]:
    """Make a company's node, with its edges: whom it stands behind, and what it is of others."""
    told = company.told
    shape = None if isinstance(told, CompanyCreated) else told.shape
    named = told if isinstance(told, CompanyCreated) else told.shape
    edges = [
        {
            "kind": f"{one.kind.upper()}_OF",
            "company": one.to_id,
            "since": one.since,
            "until": one.until,
        }
        for one in (shape.relations if shape else ())
        if one.from_id == told.company_id
    ]
    if shape is not None and shape.survivor_id is not None:
        edges.append(
            {"kind": MERGED_INTO, "company": shape.survivor_id, "since": None, "until": None}
        )
    return {
        "id": told.company_id,
        "tenant": company.tenant,
        "version": told.version,
        "properties": {
            "name": named.name,
            "domain": named.domain,
            "industry": shape.profile.industry if shape and shape.profile else None,
        },
        "edges": edges,
    }


MERGED_INTO: Final = "MERGED_INTO"
"""From an absorbed company to its survivor: who works at the one works at the other."""

COMPANY_EDGES: Final = (
    MERGED_INTO,
    *(f"{kind.upper()}_OF" for kind in get_args(CompanyRelationKind)),
)
"""Every kind of edge between companies."""
