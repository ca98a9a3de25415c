"""A contact as a vCard: 4.0 (RFC 6350) or 3.0 (RFC 2426).

Labels of people's own are Apple's (`item1.X-ABLabel`), which most address books read. What vCard
has no property for stands in properties of ours, `X-KITH-…`, which others pass by.
"""

import re
from collections.abc import Iterator
from typing import Final, Literal

from services.api.domain.background import KEYS
from services.api.domain.export.more import EPOCHS, More, is_plain, is_plain_job
from services.api.domain.export.record import Record

Version = Literal["3.0", "4.0"]
"""Versions of vCard that are written."""

FOLD: Final = 75
"""Octets of a line, its break aside (RFC 6350, 3.2)."""

MAX_CUSTOM: Final = 100
"""Custom fields of one card that have lines of their own: what our reader takes."""

MAX_CUSTOM_TEXT: Final = 15_000
"""Characters of all of them."""

_NAME: Final = ("last_name", "first_name", "middle_name", "name_prefix", "name_suffix")
"""The parts of `N`, in their order."""

_ADDRESS: Final = ("street", "city", "state", "postal_code", "country")
_TYPES: Final = {
    "EMAIL": {"work": "work", "home": "home"},
    "TEL": {"work": "work", "home": "home", "mobile": "cell", "fax": "fax", "pager": "pager"},
    "ADR": {"work": "work", "home": "home"},
}
"""Property → label → the type that says it."""

_NETWORKS: Final = {
    "twitter_handle": "twitter",
    "github_username": "github",
    "ig_username": "instagram",
    "fb_user_id": "facebook",
}
"""Identifier → the service whose account it names."""

_KNOWN_HOSTS: Final = re.compile(
    r"(?:^|[/.])(?:twitter|x|github|instagram|facebook|fb|linkedin)\.(?:com|cn)|instagr\.am",
    re.IGNORECASE,
)
"""Pages that readers take for somebody's profile."""

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER: Final = re.compile(r"[+\d\s().\-/]+")
_EXTENSION: Final = ";ext="
_ESCAPED: Final = re.compile(r"[\\,;\n]")
_WRAPPED: Final = re.compile(r"_\$!<.+>!\$_", re.DOTALL)
_EVERYONE: Final = frozenset({"mycontacts", "my contacts"})
_JOB: Final = {
    "company_domain": "X-KITH-JOB-DOMAIN",
    "seniority": "X-KITH-JOB-SENIORITY",
    "start_date": "X-KITH-JOB-START",
    "end_date": "X-KITH-JOB-END",
}


def write_card(record: Record, version: Version) -> bytes:
    """Write one card."""
    return b"".join(map(_folded, _Card(record, version).lines()))


class _Card:
    """One card in the making."""

    def __init__(self, record: Record, version: Version) -> None:
        self._record = record
        self._is_4 = version == "4.0"
        self._version = version
        self._more = More()
        self._groups = 0

    def lines(self) -> Iterator[str]:
        """Yield the lines, not folded yet."""
        record = self._record
        yield "BEGIN:VCARD"
        yield f"VERSION:{self._version}"
        yield "PRODID:-//kith//EN"
        yield from self._names()
        yield from self._points("emails", "EMAIL" if self._is_4 else "EMAIL;TYPE=INTERNET")
        yield from self._points("phones", "TEL")
        yield from self._jobs()
        yield from self._addresses()
        yield from self._birthday()
        yield from self._photo()
        yield from self._timezone()
        yield from self._links()
        yield from self._labels()
        if notes := record.get("notes"):
            yield f"NOTE:{self._text('notes', notes)}"
        yield from self._customs()
        for name in KEYS:
            self._more.extend(name, record.get(name, []))
        yield f"UID:{record['id']}"
        if changed := record.get("updated_at"):
            yield f"REV:{_moment(changed)}"
        if self._more.text:
            yield f"X-KITH-MORE:{_escaped(self._more.text)}"
        yield "END:VCARD"

    def _names(self) -> Iterator[str]:
        record = self._record
        yield f"FN:{_escaped(self._shown_name())}"
        parts = [self._text(part, record.get(part, "")) for part in _NAME]
        if any(parts) or not self._is_4:
            yield f"N:{';'.join(parts)}"
        if nickname := record.get("nickname"):
            yield f"NICKNAME:{self._text('nickname', nickname)}"
        if headline := record.get("headline"):
            self._more.put("headline", headline)

    def _shown_name(self) -> str:
        """Return what stands as the name: every card must have one, and some contacts have none."""
        record = self._record
        name: str | None = record.get("full_name")
        emails = [one["value"] for one in record.get("emails", ())]
        companies = [job.get("company_name") for job in record.get("employments", ())]
        if name is None:
            phones = [one["value"] for one in record.get("phones", ())]
            others = [one["value"] for one in record.get("identifiers", ())]
            known = [*emails, *phones, *filter(None, companies), record.get("nickname"), *others]
            shown = next(filter(None, known), record["id"])
            self._more.put("full_name", None)
            return str(shown)
        alike = {text.casefold() for text in emails} | {"", *filter(None, companies)}
        if name.casefold() in alike or name in alike or _NUMBER.fullmatch(name):
            self._more.put("full_name", name)
        return self._checked("full_name", name)

    def _points(self, field: str, head: str) -> Iterator[str]:
        name = head.partition(";")[0]
        for place, point in enumerate(values := self._record.get(field, [])):
            value, label = point["value"], point.get("label", "")
            several = value.count("@") > 1 or (field == "emails" and set(value) & set(",; "))
            if several or not is_plain(value) or not self._is_label(label):
                self._more.extend(field, values[place:])
                return
            types = _TYPES[name].get(label.lower())
            full = f"{head};TYPE={types}" if types else head
            if point.get("primary"):
                full += ";PREF=1" if self._is_4 else ";TYPE=pref"
            if field == "phones" and _EXTENSION in value:
                full, value = self._extended(full, value)
            if label and (not types or label != label.lower()):
                yield from self._labelled(full, value, label, escape=";VALUE=uri" not in full)
            else:
                yield f"{full}:{value if ';VALUE=uri' in full else _escaped(value)}"

    def _extended(self, head: str, value: str) -> tuple[str, str]:
        """Write a number with an extension: 4.0 has addresses for that (RFC 3966)."""
        if self._is_4:
            return f"{head};VALUE=uri", f"tel:{value}"
        return head, value.replace(_EXTENSION, " ext. ")

    def _jobs(self) -> Iterator[str]:
        for place, job in enumerate(jobs := self._record.get("employments", [])):
            if not is_plain_job(job):
                self._more.extend("employments", jobs[place:])
                return
            group = self._group()
            company = [job.get("company_name", ""), job.get("department", "")]
            units = company if company[1] else company[:1]
            # A title stands beside its company also where none is named: else it would be
            # taken for the next one's.
            text = ";".join(map(_escaped, units)) or ";"
            yield f"{group}.ORG:{text}"
            if title := job.get("title"):
                yield f"{group}.TITLE:{_escaped(title)}"
            for part, name in _JOB.items():
                if part in job:
                    yield f"{group}.{name}:{_escaped(job[part])}"
            if not job.get("is_current", True):
                yield f"{group}.X-KITH-JOB-CURRENT:no"

    def _addresses(self) -> Iterator[str]:
        for place, address in enumerate(addresses := self._record.get("addresses", [])):
            street, label = address.get("street", ""), address.get("label", "")
            fits = all(map(is_plain, address.values())) and self._is_label(label)
            lines = "".join(address.values()).splitlines()
            if not fits or address.keys() <= {"label"} or len(lines) > 1:
                self._more.extend("addresses", addresses[place:])
                return
            parts = ["", "", street, *(address.get(part, "") for part in _ADDRESS[1:])]
            value = ";".join(map(_escaped, parts))
            types = _TYPES["ADR"].get(label.lower())
            head = f"ADR;TYPE={types}" if types else "ADR"
            if label and (not types or label != label.lower()):
                yield from self._labelled(head, value, label, escape=False)
            else:
                yield f"{head}:{value}"

    def _birthday(self) -> Iterator[str]:
        birthday = self._record.get("birthday")
        if birthday is None:
            return
        if birthday.startswith(EPOCHS):
            self._more.put("birthday", birthday)
        if self._is_4:
            yield f"BDAY:{birthday.replace('-', '') if birthday[0] != '-' else _short(birthday)}"
        elif birthday.startswith("--"):
            # 3.0 knows no date without a year; Apple's way is the one that is read elsewhere.
            yield f"BDAY;X-APPLE-OMIT-YEAR=1604:1604-{birthday[2:]}"
        else:
            yield f"BDAY:{birthday}"

    def _photo(self) -> Iterator[str]:
        photo = self._record.get("photo_url")
        if photo is None:
            return
        if "\\" in photo or not is_plain(photo):
            self._more.put("photo_url", photo)
        else:
            yield f"PHOTO{'' if self._is_4 else ';VALUE=uri'}:{photo}"

    def _timezone(self) -> Iterator[str]:
        if zone := self._record.get("timezone"):
            # 3.0 takes an offset from UTC unless it is told otherwise (RFC 2426, 3.4.1).
            yield f"TZ{'' if self._is_4 else ';VALUE=text'}:{zone}"

    def _links(self) -> Iterator[str]:
        record = self._record
        if url := record.get("linkedin_url"):
            yield f"{self._profile('linkedin')}:{url}"
        for one in record.get("identifiers", ()):
            service = _NETWORKS.get(one["type"])
            if service is None or "/" in one["value"] or not is_plain(one["value"]):
                self._more.extend("identifiers", [one])
            else:
                text = ";VALUE=text" if self._is_4 else ""
                yield f"{self._profile(service)}{text}:{_escaped(one['value'])}"
        for site in record.get("websites", ()):
            if _KNOWN_HOSTS.search(site) or not is_plain(site) or "\\" in site:
                self._more.extend("websites", [site])
            else:
                yield f"URL:{site if self._is_4 else _escaped(site)}"

    def _profile(self, service: str) -> str:
        """Return the property of a profile: RFC 9554 has one, before it Apple's was read."""
        if self._is_4:
            return f"SOCIALPROFILE;SERVICE-TYPE={service}"
        return f"X-SOCIALPROFILE;TYPE={service}"

    def _labels(self) -> Iterator[str]:
        labels: list[str] = self._record.get("labels", [])
        told = [one for one in labels if is_plain(one) and one.lower() not in _EVERYONE]
        if told:
            yield f"CATEGORIES:{','.join(map(_escaped, told))}"
        self._more.extend("labels", [one for one in labels if one not in told])

    def _customs(self) -> Iterator[str]:
        written = 0
        for place, (name, value) in enumerate(self._record.get("custom_fields", {}).items()):
            length = len(value) if isinstance(value, str) else MAX_CUSTOM_TEXT
            fits = place < MAX_CUSTOM and written + length < MAX_CUSTOM_TEXT
            sayable = name and value and is_plain(value) and self._is_label(name)
            if not fits or not sayable:
                self._more.custom(name, value)
                continue
            written += length
            if name == "anniversary" and _DAY.fullmatch(value):
                yield from self._anniversary(value)
            else:
                yield from self._labelled("X-KITH-FIELD", value, name)

    def _anniversary(self, day: str) -> Iterator[str]:
        if self._is_4:
            yield f"ANNIVERSARY:{day.replace('-', '')}"
        else:
            yield f"X-ANNIVERSARY:{day}"

    def _labelled(self, head: str, value: str, label: str, *, escape: bool = True) -> Iterator[str]:
        group = self._group()
        yield f"{group}.{head}:{_escaped(value) if escape else value}"
        yield f"{group}.X-ABLabel:{_escaped(label)}"

    def _group(self) -> str:
        self._groups += 1
        return f"item{self._groups}"

    def _is_label(self, text: str) -> bool:
        return is_plain(text) and not _WRAPPED.fullmatch(text)

    def _text(self, field: str, text: str) -> str:
        return _escaped(self._checked(field, text))

    def _checked(self, field: str, text: str) -> str:
        """Return a text, and keep it beside where the card would change it."""
        if not is_plain(text):
            self._more.put(field, text)
        return text


def _escaped(text: str) -> str:
    r"""Write a text as a value: `\`, comma, semicolon and line break have a `\` before them."""
    clean = text.replace("\r\n", "\n").replace("\r", "\n")
    return _ESCAPED.sub(lambda found: "\\n" if found[0] == "\n" else f"\\{found[0]}", clean)


def _short(day: str) -> str:
    """Write `--12-10` as `--1210`: 4.0 has no other form."""
    return f"--{day[2:4]}{day[5:]}"


def _moment(text: str) -> str:
    """Write a moment of ISO 8601 in UTC as vCard does: `20260131T120000Z`."""
    return f"{text[:19].replace('-', '').replace(':', '')}Z"


def _folded(line: str) -> bytes:
    """Break a line at 75 octets, never within a character."""
    raw = line.encode("utf-8", "replace")
    if len(raw) <= FOLD:
        return raw + b"\r\n"
    pieces: list[bytes] = []
    start, room = 0, FOLD
    while len(raw) - start > room:
        end = start + room
        while raw[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(raw[start:end])
        start, room = end, FOLD - 1
    return b"\r\n ".join([*pieces, raw[start:]]) + b"\r\n"
