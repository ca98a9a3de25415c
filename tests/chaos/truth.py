"""What was fed against what came of it: the ledger (I1, I2) and who is whom (I4)."""

from collections import Counter, defaultdict

from tests.chaos.workload import Workload, joined
from tests.support.invariants import Broken, Connection


async def check_ledger(
    connection: Connection, tenant_id: int, workload: Workload, broken: Broken
) -> None:
    """Every version of every record is in the ledger once, and nothing else is."""
    rows = await connection.fetch(
        "SELECT raw ->> 'mark' AS mark, rejected IS NOT NULL AS rejected"
        " FROM contact.source_record WHERE tenant_id = $1",
        tenant_id,
    )
    found = Counter(row["mark"] for row in rows)
    expected = workload.marks
    for mark in expected - found.keys():
        broken.add("I1", f"{mark}: fed, but not in the ledger")
    for mark in found.keys() - expected:
        broken.add("I1", f"{mark}: in the ledger, but never fed")
    for mark, count in found.items():
        if count > 1:
            broken.add("I2", f"{mark}: {count} times in the ledger")
    noted = {row["mark"] for row in rows if row["rejected"]}
    for mark in noted ^ (workload.unparseable & found.keys()):
        broken.add("I1", f"{mark}: values that cannot be read are not noted as they should")


async def check_identity(
    connection: Connection, tenant_id: int, workload: Workload, broken: Broken
) -> None:
    """Contacts joined by merges and open candidates hold what the truth says belongs together.

    The truth does not depend on order or faults, and a run without faults is held to it too, so
    that the partitions of both are equal.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for row in await connection.fetch(
        "SELECT contact_id, source_record_id AS member FROM contact.source_record"
        " WHERE tenant_id = $1 UNION"
        " SELECT contact_id, identifier_type || ':' || normalized_value"
        " FROM contact.contact_identifier WHERE tenant_id = $1 AND deleted_at IS NULL",
        tenant_id,
    ):
        groups[f"contact {row['contact_id']}"].append(row["member"])
    pairs = await connection.fetch(
        "SELECT contact_id_a, contact_id_b FROM contact.contact_dedup_candidates"
        " WHERE tenant_id = $1 AND status = 'open'",
        tenant_id,
    )
    absorbed = await connection.fetch(
        "SELECT id, merged_into_id FROM contact.contact"
        " WHERE tenant_id = $1 AND merged_into_id IS NOT NULL",
        tenant_id,
    )
    found = joined(
        [
            *((contact, *members) for contact, members in groups.items()),
            *((f"contact {a}", f"contact {b}") for a, b in (*pairs, *absorbed)),
        ]
    )
    people = {frozenset(one for one in group if not one.startswith("contact ")) for group in found}
    expected = workload.partition()
    for group in expected - people:
        broken.add("I4", f"{max(group)}: its {len(group)} members are not together, alone")
    for group in people - expected:
        broken.add("I4", f"{max(group)}: {len(group)} members are together, but should not")


async def check_statistics(
    connection: Connection, tenant_id: int, workload: Workload, again: int, broken: Broken
) -> None:
    """Every record is counted among those that matching weighs by, and few are twice.

    A version of a record counts once more, and so does what is read `again` after a kill, which is
    a batch at most (ADR 0045).
    """
    counted = await connection.fetchval(
        "SELECT coalesce(sum(occurrences), 0)::bigint FROM contact.attribute_frequency"
        " WHERE tenant_id = $1 AND attribute = 'record'",
        tenant_id,
    )
    least, most = len(workload.records), len(workload.marks) + again
    if counted < least:
        broken.add("I1", f"statistics have {counted} records, of {least} that there are")
    if counted > most:
        broken.add("I2", f"statistics have {counted} records, of {most} that were read")
