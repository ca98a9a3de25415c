"""Inputs that nobody meant: good ones cut, spliced, repeated and salted with what parsers mind.

The same dice give the same input, so that a fault is told by its number and found again.
"""

import io
import random
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import orjson

MAX_BYTES: Final = 131_072
"""Of an input: what takes long shows there, and a second reads thousands of smaller ones."""

MOST_CHANGES: Final = 8

_ZIP: Final = b"PK\x03\x04"

TOKENS: Final = tuple(
    line.encode().decode("unicode_escape").encode("latin-1")
    for line in (Path(__file__).parent / "tokens.txt").read_text().splitlines()
)
"""What parsers mind: marks, quotes, ends of lines, words of formats, numbers out of bounds."""

VALUES: Final[tuple[Any, ...]] = (
    *(None, True, 0, -1, 1e308, 2**63, 10**30, [], {}, [None], [{}], {"value": None}),
    *("", " ", "\x00", "\ud7ff", "\u202e", "x" * 5_000, "9" * 50, "+", "@", "a@b", "-1"),
    *([[[]]], {"a": {"b": {"c": {}}}}, "0000-00-00", "2026-02-30", "https://[", "con_", "DE"),
)
"""What a field of JSON may hold instead."""

CODES: Final = ("utf-16", "utf-16-le", "utf-32", "cp1252", "cp932", "utf-8-sig", "mac_roman")

_NUMBER = re.compile(rb"\d+")

Dice = random.Random


def mutated(seeds: Sequence[bytes], dice: Dice) -> bytes:
    """Make an input out of good ones."""
    data = dice.choice(seeds)
    if data.startswith(_ZIP) and dice.random() < 0.9:
        data = _repacked(data, dice)
    elif data[:1] in b"{[" and dice.random() < 0.8:
        data = _other_json(data, dice)
    else:
        data = _changed(data, seeds, dice)
    return data[:MAX_BYTES]


def _changed(data: bytes, seeds: Sequence[bytes], dice: Dice) -> bytes:
    for _ in range(dice.randint(1, MOST_CHANGES)):
        data = dice.choice(CHANGES)(data, seeds, dice)[:MAX_BYTES]
    return data


def _span(data: bytes, dice: Dice) -> tuple[int, int]:
    """Choose where something stands, more often a few bytes than many; at times, whole lines."""
    begin = dice.randint(0, len(data))
    end = min(len(data), begin + int(2 ** dice.uniform(0, 11)))
    if dice.random() < 0.4:
        begin = data.rfind(b"\n", 0, begin) + 1
        end = (data.find(b"\n", end) + 1) or len(data)
    return begin, max(begin, end)


def _flip(data: bytes, _seeds: Sequence[bytes], dice: Dice) -> bytes:
    if not data:
        return data
    at = dice.randrange(len(data))
    return data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]


def _cut(data: bytes, _seeds: Sequence[bytes], dice: Dice) -> bytes:
    return data[: dice.randint(0, len(data))]


def _leave_out(data: bytes, _seeds: Sequence[bytes], dice: Dice) -> bytes:
    begin, end = _span(data, dice)
    return data[:begin] + data[end:]


def _repeat(data: bytes, _seeds: Sequence[bytes], dice: Dice) -> bytes:
    begin, end = _span(data, dice)
    times = int(2 ** dice.uniform(0, 12))
    times = min(times, 1 + MAX_BYTES // max(1, end - begin))
    return data[:end] + data[begin:end] * times + data[end:]


def _move(data: bytes, _seeds: Sequence[bytes], dice: Dice) -> bytes:
    begin, end = _span(data, dice)
    rest = data[:begin] + data[end:]
    at = dice.randint(0, len(rest))
    return rest[:at] + data[begin:end] + rest[at:]


def _splice(data: bytes, seeds: Sequence[bytes], dice: Dice) -> bytes:
    other = dice.choice(seeds)
    begin, end = _span(other, dice)
    at = dice.randint(0, len(data))
    return data[:at] + other[begin:end] + data[at:]


def _salt(data: bytes, _seeds: Sequence[bytes], dice: Dice) -> bytes:
    begin, end = _span(data, dice)
    token = dice.choice(TOKENS) * dice.choice((1, 1, 1, 2, 50))
    return data[:begin] + token + data[begin if dice.random() < 0.7 else end :]


def _other_number(data: bytes, _seeds: Sequence[bytes], dice: Dice) -> bytes:
    numbers = list(_NUMBER.finditer(data))
    if not numbers:
        return data
    begin, end = dice.choice(numbers).span()
    number = dice.choice((b"0", b"-1", b"99999999999", b"00", b"31", b"4294967296", b"9" * 400))
    return data[:begin] + number + data[end:]


def _recode(data: bytes, _seeds: Sequence[bytes], dice: Dice) -> bytes:
    text = data.decode("utf-8", "replace")
    code = dice.choice(
        ("utf-16", "utf-16-le", "utf-32", "cp1252", "cp932", "utf-8-sig", "mac_roman")
    )
    return text.encode(code, "replace")


def _other_lines(data: bytes, _seeds: Sequence[bytes], dice: Dice) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(
        b"\n", dice.choice((b"\r", b"\r\n", b"\r\r\n", b"\n\n"))
    )


Change = Callable[[bytes, Sequence[bytes], Dice], bytes]
CHANGES: Final[tuple[Change, ...]] = (
    *(_flip, _flip, _cut, _leave_out, _leave_out, _repeat, _move, _splice, _splice),
    *(_salt, _salt, _salt, _other_number, _recode, _other_lines),
)


def _repacked(data: bytes, dice: Dice) -> bytes:
    """Change one part of an archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        names = old.namelist()
        chosen = dice.choice(names)
        for name in names:
            part = old.read(name)
            if name == chosen:
                if dice.random() < 0.1:
                    continue
                part = _changed(part, [old.read(one) for one in names], dice)
            # By its name alone the part would be of now, and the same dice give another archive.
            new.writestr(zipfile.ZipInfo(name), part, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _other_json(data: bytes, dice: Dice) -> bytes:
    """Change values, names and numbers of fields, of one line, and keep it JSON."""
    lines = data.split(b"\n")
    place = dice.randrange(len(lines))
    lines[place] = _other_document(lines[place], dice)
    return b"\n".join(lines)


def _other_document(data: bytes, dice: Dice) -> bytes:
    document = orjson.loads(data)
    for _ in range(dice.randint(1, MOST_CHANGES)):
        holder = dice.choice(list(_holders(document)))
        if isinstance(holder, dict) and holder:
            name = dice.choice(list(holder))
            if dice.random() < 0.2:
                holder[dice.choice((name + "x", "", "signal", "\x00", "_" * 300))] = holder[name]
            else:
                holder[name] = _other_value(holder[name], dice)
        elif isinstance(holder, list) and holder:
            place = dice.randrange(len(holder))
            if dice.random() < 0.2:
                del holder[place + 1 :]
                holder *= dice.choice((0, 2, 60, 200))
                break  # repeated within what is repeated, it would fill the memory here
            holder[place] = _other_value(holder[place], dice)
    return orjson.dumps(_writable(document))


def _holders(value: Any) -> Iterator[Any]:
    """Yield every list and every object of a document."""
    if isinstance(value, dict | list):
        yield value
        for one in value.values() if isinstance(value, dict) else value:
            yield from _holders(one)


def _other_value(value: Any, dice: Dice) -> Any:
    if isinstance(value, str) and dice.random() < 0.5:
        text = _changed(value.encode(), [value.encode()], dice)[:20_000]
        return text.decode("utf-8", "replace")
    return deepcopy(dice.choice(VALUES))


def _writable(value: Any) -> Any:
    """Leave numbers out that JSON's writer has no room for."""
    if isinstance(value, dict):
        return {str(name): _writable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_writable(one) for one in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return float(value)
    return value
