"""The command line: every command is one function in its own module, listed here."""

import os
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from io import TextIOWrapper
from typing import Final

import typer

from kith import (
    activities,
    company,
    dead,
    erasing,
    exports,
    imports,
    keys,
    migrate,
    rebuild,
    review,
    sync,
    thresholds,
    topics,
    weights,
    why,
)
from kith.audit import cli as audit
from kith.docs import cli as docs
from kith.unforeseen import UNFORESEEN, in_words

WRITES: Final = frozenset({"--out", "--output", "-o"})
"""Options that name a file to write, which need not be there yet."""

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
if find_spec("jgo"):  # comes with the extra `local`: a deployment has neither
    from kith.demo import cli as demo
    from kith.evaluation import cli as evaluation
    from kith.stack import cli as stack

    stack.register(app)
    demo.register(app)
    evaluation.register(app)
topics.register(app)
dead.register(app)
docs.register(app)
migrate.register(app)
keys.register(app)
imports.register(app)
activities.register(app)
exports.register(app)
rebuild.register(app)
review.register(app)
erasing.register(app)
company.register(app)
why.register(app)
audit.register(app)
thresholds.register(app)
weights.register(app)
sync.register(app)


def main() -> None:
    """Run the command line: what its surroundings lack is said in words, with exit code 1."""
    if broken := unreadable(sys.argv[1:]):
        print(f"kith: not UTF-8, nor a file that is there: {broken!a}", file=sys.stderr)
        sys.exit(2)
    if isinstance(sys.stdout, TextIOWrapper):  # a file may be called what is not UTF-8
        sys.stdout.reconfigure(errors="surrogateescape")
    try:
        app()
    except UNFORESEEN as error:
        print(f"kith: {in_words(error)}", file=sys.stderr)
        sys.exit(1)


def unreadable(arguments: Iterable[str]) -> str | None:
    """Return the first argument that no text can be: its bytes are not UTF-8, and name no file.

    Neither a service nor the database takes such an id, reason or name. A file may be called
    anything: one that is there, and one that is to be written.
    """
    before = ""
    for one in arguments:
        option, _, value = one.partition("=")
        names = (one, value, value.removeprefix("@"), one.removeprefix("@"))
        is_file = not WRITES.isdisjoint((before, option)) or any(map(os.path.lexists, names))
        if not (is_file or _is_text(one)):
            return one
        before = one
    return None


def _is_text(argument: str) -> bool:
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True
