"""Companies merge, come apart and are related: by command, with whole circles refused."""

from datetime import UTC, datetime
from typing import Any

import pytest
from ulid import ULID

from services.resolver.store.company_judging import CompanyAnswer
from shared.auth import Place
from shared.events.command import (
    CompanyOrder,
    MergeCompanies,
    RejectCompanyMerge,
    RelateCompanies,
    SplitCompany,
    UnrelateCompanies,
)
from tests.integration.resolver.conftest import Home, Resolver
from tests.integration.resolver.test_resolving import check


class Town:
    """A few companies, by a letter each, and who orders about them."""

    def __init__(self, home: Home, resolver: Resolver) -> None:
        self._home = home
        self._resolver = resolver
        self.names: dict[str, str] = {}
        self._place: Place | None = None

    async def build(self, letters: str) -> None:
        """Let each company employ somebody."""
        await self._resolver.resolve(
            *(
                self._resolver.a_signal(
                    f"r-{one}", email=f"p@{one}-works.com", company=f"{one} Ltd"
                )
                for one in letters
            )
        )
        for row in await self._home.fetch(
            "SELECT public_id, primary_domain FROM contact.organisation"
        ):
            self.names[row["primary_domain"][0]] = row["public_id"]
        (row,) = await self._home.fetch("SELECT id, tenant_id FROM app.workspace")
        self._place = Place(row["tenant_id"], row["id"], self._home.tenant, self._home.workspace)

    async def order(self, model: type[CompanyOrder], company: str, /, **said: Any) -> CompanyAnswer:
        """Order something; names are letters."""
        for field in ("other", "absorbed"):
            if field in said:
                said[f"{field}_id"] = self.names[said.pop(field)]
        command = model(
            command_id=said.pop("command_id", f"cmd_{ULID()}"),
            tenant=self._home.tenant,
            workspace=self._home.workspace,
            issued_at=datetime.now(UTC),
            company_id=self.names[company],
            **said,
        )
        assert self._place is not None
        return await self._resolver.store.judge_companies(command, self._place)

    async def standing(self) -> dict[str, str]:
        """Return company → who stands for it."""
        letters = {name: letter for letter, name in self.names.items()}
        rows = await self._home.fetch(
            "SELECT o.public_id, coalesce(s.public_id, o.public_id) AS root"
            " FROM contact.organisation o LEFT JOIN contact.organisation s"
            " ON s.id = o.merged_into_id"
        )
        return {letters[row["public_id"]]: letters[row["root"]] for row in rows}

    async def told(self, company: str) -> list[tuple[int, str]]:
        """Return the company's events, version and kind."""
        rows = await self._home.fetch(
            "SELECT sequence_number, event_type FROM contact.organisation_event"
            " WHERE entity_public_id = $1 ORDER BY 1",
            self.names[company],
        )
        return [(row["sequence_number"], row["event_type"]) for row in rows]


@pytest.fixture
def town(home: Home, resolver: Resolver) -> Town:
    return Town(home, resolver)


async def test_a_merge_redirects_and_its_undo_leaves_nothing(home: Home, town: Town) -> None:
    await town.build("abc")
    done = await town.order(MergeCompanies, "a", absorbed="b", reason="bought")
    assert (done.outcome, set(done.positions)) == ("done", {town.names["a"], town.names["b"]})
    await town.order(MergeCompanies, "c", absorbed="b")
    assert await town.standing() == {"a": "c", "b": "c", "c": "c"}
    undone = await town.order(SplitCompany, "b", merge_id=done.merge_id)
    assert undone.outcome == "done"
    assert await town.standing() == {"a": "a", "b": "c", "c": "c"}
    await town.order(SplitCompany, "c")
    assert await town.standing() == {"a": "a", "b": "b", "c": "c"}
    assert (await town.order(SplitCompany, "c")).outcome == "unknown_merge"
    versions = [version for version, _ in await town.told("b")]
    assert versions == list(range(1, len(versions) + 1))
    assert {kind for _, kind in await town.told("b")} == {
        "CompanyCreated",
        "CompaniesMerged",
        "CompaniesSplit",
    }
    assert (
        await home.value("SELECT count(*) FROM contact.org_merge_log WHERE split_at IS NULL") == 0
    )
    await check(home)


async def test_the_same_command_is_carried_out_once(home: Home, town: Town) -> None:
    await town.build("ab")
    again = f"cmd_{ULID()}"
    first = await town.order(MergeCompanies, "a", absorbed="b", command_id=again)
    second = await town.order(MergeCompanies, "a", absorbed="b", command_id=again)
    assert (first.outcome, second.outcome) == ("done", "done")
    assert second.positions == {town.names["a"]: 2}
    assert (await town.order(MergeCompanies, "b", absorbed="a")).outcome == "unchanged"
    assert (await town.order(RejectCompanyMerge, "b", other="a")).outcome == "one_company"
    assert await home.value("SELECT count(*) FROM contact.org_merge_log") == 1


async def test_no_company_is_its_own_ancestor(town: Town) -> None:
    """Neither by what people say, nor by a merge of a company with what is far above it."""
    await town.build("abcd")
    for child, parent in (("b", "a"), ("c", "b"), ("d", "c")):
        done = await town.order(RelateCompanies, child, other=parent, kind="subsidiary")
        assert done.outcome == "done"
    circle = await town.order(RelateCompanies, "a", other="d", kind="division")
    assert circle.outcome == "circular"
    assert (await town.order(MergeCompanies, "a", absorbed="d")).outcome == "circular"
    assert (await town.order(MergeCompanies, "a", absorbed="c")).outcome == "circular"
    second = await town.order(RelateCompanies, "d", other="a", kind="subsidiary")
    assert second.outcome == "has_parent"
    assert (await town.order(MergeCompanies, "a", absorbed="b")).outcome == "done"
    assert (await town.order(RelateCompanies, "a", other="d", kind="division")).outcome == (
        "circular"
    )


async def test_a_relation_is_told_to_both_and_taken_back(home: Home, town: Town) -> None:
    await town.build("ab")
    said: dict[str, Any] = {"other": "b", "kind": "partner"}
    assert (await town.order(RelateCompanies, "a", **said)).outcome == "done"
    assert (await town.order(RelateCompanies, "b", other="a", kind="partner")).outcome == (
        "unchanged"
    )
    assert [kind for _, kind in await town.told("b")] == ["CompanyCreated", "CompaniesRelated"]
    assert (await town.order(RelateCompanies, "a", **said, since="2020-05-01")).outcome == "done"
    assert await home.value("SELECT since::text FROM contact.org_relation") == "2020-05-01"
    assert (await town.order(UnrelateCompanies, "b", other="a", kind="partner")).outcome == "done"
    assert (await town.order(UnrelateCompanies, "a", **said)).outcome == "unknown_relation"
    assert await home.value("SELECT count(*) FROM contact.org_relation") == 0


async def test_a_name_alone_merges_no_two_companies(
    home: Home, resolver: Resolver, town: Town
) -> None:
    """It puts them up for review; a no is kept."""
    await resolver.resolve(
        resolver.a_signal("r1", email="p@one-works.com", company="Acme Ltd"),
        resolver.a_signal("r2", email="p@two-works.com", company="ACME Ltd."),
    )
    await town.build("x")
    assert await home.value("SELECT count(*) FROM contact.organisation") == 3
    waiting = await home.fetch("SELECT reason, status::text FROM contact.org_dedup_candidates")
    assert [tuple(row) for row in waiting] == [("same_name", "open")]
    done = await town.order(RejectCompanyMerge, "o", other="t")
    assert done.outcome == "done"
    assert await home.value("SELECT status::text FROM contact.org_dedup_candidates") == "rejected"
    assert (await town.order(RejectCompanyMerge, "t", other="o")).outcome == "unchanged"


async def test_what_the_tenant_does_not_know_changes_nothing(town: Town) -> None:
    await town.build("a")
    town.names["z"] = f"cmp_{ULID()}"
    assert (await town.order(MergeCompanies, "a", absorbed="z")).outcome == "unknown_company"
