"""`kith weights show | list | train | use | try`: what each kind of agreement is worth to a tenant.

Versions are kept; one is in force once it is used, for later matches only, and any may be used
again.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import typer

from kith.asking import AsJson
from kith.orders import Key, Url, need_key
from kith.policies import LIMIT, Limit, Samples, Tenant, ask, change, failing, look_back
from kith.policy_text import (
    hindsight_document,
    hindsight_lines,
    learned_lines,
    version_line,
    weights_lines,
)
from kith.regions import Region
from services.resolver.domain.hindsight import Hindsight
from services.resolver.domain.matching.training import (
    LabelledPair,
    Learned,
    TooFewLabelsError,
    learn,
)
from services.resolver.domain.matching.weights import Weights, to_document
from services.resolver.domain.policies import tell_version
from services.resolver.store.policies import PolicyStore
from shared.errors import ServiceError

MOST_LABELS: Final = 6_000
"""Decisions of people that are learned from, the newest."""

RELEASE: Final = "release"
"""Names the weights that the release brings."""

app = typer.Typer(no_args_is_help=True, help=__doc__)

Version = Annotated[
    str, typer.Argument(help=f"A version's number, or {RELEASE}.", metavar="VERSION")
]


class UnknownVersionError(ServiceError):
    """The tenant has no such version of the weights."""


def register(root: typer.Typer) -> None:
    """Add the commands."""
    root.add_typer(app, name="weights")


@app.command()
def show(
    version: Annotated[
        str | None, typer.Argument(help=f"A number, or {RELEASE}; default: what is in force.")
    ] = None,
    *,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Show a table of weights, beside what the release says."""
    weights = ask(lambda store: _find(store, version), tenant)
    typer.echo(
        orjson.dumps(to_document(weights)).decode()
        if as_json
        else "\n".join(weights_lines(weights))
    )


@app.command("list")
def list_(*, tenant: Tenant = None, as_json: AsJson = False) -> None:
    """List the versions, the newest first; the one in force is marked."""

    async def question(store: PolicyStore) -> tuple[Any, Any]:
        return await store.settings(), await store.versions()

    settings, versions = ask(question, tenant)
    for one in versions:
        typer.echo(
            orjson.dumps(tell_version(*one)).decode() if as_json else version_line(one, settings)
        )
    if not as_json:
        mark = " " if settings.weights_version else "*"
        typer.echo(f"{mark} {RELEASE}")


@app.command()
def train(
    file: Annotated[
        Path | None,
        typer.Option("--from", exists=True, dir_okay=False, help="Learn from a labelled table."),
    ] = None,
    *,
    truth: Annotated[str | None, typer.Option(help="Its column that says who is whom.")] = None,
    maps: Annotated[
        list[str] | None, typer.Option("--map", help="field=column, as for `kith eval`.")
    ] = None,
    region: Region = "US",
    seed: Annotated[int, typer.Option(help="Of the sample of its pairs.")] = 1,
    look: Annotated[bool, typer.Option("--look", help="Only say what would be learned.")] = False,
    tenant: Tenant = None,
    key: Key = None,
    url: Url = None,
) -> None:
    """Learn from what people decided in review, or from labelled data; keep it as a new version.

    A fifth of the pairs is held back: what does not do better on those is not kept.
    """
    if (file is None) != (truth is None):
        raise typer.BadParameter("--from FILE needs --truth COLUMN, and the other way round")
    if not look:
        need_key(key)
    labels = _read_labels(file, truth or "", maps or (), region, seed) if file else None

    async def question(store: PolicyStore) -> tuple[Weights, Sequence[LabelledPair]]:
        present = await _find(store, None)
        return present, await store.find_labels(MOST_LABELS) if labels is None else labels

    present, pairs = ask(question, tenant)
    try:
        learned = learn(pairs, present, "learned")
    except TooFewLabelsError as error:
        typer.echo(f"kith weights: {error}; decide more pairs: kith review list", err=True)
        raise typer.Exit(1) from None
    typer.echo("\n".join(learned_lines(learned, present)))
    if not learned.is_better:
        typer.echo("kith weights: the present weights do as well; nothing is kept", err=True)
        raise typer.Exit(1)
    if look:
        return
    body = _told(learned, "labelled data" if file else "review")
    if tenant:
        body["tenant"] = tenant
    version = change("POST", "/v1/matching/weights", body, (key, url))["version"]
    typer.echo(f"kept as version {version}; next: kith weights try {version}, then use {version}")


@app.command()
def use(version: Version, *, key: Key = None, url: Url = None) -> None:
    """Put a version in force for later matches; to go back, use an earlier one or the release's."""
    said = change("PUT", "/v1/matching", {"weights_version": _number(version)}, (key, url))
    typer.echo(f"weights {version} are in force for later matches (settings {said['version']})")


@app.command("try")
def try_(
    version: Version,
    *,
    limit: Limit = LIMIT,
    samples: Samples = 3,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Say which pairs of the past other weights would decide otherwise; nothing is changed."""

    async def question(store: PolicyStore) -> Hindsight:
        weights = await _find(store, version)
        thresholds = (await store.settings()).thresholds
        return await look_back(store, thresholds, weights, limit, samples)

    hindsight = ask(question, tenant)
    typer.echo(
        orjson.dumps(hindsight_document(hindsight)).decode()
        if as_json
        else "\n".join(hindsight_lines(hindsight))
    )


async def _find(store: PolicyStore, version: str | None) -> Weights:
    number = (await store.settings()).weights_version if version is None else _number(version)
    weights = await store.weights(number)
    if weights is None:
        raise UnknownVersionError(f"no version {number} of the weights: see `kith weights list`")
    return weights


def _told(learned: Learned, source: str) -> dict[str, Any]:
    """Write what was learned as the resolver is asked to keep it."""
    return {
        "weights": to_document(learned.weights),
        "learned_from": {
            "from": source,
            "matches": learned.matches,
            "others": learned.others,
            "loss_before": round(learned.loss_before, 4),
            "loss_after": round(learned.loss_after, 4),
        },
    }


def _number(version: str) -> int | None:
    if version == RELEASE:
        return None
    if not version.isdecimal() or not 1 <= int(version) < 2**31:
        raise typer.BadParameter(f"{version}: a version's number, or {RELEASE}")
    return int(version)


def _read_labels(
    file: Path, truth: str, maps: Sequence[str], region: str, seed: int
) -> Sequence[LabelledPair]:
    from kith.evaluation.labelled import read_labelled  # noqa: PLC0415  # reads of files only here
    from kith.evaluation.pairs import labelled_pairs  # noqa: PLC0415  # too

    with failing():
        return labelled_pairs(read_labelled(file, truth, maps), region, seed)
