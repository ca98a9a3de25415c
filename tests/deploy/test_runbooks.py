"""Runbooks: four sections each, links that lead somewhere, and commands that exist as written."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from kith.cli import app
from tests.deploy.declared import ROOT, SERVICES, read_by

PAGES = sorted((ROOT / "docs/runbooks").glob("*.md"))
OURS = [page for page in PAGES if page.name != "local-stack.md"]
README = ROOT / "deploy/README.md"
SECTIONS = ["How you notice", "What it means", "What to do", "How you know it is over"]


@pytest.mark.parametrize("page", OURS, ids=lambda page: page.stem)
def test_it_answers_the_four_questions(page: Path) -> None:
    assert re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE) == SECTIONS


@pytest.mark.parametrize("page", [*PAGES, README], ids=lambda page: page.stem)
def test_its_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / link).exists(), link


def _commands(page: Path) -> list[str]:
    text = page.read_text()
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
    lines = re.findall(r"^\s*kith (.+?)(?:\s+#.*)?$", blocks, re.MULTILINE)
    return lines + re.findall(r"`kith ([^`]+)`", text)


@pytest.mark.parametrize("page", [*OURS, README], ids=lambda page: page.stem)
def test_its_commands_exist_with_their_options(page: Path) -> None:
    """At night a command is typed as it stands."""
    root = typer.main.get_command(app)
    for line in _commands(page):
        words = shlex.split(line.replace("|", " "))
        command: Any = root
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        assert command is not root, f"there is no `kith {line}`"
        options = {name for parameter in command.params for name in parameter.opts}
        for word in words:
            if word.startswith("--"):
                assert word in options, f"`kith {line}`: {word} is unknown"


@pytest.mark.parametrize("page", [*OURS, README], ids=lambda page: page.stem)
def test_the_variables_it_names_are_read(page: Path) -> None:
    known = {variable for service in SERVICES for variable in read_by(service)}
    named = re.findall(
        r"`((?:KAFKA|POSTGRES|NEO4J|MEILISEARCH|ENRICHER|RESOLVER|KITH_DIGEST)_[A-Z_]+)",
        page.read_text(),
    )
    assert set(named) <= known, f"nobody reads {sorted(set(named) - known)}"
