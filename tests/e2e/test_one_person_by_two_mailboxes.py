"""Behind the gate: two records that share no identifier, and one person by what they say."""

import pytest

from tests.e2e.running import Running, until

pytestmark = pytest.mark.stack

ADA = {
    "full_name": "Adalbert Lovelace",
    "employments": [{"company_name": "Analytical Engines", "title": "Chief Mathematician"}],
    "addresses": [{"city": "Marylebone"}],
}
MAILBOXES = ("adalbert.lovelace@engines.example", "adalbert.lovelace@gmail.com")


async def test_the_matcher_makes_them_one_contact(running: Running) -> None:
    home = await running.home()
    for number, mailbox in enumerate(MAILBOXES):
        await running.push_one(
            home, source_record_id=f"crm-{number}", emails=[{"value": mailbox}], **ADA
        )

    async def is_one() -> bool:
        contacts = (await running.get(home, "/contacts")).json()["data"]
        if len(contacts) != 1:
            return False
        answer = await running.get(home, f"/contacts/{contacts[0]['id']}/identifiers")
        return {one["attributes"]["value"] for one in answer.json()["data"]} == set(MAILBOXES)

    await until(is_one)
