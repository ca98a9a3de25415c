"""Pages say what is: links, commands, tests, functions, decisions and examples are looked up."""

import json
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import typer
import yaml

from kith.cli import app
from kith.imports import FILES
from services.ingest.domain.intake import read_arrival
from services.ingest.domain.reading import read_body
from shared.events import topics

ROOT: Final = Path(__file__).parents[3]
DOCS: Final = ROOT / "docs"
ADRS: Final = sorted((DOCS / "adr").glob("[0-9]*.md"))
PAGES: Final = sorted(
    [
        *ROOT.glob("*.md"),
        *(page for place in ("docs", "deploy", "samples") for page in (ROOT / place).rglob("*.md")),
    ]
)
CODE: Final = tuple(
    path
    for place in ("kith", "services", "shared", "tests", "deploy")
    for ending in ("py", "sql", "toml", "yaml", "md")
    for path in (ROOT / place).rglob(f"*.{ending}")
)
OUR_PATH: Final = re.compile(r"(?:kith|services|shared|tests|deploy|docs|samples)/[\w./-]+")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
each_adr = pytest.mark.parametrize("adr", ADRS, ids=lambda adr: adr.stem)


def _prose(page: Path) -> str:
    """Return a page without its code blocks."""
    return re.sub(r"^ *```.*?^ *```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def _blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", page.read_text(), re.DOTALL | re.MULTILINE)


@cache
def _anchors(page: Path) -> set[str]:
    """Return the anchors that a page's headings get."""
    headings = re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE)
    words = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", word.lower()).replace(" ", "-") for word in words}


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", _prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in _anchors(target), link


@each_page
def test_paths_that_are_named_exist(page: Path) -> None:
    for code in re.findall(r"`([^`\s]+)`", _prose(page)):
        if OUR_PATH.fullmatch(code) and "NNNN" not in code:
            assert (ROOT / code).exists(), code


@cache
def _tests() -> dict[str, set[str]]:
    """Return test function → files that define it."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE):
            found.setdefault(name, set()).add(str(path.relative_to(ROOT)))
    return found


@each_page
def test_tests_that_are_named_exist(page: Path) -> None:
    text = _prose(page)
    for name, link in re.findall(r"\[(test_\w+)\]\(([^)]+)\)", text):
        file = str((page.parent / link).resolve().relative_to(ROOT))
        assert file in _tests().get(name, ()), name
    for name in re.findall(r"`(test_\w+)`", text):
        assert name in _tests(), name


def _lines(page: Path) -> Iterator[str]:
    """Return everything after `kith ` or `make ` in shell blocks and in inline code."""
    for block in _blocks(page, "sh"):
        for line in block.splitlines():
            yield line.split("  #")[0]
    yield from re.findall(r"`([^`\n]+)`", _prose(page))


def _complaint(line: str, root: Any) -> str | None:
    """Say what is wrong with a command line: `a | b` are alternatives, capitals are arguments."""
    words = shlex.split(re.sub(r"[\[\](){}]", " ", line.partition(";")[0]).replace("|", " | "))
    command, group, fresh = root, root, True
    for word in words:
        if word == "|":
            fresh = True
        elif word in getattr(command, "commands", {}):
            group, command, fresh = command, command.commands[word], False
        elif fresh and word in group.commands:
            command, fresh = group.commands[word], False
        elif fresh:
            return f"no command {word!r}"
        elif word.startswith("--"):
            meant = getattr(command, "commands", {}).get(FILES, command)  # `kith import FILE…`
            options = {name for parameter in meant.params for name in parameter.opts}
            if word.partition("=")[0] not in {*options, "--help"}:
                return f"{command.name} has no option {word}"
    return None


@each_page
def test_commands_exist_with_their_options(page: Path) -> None:
    root = typer.main.get_command(app)
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^(\w+):", makefile, re.MULTILINE)
    variables = re.findall(r"^(\w+) *\??=", makefile, re.MULTILINE)
    for line in _lines(page):
        stripped = line.strip()
        if kith := re.match(r"(?:\.venv/bin/)?kith (\S.*)", stripped):
            complaint = _complaint(kith[1], root)
            assert complaint is None, f"{stripped}: {complaint}"
        elif make := re.match(r"make (\w+)(=)?", stripped):
            assert make[1] in (variables if make[2] else targets), stripped


def test_a_wrong_command_would_be_noticed() -> None:
    root = typer.main.get_command(app)
    assert _complaint("dead list | show | replay PLACE", root) is None
    assert _complaint("up --services --replicas resolver=3", root) is None
    assert _complaint("dead bury", root) is None, "an argument may follow: only options are known"
    assert _complaint("undead", root)
    assert _complaint("up --sevices", root)


def _defines(path: Path, name: str) -> bool:
    pattern = rf"^\s*(?:async )?(?:def|class) {name}\b"
    return re.search(pattern, path.read_text(), re.MULTILINE) is not None


def test_the_walk_names_functions_that_are_there() -> None:
    walk = _prose(ROOT / "ARCHITECTURE.md").split("## One signal")[1].split("## What always")[0]
    named = re.findall(r"\]\(([^)]+\.py)\) (`\w+`(?:(?:, | and )`\w+`)*)", walk)
    assert len(named) >= 25
    for link, names in named:
        for name in re.findall(r"\w+", names.replace(" and ", " ")):
            assert _defines(ROOT / link, name), f"{link}: {name}"


def test_every_invariant_is_held_by_a_test() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text().split("## What always")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\d+) \| (.+) \| (.+) \|$", text, re.MULTILINE)
    assert [int(number) for number, _, _ in rows] == list(range(1, len(rows) + 1))
    for number, _, held_by in rows:
        assert re.search(r"\[test_\w+\]\(tests/", held_by), number


@each_adr
def test_a_decision_has_its_parts(adr: Path) -> None:
    text = adr.read_text()
    places = [
        text.find(part)
        for part in ("**Context", "**Decision", "**Consequences", "**Enforced by", "**Revisit when")
    ]
    assert -1 not in places
    assert places == sorted(places)
    assert re.search(r"^(?:\*\*Status\*\*:? )?accepted", text, re.MULTILINE | re.IGNORECASE)


def test_every_decision_is_listed_under_its_title() -> None:
    listed = re.findall(
        r"^\| \[(\d{4})\]\(([^)]+)\) \| (.+) \|$",
        (DOCS / "adr/README.md").read_text(),
        re.MULTILINE,
    )
    titles = [
        (adr.name[:4], adr.name, re.sub(r"^# (?:\d+\. )?", "", adr.read_text().splitlines()[0]))
        for adr in ADRS
    ]
    assert listed == titles
    assert len({number for number, _, _ in titles}) == len(titles), "a number is given twice"


def test_decisions_that_are_referred_to_exist() -> None:
    numbers = {adr.name[:4] for adr in ADRS}
    for path in {*CODE, *PAGES}:
        missing = set(re.findall(r"\bADR (\d{4})\b", path.read_text())) - numbers
        assert not missing, f"{path.relative_to(ROOT)}: ADR {sorted(missing)}"


def test_every_runbook_and_alert_is_listed() -> None:
    alerts: dict[str, set[str]] = {
        f"runbooks/{path.name}": set() for path in (DOCS / "runbooks").glob("*.md")
    }
    for file in (ROOT / "deploy/prometheus/rules").glob("*.yaml"):
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    runbook = rule["annotations"]["runbook_url"].rpartition("docs/")[2]
                    alerts[runbook].add(rule["alert"])
    listed = {
        link: set(re.findall(r"`(\w+)`", names))
        for names, link in re.findall(
            r"^\| [^|]+ \|([^|]*)\| \[[\w-]+\]\((runbooks/[^)]+)\) \|$",
            (DOCS / "README.md").read_text(),
            re.MULTILINE,
        )
    }
    assert listed == alerts


def test_every_page_is_listed() -> None:
    listed = re.findall(r"\]\(([\w-]+\.md)\)", (DOCS / "README.md").read_text())
    assert sorted(listed) == sorted({page.name for page in DOCS.glob("*.md")} - {"README.md"})


def test_every_word_of_the_glossary_says_what_to_avoid() -> None:
    entries = _prose(DOCS / "glossary.md").split("\n\n")
    words: list[str] = []
    for entry in entries:
        if entry.startswith("**"):
            words += re.findall(r"\*\*([^*]+)\*\*", entry)
            assert re.search(r"\*Avoid\*:\s\S", entry), entry.splitlines()[0]
    assert len(words) > 40
    assert len(set(words)) == len(words)


def test_the_signals_of_the_readme_are_signals() -> None:
    readme = ROOT / "README.md"
    (pushed,) = re.findall(r"-d '(\{.*?\})'", "".join(_blocks(readme, "sh")), re.DOTALL)
    signal, _ = read_body(pushed.encode())
    assert signal.source_record_id == "42"
    (program,) = _blocks(readme, "python")
    compile(program, "README.md", "exec")
    headers: dict[str, str] = json.loads(
        re.sub(r",(\s*})", r"\1", re.findall(r"headers=(\{.*?\})", program, re.DOTALL)[0])
    )
    value: str = re.findall(r"json\.dumps\((\{.*?\n    \})\)", program, re.DOTALL)[0]
    body = re.sub(r",(\s*})", r"\1", value).encode()
    arrival = read_arrival([(name, text.encode()) for name, text in headers.items()], body)
    assert read_body(arrival.data)[0].full_name == "Grace Hopper"
    named = set(re.findall(r'"(contact\.[\w.]+)"', program))
    assert named == {topics.SIGNALS.name, topics.EVENTS.name}
