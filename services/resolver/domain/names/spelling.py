"""Spellings of one sound: what transliterations and languages write differently."""

import re
from functools import lru_cache

_RULES: tuple[tuple[str, str], ...] = (
    # Endings first: a family name of a woman and of a man are one family's.
    (r"(?:sk|tsk|ck)(?:aya|aia|aja|ay|oy|oi|oj|ii|iy|ij|yi|yy|yj|a|y|i)$", "ski"),
    (r"(?<=[aeiouy][nv])a$", ""),
    (r"(?<=[bdglmnpstvz][eo]v)a$", ""),
    (r"(?:ov|ev|of|ef|off|eff|ow|ew)$", "ov"),
    (r"ova$", "ov"),
    (r"(?:opulou|opoulou|opulos|opoulos|opoylos|opoyloy)$", "opulos"),
    (r"(?<=.{3})(?:iy|ij|yy|yi|ii|ey|ie|ee|y|i)$", "i"),
    # Slavic and its German, French and English spellings.
    (r"shch|schtsch|chtch|szcz|sch|sh|sz|ch(?=r)", "s"),
    (r"tsch|tch|cz|ch|tj", "c"),
    (r"dzh|dsch|dj|zh|j(?=[aeou])", "y"),
    (r"kh", "h"),
    (r"tz|ts|zz|cz", "z"),
    (r"^(?:ye|je|yo|jo|io|e)", "e"),
    (r"(?:yu|ju|iu|ou|oo|uu|ue|ow|w)", "u"),
    (r"(?:ya|ja|ia)", "a"),
    (r"oe", "o"),
    (r"(?:ae|ei|ai|ay|ey|ie|ee|ea|aa|ij|y|j)", "i"),
    (r"ph|th(?=h)", "f"),
    (r"x", "ks"),
    (r"ck|cq|q|c(?=[aouklrt]|$)", "k"),
    (r"([a-z])h(?![aeiou])", r"\1"),
    (r"th", "t"),
    (r"dh", "d"),
    (r"gh", "g"),
    (r"(.)\1+", r"\1"),
)
"""Applied one after the other. Source: the practice of passports (ICAO 9303, GOST, BGN/PCGN,
German, French and English romanisations of the same letters), collected by kith."""

_COMPILED = tuple((re.compile(pattern), new) for pattern, new in _RULES)

_VOWELS = re.compile("[aeiou]+")


@lru_cache(maxsize=65_536)
def sound_of(word: str) -> str:
    """Reduce a folded word to a key that its usual transliterations share."""
    for pattern, new in _COMPILED:
        word = pattern.sub(new, word)
    return word


@lru_cache(maxsize=65_536)
def consonants_of(word: str) -> str:
    """Return the consonants of a word's sound, for scripts that write no vowels.

    A first vowel counts as one: Arabic and Hebrew write it.
    """
    sound = sound_of(word)
    first = "a" if sound[:1] in set("aeiou") else ""
    return first + _VOWELS.sub("", sound).replace("u", "").replace("h", "")
