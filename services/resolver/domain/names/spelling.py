"""Spellings of one sound: what transliterations and languages write differently."""

import re
from collections.abc import Sequence
from functools import lru_cache

Rules = Sequence[tuple["re.Pattern[str]", str]]


def _compile(*rules: tuple[str, str]) -> Rules:
    return tuple((re.compile(pattern), new) for pattern, new in rules)


_OF_A_WOMAN = _compile(
    (r"(?:aya|aia|aja)$", "iy"),
    (r"(?<=[sct]k)a$", "i"),
    (r"(?<=[aeiouy][nv])a$", ""),
    (r"(?<=[ao])poulou$", "poulos"),
    (r"(?:ov|ev|iv)ou$", "os"),
    (r"(?:iene|aite|ute|yte)$", "as"),
)
"""Endings by which a woman's family name differs from her father's, brother's or husband's."""

_SOUNDS = _compile(
    (r"^mac(?=[^aeiouk])", "mc"),
    (r"^abd[aeou][lrs](?=.)", "abd"),
    (r"(?:of|ef|off|eff|ow|ew)$", "ov"),
    (r"(?<=k)(?:oy|oi|oj|ii|iy|ij|yi|yy|yj|y)$", "i"),
    (r"(?<=.{3})(?:iy|ij|yy|yi|ii|ey|ie|ee|y)$", "i"),
    (r"poulos$|poylos$", "pulos"),
    (r"^ch(?=[rl])", "h"),
    (r"shch|schtsch|chtch|szcz|sch|sh|sz", "s"),
    (r"tsch|tch|cz|ch|tj", "c"),
    (r"dzh|dsch|dj|zh|j(?=[aou])", "y"),
    (r"kh", "h"),
    (r"tz|ts|zz", "z"),
    (r"^(?:ye|je)", "e"),
    (r"yu|ju|iu|ou|oo|uu|ue|eu", "u"),
    (r"w", "v"),
    (r"ya|ja", "ia"),
    (r"oe", "o"),
    (r"ae|ei|ai|ay|ey|ie|ee|ij|y|j", "i"),
    (r"aa", "a"),
    (r"ph", "f"),
    (r"x", "ks"),
    (r"ck|cq|q|c(?=[aouklrt]|$)", "k"),
    (r"(?<=[a-z])h(?![aeiou])", ""),
    (r"([tdg])h", r"\1"),
    (r"(.)\1+", r"\1"),
)
"""Applied one after the other. Source: the usual romanisations of Cyrillic, Greek and Arabic names
(passports, German, French, English), collected by kith."""

_EAST_ASIAN = _compile(
    (r"zh|ch|q", "j"),
    (r"hs|sh|x", "s"),
    (r"ts|tz|c", "z"),
    (r"k", "g"),
    (r"t", "d"),
    (r"p", "b"),
    (r"r", "l"),
    (r"h(?![aeiouy])", ""),
    (r"yeo|you|yo|yu|eo|eu|oo|ou|uo|wo|u", "o"),
    (r"ae|ai|ay|ie|ye|ei|ue", "e"),
    (r"ee|yi|y", "i"),
    (r"(.)\1+", r"\1"),
)
"""Pinyin, Wade-Giles, Revised Romanisation, McCune-Reischauer and what people make of them."""

_CONSONANTS = _compile(
    (r"[vwy]+$", ""),
    (r"kh", "h"),
    (r"sh|ch|sch|tz|ts|z|c(?=[ei])", "s"),
    (r"^j|gh|dj", "g"),
    (r"j", ""),
    (r"[tdg]h", "d"),
    (r"t", "d"),
    (r"ck|c|q", "k"),
    (r"ph|v|b", "f"),
    (r"p", "f"),
    (r"x", "ks"),
    (r"[aeiouywh]+$", ""),
    (r"(.)\1+", r"\1"),
    (r"[aeiouyw]", ""),
)
"""What Arabic and Hebrew letters have in common with any romanisation."""


_SYLLABLES = re.compile(
    "(?:(?:zh|ch|sh|hs|ts|tz|kk|tt|pp|ss|jj|[bpmfdtnlgkhjqxrzcsyw])?"
    "(?:[aeiou]|[yw][aeiou]|[aeiou]{2,3}|eui)(?:ng|n|m|k|l|p|r)?)+"
)
"""Syllables as Chinese and Korean names have them in Latin letters."""

_VOWELS = re.compile("[aeiouy]+")


def _apply(rules: Rules, word: str) -> str:
    for pattern, new in rules:
        word = pattern.sub(new, word)
    return word


@lru_cache(maxsize=65_536)
def sound_of(word: str) -> str:
    """Reduce a folded word to a key that its usual transliterations share."""
    return _apply(_SOUNDS, word)


@lru_cache(maxsize=65_536)
def family_sound_of(word: str) -> str:
    """Reduce a folded family name as `sound_of`, a woman's ending made a man's."""
    return sound_of(_apply(_OF_A_WOMAN, word) if len(word) > 4 else word)


@lru_cache(maxsize=65_536)
def east_asian_sound_of(word: str) -> str:
    """Reduce a folded Chinese or Korean word to a key that its romanisations share."""
    return _apply(_EAST_ASIAN, word)


@lru_cache(maxsize=65_536)
def is_east_asian(word: str) -> bool:
    """Say whether a folded word may be Chinese or Korean, by its syllables."""
    return _SYLLABLES.fullmatch(word) is not None


@lru_cache(maxsize=65_536)
def consonants_of(word: str) -> str:
    """Return what Arabic or Hebrew would write of a word: its consonants."""
    return _apply(_CONSONANTS, word) or word


@lru_cache(maxsize=65_536)
def frame_of(word: str) -> str:
    """Return a folded word without its vowels."""
    return _VOWELS.sub("", word)
