"""What the graph knows of contacts and companies: nodes, and where people work."""

from typing import Any

from services.indexer.domain.changes import Company, Contact


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
            for job in dict.fromkeys(state.employments)
            if job.company_id is not None
        ],
    }


def company_node(company: Company) -> dict[str, Any]:
    """Make a company's node."""
    created = company.created
    return {
        "id": created.company_id,
        "tenant": company.tenant,
        "version": created.version,
        "properties": {"name": created.name, "domain": created.domain},
    }
