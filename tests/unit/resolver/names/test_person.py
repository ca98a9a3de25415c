"""Reading names of persons."""

from random import Random
from string import ascii_letters

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.resolver.domain.names.given import is_known
from services.resolver.domain.names.person import parse_person
from services.resolver.domain.names.tables import read_words
from services.resolver.domain.names.wording import MAX_WORDS, split_words


@pytest.mark.parametrize(
    ("text", "given_names", "family", "particles"),
    [
        ("John Smith", ("john",), ("smith",), ()),
        ("Smith, John", ("john",), ("smith",), ()),
        ("Smith, John Paul", ("john", "paul"), ("smith",), ()),
        ("Jean DUPONT", ("jean",), ("dupont",), ()),
        ("DUPONT Jean Marc", ("jean", "marc"), ("dupont",), ()),
        ("JEAN DUPONT", ("jean",), ("dupont",), ()),
        ("Ludwig van Beethoven", ("ludwig",), ("beethoven",), ("van",)),
        ("van der Berg, Jan", ("jan",), ("berg",), ("van", "der")),
        ("Juan De La Cruz", ("juan",), ("cruz",), ("de", "la")),
        ("Mohammed bin Salman", ("mohammed",), ("salman",), ("bin",)),
        ("Abd al-Rahman Hassan", ("abdulrahman",), ("hassan",), ()),
        ("Abdul Rahman Khan", ("abdulrahman",), ("khan",), ()),
        ("O'Brien, Pat", ("pat",), ("obrien",), ()),
        ("Pat O\u2019Brien", ("pat",), ("obrien",), ()),
        ("Hans-Peter Müller", ("hans", "peter"), ("muller",), ()),
        ("J.R.R. Tolkien", ("j", "r", "r"), ("tolkien",), ()),
        ("Madonna", ("madonna",), (), ()),
        ("Γιώργος Παπαδόπουλος", ("giorgos",), ("papadopulos",), ()),
        ("Евгений Петров", ("evgeniy",), ("petrov",), ()),
        ("王小明", ("xiaoming",), ("wang",), ()),
        ("欧阳娜娜", ("nana",), ("ouyang",), ()),
        ("田中太郎", ("taro",), ("tanaka",), ()),
        ("山田太郎", ("taro",), ("yamada",), ()),
        ("小林 裕太", ("yuta",), ("kobayashi",), ()),
        ("井上太郎", ("taro",), ("inoue",), ()),
        ("近藤太郎", ("taro",), ("kondo",), ()),
        ("長谷川太郎", ("taro",), ("hasegawa",), ()),
        ("山本 花子", ("hanako",), ("yamamoto",), ()),
        ("김철수", ("cheolsu",), ("gim",), ()),
        ("John Smith | CEO at Acme", ("john",), ("smith",), ()),
        ("🎉 Mary Jones 🎉", ("mary",), ("jones",), ()),
        ("John\u200b Smith", ("john",), ("smith",), ()),
    ],
)
def test_a_name_is_read_into_its_parts(
    text: str, given_names: tuple[str, ...], family: tuple[str, ...], particles: tuple[str, ...]
) -> None:
    name = parse_person(text)
    assert (name.given, name.family, name.particles) == (given_names, family, particles)


@pytest.mark.parametrize(
    ("text", "honorifics"),
    [
        ("Dr. John Smith, PhD", ("dr", "phd")),
        ("John Smith, MBA, PMP", ("mba", "pmp")),
        ("Mr John Smith Esq.", ("mr",)),
        ("Prof. Dr. Dr. h.c. John Smith", ("prof", "dr", "dr")),
        ("John Smith Ph.D.", ("phd",)),
    ],
)
def test_titles_and_letters_are_no_name(text: str, honorifics: tuple[str, ...]) -> None:
    name = parse_person(text)
    assert set(honorifics) <= set(name.honorifics)
    assert {"john", "smith"} <= set(name.words)


@pytest.mark.parametrize(
    ("text", "generation"),
    [
        ("John Smith Jr.", 2),
        ("Smith, John, Jr.", 2),
        ("Smith Jr., John", 2),
        ("John Smith Sr", 1),
        ("John Smith III", 3),
        ("John Smith", None),
    ],
)
def test_jr_and_sr_are_told(text: str, generation: int | None) -> None:
    name = parse_person(text)
    assert name.generation == generation
    assert name.words == ("john", "smith")


def test_nicknames_and_birth_names_are_set_aside() -> None:
    assert parse_person('Robert "Bob" Smith').nicknames == ("bob",)
    assert parse_person("Robert (Bob) Smith").nicknames == ("bob",)
    assert parse_person("Robert Smith", nickname="Bobby").nicknames == ("bobby",)
    for text in ("Anna Schmidt (née Weber)", "Anna Schmidt geb. Weber", "Anna Schmidt, née Weber"):
        name = parse_person(text)
        assert (name.words, name.former) == (("anna", "schmidt"), ("weber",))


@pytest.mark.parametrize(
    "text",
    ["", " ", "Unknown", "N/A", "test", "Test User", "-", "???", "+1 555 123 4567", "12345", "null",
     "https://example.com/john", "\u200b", "🎉"],
)  # fmt: skip
def test_what_names_nobody_is_empty(text: str) -> None:
    assert not parse_person(text)
    assert not parse_person(first_name=text, last_name=text)


@pytest.mark.parametrize(
    "text",
    ["J0hn Smith", "J\u043ehn Smith", "john.smith@example.com", "Acme Solutions Ltd", "Xqzt Bbvrk",
     "jOHn sMItH", "John Smith 7"],
)  # fmt: skip
def test_what_nobody_meant_as_a_name_contradicts_nothing(text: str) -> None:
    assert not parse_person(text).is_well_formed


@pytest.mark.parametrize(
    "text",
    ["John Smith", "J. Smith", "Ng Wei", "Đặng Văn Lâm", "Søren Kierkegaard", "Connor McDonald",
     "Владимир Путин", "محمد بن سلمان", "Leonardo DiCaprio", "Björk Guðmundsdóttir",
     "João Ricci", "Joao Silva", "Mykhailo Smith", "Valtteri Bottas", "Jyotsna Rao"],
)  # fmt: skip
def test_names_of_many_peoples_are_well_formed(text: str) -> None:
    assert parse_person(text).is_well_formed


def test_known_names_are_well_formed_by_the_thousand() -> None:
    """Given and family names of the tables, two and two: nothing about any of them is garbled."""
    families = sorted(read_words("known_names"))
    dice = Random(7)
    firsts = [word for word in families if is_known(word)]
    names = [f"{dice.choice(firsts).title()} {family.title()}" for family in families[::5]]
    assert len(names) > 4_000
    assert [name for name in names if not parse_person(name).is_well_formed] == []
    assert parse_person("Charles Bradshaw").is_well_formed


@given(st.integers(0, 1_000_000))
def test_consonants_thrown_together_are_no_name(seed: int) -> None:
    word = "".join(Random(seed).choices("bcdfgkpqvxz", k=8))
    assert not parse_person(f"John {word.title()}").is_well_formed


@pytest.mark.parametrize(
    ("text", "words"),
    [("J0hn Smith", ("john", "smith")), ("Ada Person42", ("ada", "person42")),
     ("Ada Person7x19", ("ada", "person7x19"))],
)  # fmt: skip
def test_digits_that_stand_for_no_letters_stay(text: str, words: tuple[str, ...]) -> None:
    assert parse_person(text).words == words


def test_an_address_for_a_name_still_names() -> None:
    assert parse_person("john.smith99@example.com").words == ("john", "smith")


def test_fields_that_hold_too_much_are_read_all_the_same() -> None:
    expected = ("john", "smith")
    assert parse_person(first_name="John", last_name="Smith").words == expected
    assert parse_person(first_name="John Smith", last_name="Smith").words == expected
    assert parse_person(first_name="John Smith", last_name="John Smith").words == expected
    assert parse_person(first_name="John", last_name="John Smith").words == expected
    assert parse_person(first_name="Smith, John", last_name="Smith").words == expected
    assert parse_person(first_name="John Smith").words == expected
    assert parse_person("John Smith", first_name="N/A", last_name="Unknown").words == expected
    assert parse_person(first_name="太郎", last_name="田中").words == ("taro", "tanaka")


def test_fields_beside_the_name_are_used() -> None:
    name = parse_person("John Smith", name_prefix="Dr.", name_suffix="Jr., MBA")
    assert (name.generation, name.honorifics) == (2, ("dr", "mba"))


def test_nobody_has_no_words() -> None:
    nobody = parse_person(None)
    assert not nobody
    assert nobody.initials == ""
    assert parse_person("John Maynard Keynes").initials == "jmk"


@given(st.text(max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    """Nothing raises, and every word is plain, lower-case letters and digits."""
    name = parse_person(text)
    assert all(word and word.isascii() and word == word.lower() for word in name.words)
    assert parse_person(first_name=text, middle_name=text, last_name=text, nickname=text).words == (
        parse_person(first_name=text, middle_name=text, last_name=text, nickname=text).words
    )


@given(st.text(min_size=1_000, max_size=5_000))
def test_a_long_text_gives_a_bounded_name(text: str) -> None:
    assert len(parse_person(text).words) <= 2 * MAX_WORDS


@pytest.mark.parametrize(
    ("said", "given", "family"),
    [
        ({"last_name": "Taylor"}, (), ("taylor",)),
        ({"full_name": "Taylor", "last_name": "TAYLOR"}, (), ("taylor",)),
        ({"first_name": "Taylor"}, ("taylor",), ()),
        ({"full_name": "Taylor"}, ("taylor",), ()),
        ({"last_name": "Anna Taylor"}, ("anna",), ("taylor",)),
    ],
)
def test_a_family_name_alone_is_no_given_name(
    said: dict[str, str], given: tuple[str, ...], family: tuple[str, ...]
) -> None:
    """Forms that insist on a last name hold whole names there."""
    name = parse_person(**said)
    assert (name.given, name.family) == (given, family)


@given(st.text(ascii_letters, max_size=60) | st.sampled_from(sorted(read_words("placeholders"))))
def test_a_field_of_one_plain_word_is_read_as_any_other(word: str) -> None:
    """What needs no sorting out is read the short way; a space at the end makes it the long one."""
    assert split_words(word) == split_words(f"{word} ")


@pytest.mark.parametrize(
    ("full", "given_names"),
    [
        ("Henry Thomas Clark", ("henry", "thomas")),
        ("Clark, Henry T.", ("henry", "t")),
        ("Henry Clark", ("henry",)),
        ("Thomas Henry Clark", ("henry",)),
        ("Henry Thomas Miller", ("henry",)),
    ],
)
def test_a_middle_name_that_only_the_full_name_has_is_read(
    full: str, given_names: tuple[str, ...]
) -> None:
    name = parse_person(full, first_name="Henry", last_name="Clark")
    assert (name.given, name.family) == (given_names, ("clark",))
