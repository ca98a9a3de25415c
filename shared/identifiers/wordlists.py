"""The word lists beside this module, read once: one lower-case entry a line, `#` comments."""

from functools import cache
from importlib import resources


@cache
def wordlist(name: str) -> frozenset[str]:
    """Load `data/<name>.dat`."""
    text = resources.files(__package__).joinpath("data", f"{name}.dat").read_text("utf-8")
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return frozenset(line for line in lines if line)
