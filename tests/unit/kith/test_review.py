"""How pairs are named on the command line."""

import pytest
import typer

from kith.review import parse_pair

ONE, OTHER = "con_" + "1" * 26, "con_" + "2" * 26


def test_a_number_names_a_pair() -> None:
    named, seen = parse_pair("17")
    assert (named.numbers, named.statuses, seen) == ((17,), None, None)


def test_what_the_list_prints_says_which_versions_were_seen() -> None:
    named, seen = parse_pair("17@3.5")
    assert (named.numbers, seen) == ((17,), (3, 5))


def test_both_contacts_name_a_pair() -> None:
    named, seen = parse_pair(f"{ONE}.{OTHER}@1.2")
    assert (named.contacts, seen) == ((ONE, OTHER), (1, 2))


@pytest.mark.parametrize("text", ["", "x", "17@3", "17@", f"{ONE}", f"{ONE}.cmp_1", "@1.2"])
def test_whatever_else_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_pair(text)
