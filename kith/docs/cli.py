"""`kith docs generate | check`."""

import json
import sys
from pathlib import Path
from typing import Annotated, Final

import typer
from typing_extensions import override

from kith.docs.asyncapi import asyncapi
from kith.docs.pages import metrics_page, settings_page, topics_page
from kith.docs.schemas import breaking_changes, message_schemas

DOCS: Final = Path(__file__).parents[2] / "docs"

app = typer.Typer(no_args_is_help=True, help=__doc__)

BreakingWhy = Annotated[
    str | None,
    typer.Option("--breaking", help="Accept a breaking change of a topic that nobody uses yet."),
]


def documents() -> dict[str, str]:
    """Return path below `docs/` → content of everything that is generated."""
    import yaml  # noqa: PLC0415  # a development dependency, and no service needs it

    class Dumper(yaml.SafeDumper):
        """Writes text of several lines as such, and repeats instead of referring."""

        @override
        def ignore_aliases(self, data: object) -> bool:
            return True

    Dumper.add_representer(
        str,
        lambda dumper, text: dumper.represent_scalar(
            "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
        ),
    )
    described = yaml.dump(asyncapi(), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)
    schemas = {
        f"events/{ce_type}.schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for ce_type, schema in message_schemas().items()
    }
    return {
        "topics.md": topics_page(),
        "metrics.md": metrics_page(),
        "settings.md": settings_page(),
        "events/asyncapi.yaml": described,
        **schemas,
    }


def breaks(docs: Path = DOCS) -> list[str]:
    """Say where the models break the committed schemas."""
    complaints = []
    current = message_schemas()
    for path in sorted((docs / "events").glob("*.schema.json")):
        ce_type = path.name.removesuffix(".schema.json")
        if ce_type not in current:
            complaints.append(f"{ce_type}: the message type is gone")
            continue
        complaints += [
            f"{ce_type}: {complaint}"
            for complaint in breaking_changes(json.loads(path.read_text()), current[ce_type])
        ]
    return complaints


@app.command()
def generate(breaking: BreakingWhy = None) -> None:
    """Write the generated pages; refuse a change that breaks a published message."""
    complaints = breaks()
    if complaints and not breaking:
        print("\n".join(complaints), file=sys.stderr)
        print("a breaking change needs a new topic (`….v2`)", file=sys.stderr)
        raise typer.Exit(1)
    wanted = documents()
    for path in (DOCS / "events").glob("*.schema.json"):
        if f"events/{path.name}" not in wanted:
            path.unlink()
    for name, content in wanted.items():
        path = DOCS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


@app.command()
def check() -> None:
    """Fail when a page is stale or a message breaks what was published."""
    complaints = breaks()
    complaints += [f"docs/{name}: stale, run `kith docs generate`" for name in stale()]
    if complaints:
        print("\n".join(complaints), file=sys.stderr)
        raise typer.Exit(1)


def stale(docs: Path = DOCS) -> list[str]:
    """Name the pages that differ from what the code says."""
    return [
        name
        for name, content in documents().items()
        if not (docs / name).exists() or (docs / name).read_text() != content
    ]


def register(root: typer.Typer) -> None:
    """Add the commands."""
    root.add_typer(app, name="docs")
