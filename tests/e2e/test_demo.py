"""The newcomer's story: `kith demo`, and once more."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from kith.demo.report import Report

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

KITH = (str(Path(sys.executable).parent / "kith"),)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Give the demo a stack of its own, since it fills the default workspace."""
    found = {**os.environ, "KITH_HOME": str(tmp_path_factory.mktemp("demo"))}
    yield found
    subprocess.run([*KITH, "down", "--wipe"], env=found, check=True, capture_output=True)


@pytest.fixture(scope="module")
def runs(environment: dict[str, str]) -> list[tuple[Report, str]]:
    """Two runs, one after the other: each one's report and progress."""
    return [run_demo(environment) for _ in range(2)]


def run_demo(environment: dict[str, str]) -> tuple[Report, str]:
    done = subprocess.run(
        [*KITH, "demo", "--json", "--signals", "500"],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    return Report.model_validate(orjson.loads(done.stdout)), done.stderr


def test_everything_fed_is_accounted_for(runs: list[tuple[Report, str]]) -> None:
    first, progress = runs[0]
    assert first.ok
    assert first.fed == first.new + first.already_known + first.dead_letters + first.lost
    assert first.fed > 800  # 500 CRM records and the rows of three files
    assert (first.dead_letters, first.lost, first.not_in_read_model) == (0, 0, 0)
    assert first.new_contacts == first.contacts == first.new - first.merged
    assert first.merged > 100
    assert "publishing 50" in progress


def test_a_second_run_makes_no_contact(runs: list[tuple[Report, str]]) -> None:
    """Vendors answer on between the runs, and matching decides again about whom they tell of."""
    first, second = runs[0][0], runs[1][0]
    assert second.ok
    assert second.new_contacts == second.new == 0
    assert second.already_known == second.fed == first.fed
    assert second.contacts == second.fed - second.merged


def test_the_truth_is_met(runs: list[tuple[Report, str]]) -> None:
    quality = runs[0][0].quality
    assert quality.precision > 0.85
    assert quality.recall > 0.85


def test_the_examples_mix_sources(runs: list[tuple[Report, str]]) -> None:
    examples = runs[0][0].examples
    assert len(examples) == 3
    for example in examples:
        assert len({value.record for value in example.values}) > 1


def test_the_line_to_try_works(runs: list[tuple[Report, str]]) -> None:
    """As printed, in a shell, with the key of the first run, which the second has kept."""
    assert runs[0][0].curl == runs[1][0].curl
    answer = subprocess.run(
        shlex.split(runs[1][0].curl), check=True, capture_output=True, timeout=30
    )
    assert len(orjson.loads(answer.stdout)["data"]) == 3
