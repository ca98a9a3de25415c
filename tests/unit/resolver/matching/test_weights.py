"""The weights of releases, which decisions name."""

import hashlib
from typing import Final

import pytest

from services.resolver.domain.matching.weights import (
    CURRENT,
    FIRST,
    RELEASES,
    default_weights,
    release_weights,
)

KEPT: Final = {
    "2026-11.5": "26407a6cc6c8e4c168a3fc1c787d2697bd0570818a3ac80d38aab05e6452c66b",
    "2026-11.6": "fca49b05d11dd111193d59a70965a463bb4638ba045d014b594b96f65766e0ed",
}
"""Version → SHA-256 of its file.  What differs is another version: add a file, leave the others."""


def test_weights_that_decided_something_are_as_they_were() -> None:
    found = {
        file.name.removesuffix(".json"): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in RELEASES.iterdir()
        if file.name.endswith(".json")
    }
    assert found == KEPT


@pytest.mark.parametrize("version", sorted(KEPT))
def test_a_file_is_named_by_its_version(version: str) -> None:
    weights = release_weights(version)
    assert weights
    assert weights.version == version


def test_the_current_and_the_first_release_are_known() -> None:
    assert default_weights().version == CURRENT
    assert release_weights(FIRST)


def test_weights_of_a_later_release_are_not_known() -> None:
    assert release_weights("2999-01.1") is None
