"""Every service is built alike: who knows one knows all (the import contracts see to the rest)."""

import ast
import re
from pathlib import Path
from typing import Final, get_args

import pytest

from services.projector.domain import fold as json_fold
from services.resolver.handlers.commands import Ordered
from shared.events import topics
from shared.events.contact import ContactEvent
from shared.postgres.queries import Queries

ROOT: Final = Path(__file__).parents[3]
SERVICES: Final = sorted(path.parent.name for path in (ROOT / "services").glob("*/__init__.py"))
STATEMENTS: Final = sorted(
    path for place in ("kith", "services") for path in (ROOT / place).rglob("sql/*.sql")
)

each_service = pytest.mark.parametrize("service", SERVICES)


@each_service
def test_it_has_the_parts_of_every_service(service: str) -> None:
    home = ROOT / "services" / service
    for part in ("__main__", "app", "settings"):
        assert (home / f"{part}.py").is_file(), part
    for part in ("store", "sql", "domain"):
        assert (home / part).is_dir() or (home / f"{part}.py").is_file(), part
    doors = [home / name for name in ("handlers.py", "handlers", "routes.py", "routes")]
    assert any(door.exists() for door in doors), "neither topics nor HTTP"


@each_service
def test_its_card_names_what_it_reads_and_owns(service: str) -> None:
    tree = ast.parse((ROOT / f"services/{service}/__init__.py").read_text())
    card = ast.get_docstring(tree)
    assert card is not None
    assert len(tree.body) == 1, "a card holds no code"
    assert re.search(r"^owns\b", card, re.MULTILINE | re.IGNORECASE)
    reads = {
        topic.name
        for topic in topics.ALL
        if any(group.partition("-")[0] == service for group in topic.consumers)
    }
    named = set(re.findall(r"contact\.[\w.]+\.v\d+\b", card))
    assert reads <= named, f"the card does not name {sorted(reads - named)}"
    assert named <= {topic.name for topic in topics.ALL}, "the card names a topic that is none"


@pytest.mark.parametrize("file", STATEMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_statement_is_used_under_its_name(file: Path) -> None:
    package = ".".join(file.parent.relative_to(ROOT).parts)
    names = Queries.load(package, file.name).names
    assert names
    homes = {file.parent.parent, ROOT / "kith"}  # the command line runs some of a service's own
    code = "".join(path.read_text() for home in homes for path in home.rglob("*.py"))
    unused = [name for name in sorted(names) if f'"{name}"' not in code]
    assert not unused, f"nobody runs {unused}"


def test_the_projector_folds_every_event_of_a_contact() -> None:
    """It looks events up by name, where the type checker does not see one that is missing."""
    assert set(json_fold._APPLY) == {model.__name__ for model in get_args(ContactEvent)}


def test_the_resolver_knows_how_to_carry_every_order_out() -> None:
    known = get_args(Ordered)
    orders = topics.COMMANDS.messages
    unknown = sorted(name for name, order in orders.items() if not issubclass(order, known))
    assert not unknown, f"nobody carries out {unknown}"
