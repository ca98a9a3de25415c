"""What somebody learned and can do: schools, skills, certificates, languages, each once."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any, Final, Protocol, get_args

from services.ingest.domain.draft import Draft
from shared.events.signal import ContactSignal, Proficiency
from shared.identifiers.names import clean_text

ENDS_EARLY: Final = "is before start_date; swap them or leave one out"
"""What is wrong with a period, and what would be right."""

_LEVELS: Final = frozenset(get_args(Proficiency))
_WORDS: Final = (
    ("native", "native"),
    ("bilingual", "native"),
    ("mother tongue", "native"),
    ("c2", "full_professional"),
    ("fluent", "full_professional"),
    ("full", "full_professional"),
    ("limited", "limited"),
    ("elementary", "elementary"),
    ("beginner", "elementary"),
    ("basic", "elementary"),
    ("a1", "elementary"),
    ("a2", "elementary"),
    ("b1", "limited"),
    ("intermediate", "limited"),
    ("conversational", "limited"),
    ("c1", "full_professional"),
    ("b2", "professional"),
    ("advanced", "professional"),
    ("working", "professional"),
    ("professional", "professional"),
)
"""Words for a proficiency, of LinkedIn and of the Common European Framework, the first that stands
in it counts: `Limited working proficiency` is limited."""

_NOT_WORDS: Final = re.compile(r"[\W_]+")


class _Dated(Protocol):
    @property
    def start_date(self) -> date | str | None: ...
    @property
    def end_date(self) -> date | str | None: ...


def add_background(draft: Draft, signal: ContactSignal) -> None:
    """Add what the signal says of it; what says nothing is left out, what repeats itself too."""
    draft.put("education", _once(_schools(draft, signal)))
    draft.put("skills", _skills(signal))
    draft.put("certifications", _once(_certificates(draft, signal)))
    draft.put("languages", _languages(draft, signal))


def proficiency_of(text: str) -> str | None:
    """Return the proficiency that a text means; None: no word in it is known for one."""
    words = f" {_NOT_WORDS.sub(' ', text.casefold()).strip()} "
    exact = words.strip().replace(" ", "_")
    if exact in _LEVELS:
        return exact
    return next((level for word, level in _WORDS if f" {word} " in words), None)


def _schools(draft: Draft, signal: ContactSignal) -> Iterable[dict[str, Any]]:
    for place, one in enumerate(signal.education):
        school = _texts(school=one.school, degree=one.degree, field_of_study=one.field_of_study)
        if school:
            yield school | _period(draft, f"education.{place}", one)


def _certificates(draft: Draft, signal: ContactSignal) -> Iterable[dict[str, Any]]:
    for place, one in enumerate(signal.certifications):
        said = _texts(name=one.name, authority=one.authority, license_number=one.license_number)
        if "name" in said:
            yield said | _period(draft, f"certifications.{place}", one)
        else:
            draft.reject(f"certifications.{place}.name", "is empty; say what the certificate is")


def _skills(signal: ContactSignal) -> list[dict[str, Any]]:
    """List skills by name, whatever its case; of several numbers of endorsements the largest."""
    found: dict[str, dict[str, Any]] = {}
    for one in signal.skills:
        name = clean_text(one.name)
        if name:
            skill = found.setdefault(name.casefold(), {"name": name})
            if one.endorsements > skill.get("endorsements", 0):
                skill["endorsements"] = one.endorsements
    return list(found.values())


def _languages(draft: Draft, signal: ContactSignal) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for place, one in enumerate(signal.languages):
        name = clean_text(one.language)
        if not name:
            continue
        language = found.setdefault(name.casefold(), {"language": name})
        if one.proficiency and (text := clean_text(one.proficiency)):
            level = proficiency_of(text)
            if level is None:
                levels = ", ".join(get_args(Proficiency))
                draft.reject(f"languages.{place}.proficiency", f"is no proficiency; say {levels}")
            else:
                language.setdefault("proficiency", level)
    return list(found.values())


def _texts(**given: str | None) -> dict[str, Any]:
    cleaned = {name: clean_text(text) for name, text in given.items() if text}
    return {name: text for name, text in cleaned.items() if text}


def _period(draft: Draft, path: str, one: _Dated) -> dict[str, Any]:
    """Keep the days, unless the last comes before the first."""
    start, end = one.start_date, one.end_date
    if start and end and str(end) < str(start):
        draft.reject(f"{path}.end_date", ENDS_EARLY)
        end = None
    days = {"start_date": start, "end_date": end}
    return {name: day for name, day in days.items() if day}


def _once(said: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    for one in said:
        if one not in kept:
            kept.append(one)
    return kept
