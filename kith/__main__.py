"""The `kith` command: every command is one function in its own module, listed here."""

import sys
from importlib.util import find_spec
from typing import NoReturn

import asyncpg
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
from kith.stack.errors import StackError
from shared.errors import ServiceError
from shared.postgres.errors import classify

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
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        _end("the database does not have the tables of this release yet: run `kith migrate`")
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        _end(str(classify(error)))
    except (ServiceError, StackError, OSError) as error:
        _end(str(error))


def _end(words: str) -> NoReturn:
    print(f"kith: {words}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
