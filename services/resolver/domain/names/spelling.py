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

_EDGES = _compile(
    (r"^mac(?=[^aeiouk])", "mc"),
    (r"^abd[aeou][lrs](?=.)", "abd"),
    (r"(?:o[fw]|e[fw]|[oe]ff)$", "ov"),
    (r"(?:(?<=k)o[yij]|(?<=.{3})(?:[iy][iyj]|ey|ie|ee)|(?<=[^aeio].)y)$", "i"),
    (r"po[uy]los$", "pulos"),
    (r"^[yj]e", "e"),
    (r"^ch(?=[rl])", "h"),
)

_LETTERS = {
    "s": "shch schtsch chtch szcz sch sh sz",
    "c": "tsch tch cz ch tj",
    "i": "dzh dsch dj zh ae ei ai ay ey ie ee ij y j",
    "h": "kh",
    "z": "tz ts zz",
    "u": "yu ju iu ou oo uu ue eu",
    "v": "w",
    "ia": "ya ja",
    "o": "oe",
    "a": "aa",
    "f": "ph",
    "ks": "x",
    "k": "ck cq q",
    "t": "th",
    "d": "dh",
    "g": "gh",
}
"""What is written for a sound, of those that languages write differently. Source: the usual
romanisations of Cyrillic, Greek and Arabic names (passports, German, French, English)."""

_SOUND_OF_LETTERS = {"c": "k"} | {
    letters: sound for sound, written in _LETTERS.items() for letters in written.split()
}
_WRITTEN = re.compile(
    "c(?=[aouklrt]|$)|" + "|".join(sorted(_SOUND_OF_LETTERS.keys() - {"c"}, key=len, reverse=True))
)
_REST = _compile((r"(?<=[a-z])h(?![aeiou])", ""), (r"(.)\1+", r"\1"))


def _sound_of_letters(match: "re.Match[str]") -> str:
    return _SOUND_OF_LETTERS[match[0]]


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
    (r"ee|yi|y|oi", "i"),
    (r"(.)\1+", r"\1"),
)
"""Pinyin, Wade-Giles, Revised Romanisation, McCune-Reischauer and what people make of them."""

_CONSONANTS = _compile(
    (r"[vwy]+$", ""),
    (r"kh", "k"),
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


@lru_cache(maxsize=8_192)
def sound_of(word: str) -> str:
    """Reduce a folded word to a key that its usual transliterations share."""
    return _apply(_REST, _WRITTEN.sub(_sound_of_letters, _apply(_EDGES, word)))


@lru_cache(maxsize=8_192)
def family_sound_of(word: str) -> str:
    """Reduce a folded family name as `sound_of`, a woman's ending made a man's."""
    return sound_of(_apply(_OF_A_WOMAN, word) if len(word) > 4 else word)


@lru_cache(maxsize=8_192)
def east_asian_sound_of(word: str) -> str:
    """Reduce a folded Chinese or Korean word to a key that its romanisations share."""
    return _apply(_EAST_ASIAN, word)


@lru_cache(maxsize=8_192)
def is_east_asian(word: str) -> bool:
    """Say whether a folded word may be Chinese or Korean, by its syllables."""
    return _SYLLABLES.fullmatch(word) is not None


@lru_cache(maxsize=8_192)
def consonants_of(word: str) -> str:
    """Return what Arabic or Hebrew would write of a word: its consonants."""
    return _apply(_CONSONANTS, word) or word


@lru_cache(maxsize=8_192)
def frame_of(word: str) -> str:
    """Return a folded word without its vowels."""
    return _VOWELS.sub("", word)
