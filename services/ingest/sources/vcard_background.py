"""What a card says of languages (`LANG`, RFC 6350) and skills (`EXPERTISE`, RFC 6715)."""

from typing import Final

from services.ingest.sources.vcard_gathered import Gathered, preference_of, text_of

_LANGUAGES: Final = ("LANG", "X-LANGUAGE", "X-LANGUAGES")
_SKILLS: Final = ("EXPERTISE", "X-EXPERTISE", "X-SKILL", "X-SKILLS")


def add_background(found: Gathered) -> None:
    """Add languages, the most wanted first, and skills; how well is not said in `Proficiency`."""
    for one in sorted(found.take(*_LANGUAGES), key=preference_of):
        for name in _names(text_of(one)):
            found.append("languages", {"language": found.fitted(name, "LANG")}, "LANG")
    for one in sorted(found.take(*_SKILLS), key=preference_of):
        for name in _names(text_of(one)):
            found.append("skills", {"name": found.fitted(name, "EXPERTISE")}, "EXPERTISE")


def _names(text: str) -> list[str]:
    return [name for name in (part.strip() for part in text.split(",")) if name]
