"""What a writer wrote, and not the messages that hang below it: quotes, forwards, footers, notices.

Told by the words of `data/quoting.toml`, in the languages listed there.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from tomllib import loads
from typing import Any, Final

MAX_LINES: Final = 2_000
"""Lines of a text that are looked at."""

MAX_LINE: Final = 1_000
"""Characters of a line that are looked at."""

MAX_MARK: Final = 200
"""Characters of a line that marks the end of a text, or was put below it by a device."""

FOOTER: Final = 30
"""Lines at the end in which a device's line is looked for."""

_MARKS: Final = "-_=—*>"
"""How a line begins above a message that is passed on, if it has no colon."""

_INTRODUCES: Final = (":", "：", "wrote", "schrieb", "mail", "メール", "た", ">")
"""How a line ends above a quotation: hardly any other has to be looked at."""

_LAST: Final = frozenset(words[-1] for words in _INTRODUCES)
"""What such a line's last letter is."""

_UNUSUAL: Final = frozenset(f"{_MARKS}> \t")
"""First letters of lines that may be quoted, or a mark; a blank of another kind is one, too."""

_RULE = re.compile(r"^\s*[-_=*]{5,}\s*$")
_FIELDS_TOGETHER: Final = 3
"""Lines like `From: …` one below the other that are a quoted header."""

_LOOK_AHEAD: Final = 8
"""Lines in which those stand, blank and folded ones included."""


@lru_cache(maxsize=1)
def _words() -> dict[str, Any]:
    text = (files("services.ingest.sources.mail") / "data" / "quoting.toml").read_text("utf-8")
    return loads(text)


def _any_of(words: Sequence[str]) -> str:
    return "|".join(words)


@lru_cache(maxsize=1)
def _patterns() -> dict[str, re.Pattern[str]]:
    words = _words()
    fields = {name: _any_of(words["fields"][name]) for name in ("from", "other")}
    return {
        "attribution": re.compile(rf"(?:{_any_of(words['wrote'])})\s*[:：]?\s*$", re.IGNORECASE),
        "forward": re.compile(
            rf"^\s*[-_—*>]{{0,12}}\s*(?:{_any_of(words['forwarded'])})\s*[-_—:*]{{0,12}}\s*$",
            re.IGNORECASE,
        ),
        "from": re.compile(rf"^\s*\*?(?:{fields['from']})\*?\s?[:：]\*?\s*\S", re.IGNORECASE),
        "field": re.compile(
            rf"^\s*\*?(?:{fields['from']}|{fields['other']})\*?\s?[:：]", re.IGNORECASE
        ),
        "device": re.compile(rf"^\W*(?:{_any_of(words['device'])})", re.IGNORECASE),
        "notice": re.compile(rf"(?:{_any_of(words['notice'])})", re.IGNORECASE),
        "registry": re.compile(rf"(?:{_any_of(words['registry'])})", re.IGNORECASE),
    }


def own_lines(lines: Sequence[str]) -> list[str]:
    """Return the lines that the writer wrote, in their order, without what is quoted."""
    patterns = _patterns()
    kept: list[str] = []
    bounded = [line[:MAX_LINE].rstrip() for line in lines[:MAX_LINES]]
    # An attribution takes three lines at most: only so near to its end it is looked for.
    near = {
        above
        for number, line in enumerate(bounded)
        if line and line[-1] in _LAST and line.endswith(_INTRODUCES)
        for above in (number - 2, number - 1, number)
    }
    index, count = 0, len(bounded)
    while index < count:
        line = bounded[index]
        if not line or (index not in near and _is_running(line)):
            kept.append(line)
            index += 1
            continue
        if line.lstrip()[:1] == ">":
            index += 1
            continue
        may_mark = len(line) <= MAX_MARK and (":" in line or line[0] in _MARKS or "：" in line)
        if may_mark and _begins_forward(bounded, index, patterns):
            break
        if index in near and (
            lines_of_attribution := _attribution(bounded, index, patterns["attribution"])
        ):
            index += lines_of_attribution
            behind = next((one for one in bounded[index:] if one.strip()), "")
            if not behind.lstrip().startswith(">"):
                break
            continue
        kept.append(line)
        index += 1
    device = patterns["device"]
    kept[-FOOTER:] = [
        line for line in kept[-FOOTER:] if len(line) > MAX_MARK or not device.match(line)
    ]
    while kept and (not kept[-1].strip() or _RULE.match(kept[-1])):
        kept.pop()
    return kept


def _is_running(line: str) -> bool:
    """Tell whether a line can be nothing but text of the writer's: most are no more."""
    first = line[0]
    return first not in _UNUSUAL and not first.isspace() and ":" not in line and "：" not in line


def without_notices(lines: Sequence[str]) -> list[str]:
    """Drop what the law or a company's habit puts below a signature, by paragraph and by line."""
    patterns = _patterns()
    kept: list[str] = []
    in_notice = False
    for line in lines:
        if not line.strip():
            in_notice = False
        elif patterns["notice"].search(line):
            # The lines above in this paragraph belong to it if they are prose.
            while kept and len(kept[-1]) > 60 and kept[-1].strip():
                kept.pop()
            in_notice = True
        if not in_notice and not patterns["registry"].search(line):
            kept.append(line)
    return kept


def _attribution(lines: Sequence[str], index: int, pattern: re.Pattern[str]) -> int:
    """Return how many lines from here say `On … Ada wrote:`; mail programs wrap it."""
    text = ""
    for count in range(1, 4):
        if index + count > len(lines):
            return 0
        line = lines[index + count - 1].strip()
        if not line or len(text) > 400:
            return 0
        text = f"{text} {line}".strip()
        if pattern.search(text):
            is_dated = any(sign in text for sign in "@<0123456789")
            return count if is_dated else 0
        if count == 1 and not any(char.isdigit() for char in line) and "@" not in line:
            return 0
    return 0


def _begins_forward(lines: Sequence[str], index: int, patterns: dict[str, re.Pattern[str]]) -> bool:
    """Tell whether another message begins here, with its header in the text."""
    line = lines[index]
    if patterns["forward"].match(line):
        return True
    if not patterns["from"].match(line) and not (
        _RULE.match(line) and index + 1 < len(lines) and patterns["from"].match(lines[index + 1])
    ):
        return False
    ahead = lines[index : index + _LOOK_AHEAD]
    return sum(bool(patterns["field"].match(one)) for one in ahead) >= _FIELDS_TOGETHER
