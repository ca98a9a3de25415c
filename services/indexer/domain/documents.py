"""What search knows of a contact, as rows and as documents."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.events.fold import ContactState


@dataclass(frozen=True, slots=True)
class Document:
    """A contact as one workspace finds it."""

    contact_id: str
    workspace: str
    version: int
    status: str
    name: str
    work: str
    """Headline, titles and employers."""
    rest: str
    """Place, labels, other identifiers."""
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    fields: Mapping[str, str]


def documents(state: ContactState) -> Iterator[Document]:
    """Make a contact's documents, one for each workspace that knows it, with its labels only.

    An absorbed contact has none: its survivor is found. Nor has a deleted one.
    """
    if state.status in {"merged", "deleted"}:
        return
    fields = state.fields
    names = ("display_name", "first_name", "last_name")
    work = [fields.get(name) for name in ("headline", "job_title", "department", "company_name")]
    for job in state.employments:
        work += [job.title, job.company_name]
    other = [one.value for one in state.identifiers if one.type not in {"email", "phone_e164"}]
    place = [fields.get(name) for name in ("city", "state", "country")]
    for workspace, binding in state.bindings.items():
        yield Document(
            contact_id=state.contact_id,
            workspace=workspace,
            version=state.version,
            status=state.status,
            name=_line(*(fields.get(name) for name in names)),
            work=_line(*work),
            rest=_line(*place, *other, *binding.labels),
            emails=_values(state, "email", "email_primary"),
            phones=_values(state, "phone_e164", "phone_primary"),
            fields=fields,
        )


def _line(*parts: str | None) -> str:
    """Join what is there, each word once: a name said twice is found no better."""
    words = " ".join(part for part in parts if part).split()
    return " ".join(dict.fromkeys(words))


def _values(state: ContactState, kind: str, primary: str) -> tuple[str, ...]:
    found = [one.value for one in state.identifiers if one.type == kind]
    if primary in state.fields:
        found.append(state.fields[primary])
    return tuple(dict.fromkeys(value.lower() for value in found))
