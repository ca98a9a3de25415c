"""Every statement of every service can be prepared against the migrated schema, as its own role."""

from collections.abc import AsyncIterator
from importlib.resources import files

import asyncpg
import pytest

from kith.migrate import PACKAGES
from shared.postgres.queries import Queries
from tests.support.database import Databases, databases
from tests.support.stack import running_stack

ROLES = {
    "services.resolver.sql": ("kith_resolver", "kith_relay"),
    "services.projector.sql": ("kith_projector", "kith_migrator"),
    "services.indexer.sql": ("kith_indexer", "kith_migrator"),
    "services.enricher.sql": ("kith_enricher",),
    "services.ingest.sql": ("kith_ingest",),
    "services.api.sql": ("kith_api",),
}
"""The package of statements → the roles one of which runs each; rebuilds run as the owner."""

STATEMENTS = [
    (package, file.name, name)
    for _, package in PACKAGES
    for file in sorted(files(package).iterdir(), key=str)
    if file.name.endswith(".sql")
    for name in sorted(Queries.load(package, file.name).names)
]


@pytest.fixture(scope="module")
async def made() -> AsyncIterator[tuple[Databases, str]]:
    with running_stack(["postgres"]) as stack:
        async with databases(stack) as made:
            yield made, await made.create()


@pytest.mark.parametrize(("package", "file", "name"), STATEMENTS)
async def test_it_can_be_prepared(
    made: tuple[Databases, str], package: str, file: str, name: str
) -> None:
    databases_, database = made
    refused = None
    for role in ROLES[package]:
        connection = await asyncpg.connect(databases_.dsn(role, database))
        try:
            await connection.prepare(Queries.load(package, file)[name])
        except asyncpg.InsufficientPrivilegeError as error:
            refused = error
        else:
            return
        finally:
            await connection.close()
    raise AssertionError(f"{package}: none of {ROLES[package]} may run {name}") from refused


def test_every_package_has_its_roles() -> None:
    assert {package for _, package in PACKAGES} == set(ROLES)
