"""Elements of XML as files have them: read by the standard library's expat, piece by piece.

No file may declare a document type, and with it entities: the parser refuses one where it begins.
"""

from collections.abc import Callable
from typing import Final
from xml.parsers import expat

from shared.errors import PoisonMessageError

BrokenXmlError: Final = expat.ExpatError
"""What a parser raises where its input is no XML any more."""


def make_parser(
    what: str,
    *,
    begin: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None],
    say: Callable[[str], None] | None = None,
) -> expat.XMLParserType:
    """Make a parser of UTF-8 that tells of the elements it meets, and of their texts.

    What a file declares of its encoding says nothing: its text comes in UTF-8, and names of codecs
    would be looked up as given.  `what`: what a file is taken for, to tell whoever declares a type.
    """

    def refuse(*_: object) -> None:
        why = f"declares a document type, which no {what} does"
        raise PoisonMessageError("invalid", why, field="file")

    parser = expat.ParserCreate("utf-8")
    if hasattr(parser, "SetReparseDeferralEnabled"):
        # Later builds tell of a large element megabytes after it has ended, and how far a file was
        # read, by which elements are bounded, would say nothing.
        parser.SetReparseDeferralEnabled(False)
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.CharacterDataHandler = say
    return parser


def plain(name: str) -> str:
    """Return an element's name without its prefix, in lower case."""
    return name.rpartition(":")[2].casefold()


def declares_namespace(key: str) -> bool:
    """Tell whether an attribute says what names mean, and nothing of its element."""
    return key == "xmlns" or key.startswith("xmlns:")
