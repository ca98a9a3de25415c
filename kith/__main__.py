"""The `kith` command: every command is one function in its own module, listed here."""

import sys
from importlib.util import find_spec

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
    try:
        app()
    except UNFORESEEN as error:
        print(f"kith: {in_words(error)}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
