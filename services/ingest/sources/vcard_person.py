"""Who a card is about: names, jobs, birthday, notes, labels."""

import re
from collections.abc import Mapping
from typing import Final

from services.ingest.sources.row import compact, read_birthday
from services.ingest.sources.vcard_gathered import (
    MAX_NOTE,
    MAX_SHORT,
    Gathered,
    preference_of,
    text_of,
)
from services.ingest.sources.vcard_property import Property, fields_of, items_of, parts_of

_NAME_PARTS: Final = ("last_name", "first_name", "middle_name", "name_prefix", "name_suffix")
"""The parts of `N`, in their order."""

_NICKNAMES: Final = ("NICKNAME", "X-NICKNAME", "X-EPOCSECONDNAME")
_LIST_COMMA = re.compile(r"(?<!\\),(?=\S)")
"""A comma between several given names; one that is part of a text has a space after it."""

_BARE = re.compile(r"[+\d\s().\-/]+")
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?=$|[T ])")
_PARTIAL = re.compile(r"\d{4}(?:-?\d{2})?|---?\d{2}-?")

_JOB: Final = {
    "X-KITH-JOB-DOMAIN": "company_domain",
    "X-KITH-JOB-SENIORITY": "seniority",
    "X-KITH-JOB-START": "start_date",
    "X-KITH-JOB-END": "end_date",
    "X-KITH-JOB-CURRENT": "is_current",
}
"""What our own exports say of a job besides, in the group of its company."""

_BAD_BIRTHDAY: Final = "is not a date like 1815-12-10, or --12-10"
_EVERYONE: Final = frozenset({"mycontacts", "my contacts"})
"""Google's group that every contact is in: it says nothing."""


def has_personal_name(found: Gathered) -> bool:
    """Tell whether a card names a family or given name."""
    return any(any(parts_of(one.value)[:2]) for one in found.by_name.get("N", ()))


def add_names(found: Gathered) -> None:
    """Add the names; a full name that repeats a number, an address or the company is none."""
    full_names = found.take("FN")
    best = found.best(full_names)
    structured = found.best(found.take("N"))
    parts = _name_parts(structured) if structured is not None else []
    if len(parts) == 1:  # no semicolon at all: a whole name in the family name's place
        found.put("full_name", text_of(best) if best else parts[0], "N")
    else:
        for path, part in zip(_NAME_PARTS, parts, strict=False):
            found.put(path, part, "N")
        if best is not None and not _repeats(found, text_of(best)):
            found.put("full_name", text_of(best), "FN")
    for one in full_names:
        if one is not best:
            found.keep("other_name", text_of(one), "FN")
    nicknames = [name for one in found.take(*_NICKNAMES) for name in items_of(one.value)]
    if nicknames:
        found.put("nickname", nicknames[0], "NICKNAME")
        for name in nicknames[1:]:
            found.keep("other_nickname", name, "NICKNAME")


def _name_parts(one: Property) -> list[str]:
    value = _LIST_COMMA.sub(" ", one.value) if "," in one.value else one.value
    return fields_of(value)[: len(_NAME_PARTS)]


def _repeats(found: Gathered, name: str) -> bool:
    """Tell whether a full name says only what the card says elsewhere."""
    if "@" in name:
        return any(
            name.casefold() == text_of(one).casefold() for one in found.by_name.get("EMAIL", ())
        )
    if _BARE.fullmatch(name):
        return True
    return any(name == parts_of(one.value)[0] for one in found.by_name.get("ORG", ()))


def add_employments(found: Gathered) -> None:
    """Add the jobs: a company and a title belong together by group, else by their order."""
    companies = _without_alternatives(found.take("ORG"))
    titles = _without_alternatives(found.take("TITLE"))
    roles = _without_alternatives(found.take("ROLE"))
    if not titles:
        titles, roles = roles, []
    groups = {company.head.group for company in companies} - {""}
    own = {one.head.group: one for one in reversed(titles) if one.head.group in groups}
    others = iter([one for one in titles if own.get(one.head.group) is not one])
    besides = _besides(found)
    for company in companies:
        title = own.pop(company.head.group, None) or next(others, None)
        _add_job(found, company, title, besides.get(company.head.group))
    for title in others:
        _add_job(found, None, title)
    for role in roles:
        found.keep("role", text_of(role), "ROLE")


def _besides(found: Gathered) -> dict[str, dict[str, str | bool]]:
    """Return group → what else is said of the job."""
    besides: dict[str, dict[str, str | bool]] = {}
    for one in found.take(*_JOB):
        part, text = _JOB[one.head.name], text_of(one)
        day = read_date(one) if part.endswith("_date") else text
        if day is not None and not day.startswith("--"):
            said = text.lower() != "no" if part == "is_current" else day
            besides.setdefault(one.head.group, {})[part] = said
    return besides


def _add_job(
    found: Gathered,
    company: Property | None,
    title: Property | None,
    besides: Mapping[str, str | bool] | None = None,
) -> None:
    name, *units = parts_of(company.value) if company is not None else [""]
    job = compact(
        {
            "company_name": found.fitted(name, "ORG"),
            "department": found.fitted(", ".join(unit for unit in units if unit), "ORG"),
            "title": found.fitted(text_of(title), "TITLE") if title is not None else None,
            **(besides or {}),
        }
    )
    if job:
        found.append("employments", job, "ORG" if company is not None else "TITLE")


def _without_alternatives(found: list[Property]) -> list[Property]:
    """Of several spellings of one value (`ALTID`, RFC 6350 5.4) keep the most wanted."""
    chosen: dict[str, Property] = {}
    for place, one in enumerate(found):
        key = one.head.parameters.get("ALTID") or f"\0{place}"
        if key not in chosen or preference_of(one) < preference_of(chosen[key]):
            chosen[key] = one
    return list(chosen.values())


def read_date(one: Property) -> str | None:
    """Read a day, `1815-12-10`, or `--12-10` where the year is not known."""
    text = text_of(one)
    if match := _DAY_FIRST.fullmatch(text):
        text = f"{match[3]}-{match[2]:0>2}-{match[1]:0>2}"
    elif match := _YEAR_FIRST.match(text):
        text = f"{match[1]}-{match[2]:0>2}-{match[3]:0>2}"
    day = read_birthday(text)
    omitted = one.head.parameters.get("X-APPLE-OMIT-YEAR")
    if day is not None and omitted and day.startswith(omitted):
        return f"-{day[len(omitted) :]}"
    return day


def add_birthday(found: Gathered) -> None:
    """Add the birthday, the first that is a day; less than a day is kept as it is said."""
    for one in sorted(found.take("BDAY", "X-EVOLUTION-BIRTHDAY"), key=preference_of):
        parameters = one.head.parameters
        day = read_date(one)
        if parameters.get("CALSCALE", "gregorian").lower() != "gregorian":
            found.keep("birthday_other_calendar", text_of(one), "BDAY")
        elif day is not None:
            found.put("birthday", day, "BDAY")
        elif parameters.get("VALUE", "").lower() == "text" or _PARTIAL.fullmatch(text_of(one)):
            found.keep("birthday", text_of(one), "BDAY")
        else:
            found.note("BDAY", _BAD_BIRTHDAY)


def add_notes(found: Gathered) -> None:
    """Add the notes, as one."""
    notes = [text_of(one) for one in found.take("NOTE")]
    if any(notes):
        whole = "\n\n".join(note for note in notes if note)
        found.record["notes"] = found.fitted(whole, "NOTE", MAX_NOTE)


def add_labels(found: Gathered, groups: list[str]) -> None:
    """Add categories, and the groups of the file that the card is a member of."""
    names = [
        name
        for one in found.take("CATEGORIES", "X-CATEGORIES", "X-GROUP-MEMBERSHIP")
        for name in items_of(one.value)
    ]
    for name in dict.fromkeys((*names, *groups)):
        if len(name) > MAX_SHORT:
            found.keep_long(name, "CATEGORIES")
        elif name and name.lower() not in _EVERYONE:
            found.append("labels", name, "CATEGORIES")
