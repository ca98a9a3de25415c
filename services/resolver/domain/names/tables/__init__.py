"""The tables of names, read once: `#` comments, then one entry a line."""

from functools import cache
from importlib import resources


@cache
def read_lines(name: str) -> tuple[str, ...]:
    """Load `<name>.dat` beside this module, in order, without comments and blank lines."""
    text = resources.files(__package__).joinpath(f"{name}.dat").read_text("utf-8")
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return tuple(line for line in lines if line)


@cache
def read_words(name: str) -> frozenset[str]:
    """Load a table as a set; an entry may be of several words."""
    return frozenset(read_lines(name))


@cache
def read_pairs(name: str) -> dict[str, str]:
    """Load a table whose lines are `key: value`."""
    found = (line.partition(":") for line in read_lines(name))
    return {key.strip(): value.strip() for key, _, value in found}


@cache
def read_groups(name: str) -> dict[str, frozenset[int]]:
    """Load a table of groups of words that are one: each word with the lines that it is in."""
    groups: dict[str, set[int]] = {}
    for number, line in enumerate(read_lines(name)):
        for word in line.split():
            groups.setdefault(word, set()).add(number)
    return {word: frozenset(lines) for word, lines in groups.items()}
