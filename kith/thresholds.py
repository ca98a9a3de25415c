"""`kith thresholds show | set | try`: from which probability pairs are merged or reviewed."""

from typing import Annotated, Any

import orjson
import typer

from kith.asking import AsJson
from kith.orders import Key, Url
from kith.policies import LIMIT, Limit, Samples, Tenant, ask, change, failing, look_back
from kith.policy_text import hindsight_document, hindsight_lines, settings_lines
from services.resolver.domain.hindsight import Hindsight
from services.resolver.domain.matching.tiers import Thresholds
from services.resolver.domain.policies import SCORERS, Settings, read_thresholds, tell_settings
from services.resolver.store.policies import PolicyStore

app = typer.Typer(no_args_is_help=True, help=__doc__)

Merge = Annotated[float | None, typer.Option(min=0, max=1, help="Merged from this probability.")]
Flag = Annotated[
    float | None, typer.Option(min=0, max=1, help="Merged, and marked for a look, from this.")
]
Review = Annotated[float | None, typer.Option(min=0, max=1, help="Shown to a person from this.")]
Scorer = Annotated[str | None, typer.Option(help=f"One of: {', '.join(SCORERS)}.")]


def register(root: typer.Typer) -> None:
    """Add the commands."""
    root.add_typer(app, name="thresholds")


@app.command()
def show(*, tenant: Tenant = None, as_json: AsJson = False) -> None:
    """Show what is in force."""
    settings = ask(lambda store: store.settings(), tenant)
    typer.echo(
        orjson.dumps(tell_settings(settings)).decode()
        if as_json
        else "\n".join(settings_lines(settings))
    )


@app.command("set")
def set_(
    *,
    merge: Merge = None,
    flag: Flag = None,
    review: Review = None,
    scorer: Scorer = None,
    key: Key = None,
    url: Url = None,
) -> None:
    """Change them for later matches; what is not named stays. `try` says what it would do."""
    wishes: dict[str, Any] = {"thresholds": _wishes(merge, flag, review)}
    if scorer is not None:
        wishes["scorer"] = scorer
    elif not wishes["thresholds"]:
        raise typer.BadParameter("name what to change: --merge, --flag, --review or --scorer")
    said = change("PUT", "/v1/matching", wishes, (key, url))
    at = said["thresholds"]
    typer.echo(
        f"version {said['version']}, for later matches: merge from {at['merge']}, merge and flag "
        f"from {at['merge_and_flag']}, review from {at['review']}; scorer {said['scorer']}"
    )


@app.command("try")
def try_(
    *,
    merge: Merge = None,
    flag: Flag = None,
    review: Review = None,
    limit: Limit = LIMIT,
    samples: Samples = 3,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Say which pairs of the past other thresholds would decide otherwise; nothing is changed."""
    wishes = _wishes(merge, flag, review)
    if not wishes:
        raise typer.BadParameter("name what to try: --merge, --flag or --review")

    async def question(store: PolicyStore) -> Hindsight:
        settings: Settings = await store.settings()
        thresholds: Thresholds = read_thresholds(settings.thresholds, wishes)
        return await look_back(store, thresholds, None, limit, samples)

    with failing():
        hindsight = ask(question, tenant)
    typer.echo(
        orjson.dumps(hindsight_document(hindsight)).decode()
        if as_json
        else "\n".join(hindsight_lines(hindsight))
    )


def _wishes(merge: float | None, flag: float | None, review: float | None) -> dict[str, float]:
    given = {"merge": merge, "merge_and_flag": flag, "review": review}
    return {name: value for name, value in given.items() if value is not None}
