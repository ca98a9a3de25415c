"""Contacts of HubSpot (CRM v3 objects) and Salesforce (sObject `Contact`, REST queries)."""

from typing import Any, Final

from services.ingest.domain.days import read_iso_day
from services.ingest.sources.api.parts import (
    MAX_NOTES,
    ApiPerson,
    line,
    moment,
    part,
    points,
    said,
    several,
    text,
)

HUBSPOT_PROPERTIES: Final = (
    "firstname",
    "lastname",
    "salutation",
    "email",
    "work_email",
    "hs_additional_emails",
    "phone",
    "mobilephone",
    "company",
    "jobtitle",
    "website",
    "hs_linkedin_url",
    "address",
    "city",
    "state",
    "zip",
    "country",
    "date_of_birth",
    "lifecyclestage",
    "hs_lead_status",
    "lastmodifieddate",
)
"""What is asked for: an answer holds no property that was not named."""

SALESFORCE_FIELDS: Final = (
    "Id",
    "IsDeleted",
    "Salutation",
    "FirstName",
    "LastName",
    "Name",
    "Email",
    "Phone",
    "MobilePhone",
    "HomePhone",
    "OtherPhone",
    "Title",
    "Department",
    "Account.Name",
    "Account.Website",
    "MailingStreet",
    "MailingCity",
    "MailingState",
    "MailingPostalCode",
    "MailingCountry",
    "OtherStreet",
    "OtherCity",
    "OtherState",
    "OtherPostalCode",
    "OtherCountry",
    "Birthdate",
    "Description",
    "LeadSource",
    "SystemModstamp",
)
"""Standard fields that every organisation has."""


def read_hubspot(resource: dict[str, Any], account: int) -> ApiPerson | None:
    """Read a contact of a HubSpot account (its portal id); None: it has no id."""
    number = text(resource.get("id"), 64)
    if number is None:
        return None
    record_id = f"{account}/{number}"
    if resource.get("archived") is True:
        return ApiPerson(record_id, None)
    found = part(resource.get("properties"))

    def said_of(name: str) -> str | None:
        return text(found.get(name))

    more = (said_of("hs_additional_emails") or "").split(";")
    signal = {
        "source_record_id": record_id,
        "first_name": said_of("firstname"),
        "last_name": said_of("lastname"),
        "name_prefix": said_of("salutation"),
        "emails": points(
            [
                (said_of("email"), None, True),
                (said_of("work_email"), "work", False),
                *((text(one), None, False) for one in more),
            ]
        ),
        "phones": points(
            [(said_of("phone"), None, True), (said_of("mobilephone"), "mobile", False)]
        ),
        "linkedin_url": said_of("hs_linkedin_url"),
        "employments": several(
            [{"company_name": said_of("company"), "title": said_of("jobtitle")}]
        ),
        "websites": [site] if (site := said_of("website")) else [],
        "addresses": several(
            [
                {
                    "street": said_of("address"),
                    "city": said_of("city"),
                    "state": said_of("state"),
                    "postal_code": said_of("zip"),
                    "country": said_of("country"),
                }
            ]
        ),
        "birthday": read_iso_day(said_of("date_of_birth") or ""),
        "custom_fields": said(
            {
                "Lifecycle stage": said_of("lifecyclestage"),
                "Lead status": said_of("hs_lead_status"),
            }
        ),
    }
    changed = moment(resource.get("updatedAt")) or moment(found.get("lastmodifieddate"))
    return ApiPerson(record_id, said(signal), changed)


def read_salesforce(resource: dict[str, Any]) -> ApiPerson | None:
    """Read a Salesforce contact; None: it has no id."""
    record_id = text(resource.get("Id"))
    if record_id is None:
        return None
    if resource.get("IsDeleted") is True:
        return ApiPerson(record_id, None)

    def said_of(name: str) -> str | None:
        return text(resource.get(name))

    account = part(resource.get("Account"))
    signal = {
        "source_record_id": record_id,
        "full_name": said_of("Name"),
        "first_name": said_of("FirstName"),
        "last_name": said_of("LastName"),
        "name_prefix": said_of("Salutation"),
        "emails": points([(said_of("Email"), "work", True)]),
        "phones": points(
            [
                (said_of("Phone"), "work", True),
                (said_of("MobilePhone"), "mobile", False),
                (said_of("HomePhone"), "home", False),
                (said_of("OtherPhone"), "other", False),
            ]
        ),
        "employments": several(
            [
                {
                    "company_name": text(account.get("Name")),
                    "company_domain": text(account.get("Website")),
                    "title": said_of("Title"),
                    "department": said_of("Department"),
                }
            ]
        ),
        "addresses": several(_salesforce_address(resource, kind) for kind in ("Mailing", "Other")),
        "birthday": read_iso_day(said_of("Birthdate") or ""),
        "notes": text(resource.get("Description"), MAX_NOTES),
        "custom_fields": said({"Lead source": said_of("LeadSource")}),
    }
    return ApiPerson(record_id, said(signal), moment(resource.get("SystemModstamp")))


def _salesforce_address(resource: dict[str, Any], kind: str) -> dict[str, Any]:
    found = said(
        {
            "street": line(resource.get(f"{kind}Street")),
            "city": text(resource.get(f"{kind}City")),
            "state": text(resource.get(f"{kind}State")),
            "postal_code": text(resource.get(f"{kind}PostalCode")),
            "country": text(resource.get(f"{kind}Country")),
        }
    )
    return {**found, "label": kind.lower()} if found else {}
