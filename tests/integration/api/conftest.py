"""A world of its own for every test of the api."""

from collections.abc import AsyncIterator, Iterator

import pytest

from kith.stack import Stack
from tests.support.api import World, a_world
from tests.support.database import Databases, databases
from tests.support.stack import running_stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with running_stack(["postgres"]) as stack:
        yield stack


@pytest.fixture(scope="session")
async def scratch(stack: Stack) -> AsyncIterator[Databases]:
    async with databases(stack) as made:
        yield made


@pytest.fixture(scope="session")
async def common(scratch: Databases) -> str:
    """Name the database that most tests share; each has tenants of its own there."""
    return await scratch.create()


@pytest.fixture
async def world(scratch: Databases, common: str) -> AsyncIterator[World]:
    async with a_world(scratch, common) as world:
        yield world


@pytest.fixture
async def own_world(scratch: Databases) -> AsyncIterator[World]:
    """Give a test a database of its own, which it may leave in any state."""
    async with a_world(scratch, await scratch.create()) as world:
        yield world
