"""Files as Java reads them."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

ENVIRONMENT: Final = {"PATH": os.defpath, "LANG": "C.UTF-8"}
"""Of Java's processes: without a locale of UTF-8 they open no file whose name is not ASCII."""


def write_argfile(path: Path, jars: Sequence[Path], words: Sequence[str]) -> None:
    """Java's own `@file` of arguments: the class path is too long to look at in `ps`."""
    class_path = os.pathsep.join(map(str, jars))
    lines = [f'-cp "{class_path}"', *(f'"{word}"' for word in words)]
    path.write_bytes(os.fsencode("\n".join(lines) + "\n"))


def render_properties(values: Mapping[str, object]) -> str:
    """Write a properties file, which Java reads as Latin-1: a folder may have any name."""
    return "".join(f"{name}={_escaped(str(value))}\n" for name, value in values.items())


def _escaped(value: str) -> str:
    value = value.replace("\\", "\\\\")
    return "".join(one if one.isascii() else _utf16(one) for one in value)


def _utf16(letter: str) -> str:
    units = letter.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
