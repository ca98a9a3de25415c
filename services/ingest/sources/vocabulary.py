"""The vocabulary of headers, read from the data files beside this module."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Final

from services.ingest.domain.columns import target_of
from services.ingest.domain.vocabulary import (
    NUMBER,
    Beside,
    Language,
    Layout,
    Table,
    Vocabulary,
    key_of,
)

_ORDER: Final = (
    "kith",
    "google",
    "linkedin",
    "apollo",
    "zoho",
    "thunderbird",
    "outlook",
    "hubspot",
    "salesforce",
    "imazing",
)
"""The files of layouts, the more telling first: the first that fits is taken."""

_LIKELY: Final = ("de", "fr", "es", "pt", "it", "nl", "ja", "zh", "ru", "pl")
"""Languages that are taken first where a header is of several: neighbours share many words."""

_MARKS = re.compile("[\u0300-\u036f]")
"""What Latin letters wear: acute, cedilla, tilde …"""


@cache
def vocabulary() -> Vocabulary:
    """Load layouts, aliases and languages, once."""
    data = resources.files(__package__).joinpath("data")
    layouts = tuple(
        layout
        for name in _ORDER
        for layout in _layouts(_read(data.joinpath("layouts", f"{name}.toml")))
    )
    general = _read(data.joinpath("aliases.toml"))
    aliases = _table(general["columns"])
    fallback = {key_of(name): tuple(targets) for name, targets in general["fallback"].items()}
    files = sorted(data.joinpath("languages").iterdir(), key=lambda file: _likelihood(file.name))
    languages = tuple(
        _language(file.name.removesuffix(".toml"), _read(file))
        for file in files
        if file.name.endswith(".toml")
    )
    english = frozenset(fallback).union(
        aliases.keys(),
        *(layout.columns.keys() for layout in layouts),
        *(language.names.values() for language in languages),
    )
    words = general["words"]
    said = [level for language in languages for level in language.levels.items()]
    levels = dict(sorted(said, key=lambda level: -len(level[0])))
    places = {word: label for label, said in words["places"].items() for word in said}
    named = _read(data.joinpath("countries.toml"))
    countries = {name.casefold(): code for code, names in named.items() for name in names}
    return Vocabulary(
        layouts,
        aliases,
        fallback,
        languages,
        owners=frozenset(words["owners"]),
        places=places,
        totals=_keys(words["totals"]),
        forms_of_address=_keys(words["forms_of_address"]),
        roles=_keys(words["roles"]),
        countries={**countries, **{code.casefold(): code for code in named}},
        levels=levels,
        english=english,
    )


def _likelihood(name: str) -> tuple[int, str]:
    code = name.removesuffix(".toml")
    return (_LIKELY.index(code) if code in _LIKELY else len(_LIKELY)), name


def _read(file: Traversable) -> dict[str, Any]:
    return tomllib.loads(file.read_text("utf-8"))


def _table(columns: Mapping[str, str]) -> Table:
    for target in columns.values():
        target_of(target.replace(NUMBER, "1"))
    return Table({key_of(name): target for name, target in columns.items()})


def _keys(names: list[str]) -> frozenset[str]:
    return frozenset(map(key_of, names))


def _layouts(document: dict[str, Any]) -> list[Layout]:
    columns = _table(document["columns"])
    return [
        Layout(
            name=part["name"],
            title=part["title"],
            all=_keys(part["all"]),
            any=_keys(part.get("any", [])),
            none=_keys(part.get("none", [])),
            columns=columns,
            least=part.get("least", 1),
            labels=part["labels"],
            record_id=part.get("record_id", ""),
            record_id_characters=part.get("record_id_characters", 0),
            record_id_form=re.compile(form) if (form := part.get("record_id_form")) else None,
            nobody=_keys(part.get("nobody", [])),
            unset=frozenset(map(str.casefold, part.get("unset", []))),
            custom=part.get("custom", ""),
            phone_in_notes=part.get("phone_in_notes", False),
        )
        for part in document["layout"]
    ]


def _english(words: Mapping[str, str]) -> dict[str, str]:
    """Read a language's names, also as they are typed without its marks: `prenom`, `direccion`."""
    found = {key_of(name): key_of(english) for name, english in words.items()}
    for name, english in words.items():
        found.setdefault(key_of(_unmarked(name)), key_of(english))
    return found


def _unmarked(name: str) -> str:
    return _MARKS.sub("", unicodedata.normalize("NFD", name))


def _language(code: str, document: dict[str, Any]) -> Language:
    numbered = document.get("numbered", {})
    return Language(
        code=code,
        days=document["days"],
        names=_english(document["names"]),
        repeated={
            key_of(name): tuple(map(key_of, english))
            for name, english in document.get("repeated", {}).items()
        },
        beside={
            key_of(name): Beside(key_of(rule["when"]), key_of(rule["name"]))
            for name, rule in document.get("beside", {}).items()
        },
        otherwise={
            key_of(name): Beside(key_of(rule["unless"]), key_of(rule["name"]))
            for name, rule in document.get("otherwise", {}).items()
        },
        of_several=_english(numbered.get("what", {})),
        part_of_one=_english(numbered.get("part", {})),
        alone=_keys(document.get("alone", [])),
        family_first=document.get("family_first", False),
        joined_names=document.get("joined_names", False),
        number_last=document.get("number_last", False),
        around={
            key_of(word): english
            for english, words in document.get("around", {}).items()
            for word in words
        },
        levels={
            key_of(word): level
            for level, words in document.get("levels", {}).items()
            for word in words
        },
        legacy=document.get("legacy", ""),
        region=document.get("region", ""),
    )
