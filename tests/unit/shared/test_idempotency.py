"""Names and fingerprints of requests that are carried out once."""

import pytest

from shared.idempotency import fingerprint, read_name


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('"8e03978e-40d5-43dd"', "8e03978e-40d5-43dd"),
        (" 8e03978e-40d5-43dd ", "8e03978e-40d5-43dd"),
        ("", None),
        ('""', None),
        ('"open', None),
        ("two words", None),
        ("ü", None),
        ("x" * 255, "x" * 255),
        ("x" * 256, None),
    ],
)
def test_a_name_is_quoted_or_bare(header: str, name: str | None) -> None:
    assert read_name(header) == name


def test_every_part_of_a_request_tells_it_apart() -> None:
    asked = ("POST", "/v1/signals", b"a=1", "application/json", b"{}")
    others = [
        ("PUT", *asked[1:]),
        ("POST", "/v1/signals/", *asked[2:]),
        ("POST", "/v1/signals", b"a=2", *asked[3:]),
        (*asked[:3], "text/csv", b"{}"),
        (*asked[:4], b"{} "),
        ("POST", "/v1/signal", b"sa=1", *asked[3:]),
    ]
    assert len({fingerprint(*one) for one in (asked, *others)}) == 7
    assert fingerprint(*asked) == fingerprint(*asked)
