"""Names of companies, read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.resolver.domain.names.company import MAX_WORDS, company_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Stripe, Inc.", "stripe"),
        ("The Stripe Co., Ltd.", "the stripe"),
        ("STRIPE", "stripe"),
        ("Stripe.com", "stripe"),
        ("https://www.stripe.com/de", "stripe"),
        ("Müller & Söhne GmbH & Co. KG", "muller and son"),
        ("Cemex, S.A.B. de C.V.", "cemex"),
        ("Foo Sp. z o.o.", "foo"),
        ("Foo s. r. o.", "foo"),
        ("ПАО «Ромашка»", "romashka"),
        ("株式会社トヨタ", "toyota"),
        ("Siemens AG Österreich", "siemens osterreich"),
        ("Acme Intl. Mfg. Corp.", "acme international manufacturing"),
        ("AT&T Inc.", "at and t"),
        ("3M Company", "3m"),
        ("Limited", "limited"),
        ("The The", "the the"),
        ("Meta Platforms (formerly Facebook)", "meta platforms"),
        ("Meta d/b/a Facebook", "meta"),
        ("(Facebook)", "facebook"),
        ("d/b/a Facebook", "facebook"),
        ("& (Germany) (Facebook)", "facebook"),
        ("", ""),
        ("n/a", ""),
        ("&", ""),
        ("---", ""),
    ],
)
def test_the_words_of_a_company_are_its_own(text: str, words: str) -> None:
    assert " ".join(company_words(text)) == words


words = st.sampled_from(["Acme", "Globex", "Bank", "International", "GmbH", "of", "3", "Société"])


@given(st.text(max_size=60) | st.lists(words, max_size=6).map(" ".join))
def test_words_are_read_alike_in_any_case(text: str) -> None:
    found = company_words(text)
    assert all(found)
    if text.isascii():
        assert company_words(text.upper()) == company_words(text.lower())


@given(st.text(min_size=1_000, max_size=5_000))
def test_long_texts_are_bounded(text: str) -> None:
    assert len(company_words(text)) <= MAX_WORDS
