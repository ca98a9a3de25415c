"""What a card says beyond a signal's fields: kept as custom fields under plain names."""

from typing import Final

from services.ingest.sources.vcard_gathered import Gathered, text_of
from services.ingest.sources.vcard_person import read_date
from services.ingest.sources.vcard_property import Property, fields_of, parts_of, unescaped
from shared.identifiers.timezones import is_timezone
from shared.identifiers.web import MAX_ADDRESS, normalize_address

_KEYS: Final = {
    "TZ": "time_zone",
    "X-SPOUSE": "spouse",
    "X-MS-SPOUSE": "spouse",
    "X-EVOLUTION-SPOUSE": "spouse",
    "X-KADDRESSBOOK-X-SPOUSESNAME": "spouse",
    "X-MANAGER": "manager",
    "X-MS-MANAGER": "manager",
    "X-EVOLUTION-MANAGER": "manager",
    "X-KADDRESSBOOK-X-MANAGERSNAME": "manager",
    "X-ASSISTANT": "assistant",
    "X-MS-ASSISTANT": "assistant",
    "X-EVOLUTION-ASSISTANT": "assistant",
    "X-KADDRESSBOOK-X-ASSISTANTSNAME": "assistant",
    "X-CHILD": "child",
    "X-CHILDREN": "child",
    "X-MS-CHILD": "child",
    "X-PROFESSION": "profession",
    "X-KADDRESSBOOK-X-PROFESSION": "profession",
    "X-KADDRESSBOOK-X-OFFICE": "office",
    "X-MAIDENNAME": "maiden_name",
    "X-MAIDEN-NAME": "maiden_name",
    "X-PHONETIC-FIRST-NAME": "phonetic_first_name",
    "X-PHONETIC-MIDDLE-NAME": "phonetic_middle_name",
    "X-PHONETIC-LAST-NAME": "phonetic_last_name",
    "X-PHONETIC-ORG": "phonetic_company_name",
    "SORT-STRING": "sort_name",
    "CALURI": "calendar",
    "FBURL": "free_busy",
    "CALADRURI": "calendar_address",
    "BIRTHPLACE": "birth_place",
    "DEATHPLACE": "death_place",
    "X-ALTBDAY": "birthday_other_calendar",
}
"""Property → custom field; any other is kept under its own name, less `X-`."""

_DATES: Final = {
    "ANNIVERSARY": "anniversary",
    "X-ANNIVERSARY": "anniversary",
    "X-MS-ANNIVERSARY": "anniversary",
    "X-EVOLUTION-ANNIVERSARY": "anniversary",
    "X-KADDRESSBOOK-X-ANNIVERSARY": "anniversary",
    "DEATHDATE": "death_date",
    "X-ABDATE": "date",
    "X-EVENT": "date",
}
_RELATED: Final = ("RELATED", "X-ABRELATEDNAMES", "X-RELATION")
_FILES: Final = ("PHOTO", "LOGO", "KEY", "SOUND")

_SILENT: Final = frozenset(
    {
        "BEGIN", "END", "VERSION", "PRODID", "PROFILE", "NAME", "SOURCE", "MAILER", "REV", "UID",
        "KIND", "MEMBER", "CLIENTPIDMAP", "XML", "CLASS", "CREATED", "X-CLASS", "X-CREATED",
        "X-ABUID", "X-ABADR", "X-ABSHOWAS", "X-ABLABEL", "X-IMAGETYPE", "X-IMAGEHASH",
        "X-IMAGE-BACKGROUND-COLORS-DATA", "X-SHARED-PHOTO-DISPLAY-PREF", "X-ADDRESSING-GRAMMAR",
        "X-ACTIVITY-ALERT", "X-FILE-AS", "X-EVOLUTION-FILE-AS", "X-MOZILLA-HTML", "X-LUID",
        "X-RADICALE-NAME", "X-ACCOUNT", "X-STARRED", "X-TIMES_CONTACTED", "X-LAST_TIME_CONTACTED",
        "X-PHOTO-STATE", "X-MS-CARDPICTURE", "X-KITH-REASON", "X-PM-ENCRYPT", "X-PM-SIGN",
        "X-PM-SCHEME", "X-PM-MIMETYPE", "X-LOTUS-CHARSET",
    }
)  # fmt: skip
"""What applications tell themselves; it stays in the record as it came."""

_SILENT_PREFIXES: Final = (
    "X-ADDRESSBOOKSERVER-",
    "X-APPLE-",
    "X-MS-OL-",
    "X-EVOLUTION-LIST",
    "X-EVOLUTION-WEBDAV-",
    "X-MOZILLA-",
    "VND-",
    "X-SYNC",
)
_GENDERS: Final = {"m": "male", "f": "female", "o": "other", "n": "none", "u": "unknown"}
_WAB_GENDERS: Final = {"1": "female", "2": "male"}
"""Windows Address Book's numbers."""

_ANDROID_EVENTS: Final = {"1": "anniversary", "2": "date", "3": "birthday"}
_ANDROID_RELATIONS: Final = (
    "related", "assistant", "brother", "child", "domestic partner", "father", "friend", "manager",
    "mother", "parent", "partner", "referred by", "relative", "sister", "spouse",
)  # fmt: skip
"""Android's relations, by their numbers."""


def add_android(found: Gathered) -> list[str]:
    """Take the rows of Android's own tables (`X-ANDROID-CUSTOM`); return the groups among them."""
    groups: list[str] = []
    for one in found.take("X-ANDROID-CUSTOM"):
        table, *columns = fields_of(one.value)
        text, kind, label, *_ = [*columns, "", "", ""]
        match table.rpartition("/")[2]:
            case "nickname" if "nickname" in found.record:
                found.keep("other_nickname", text, "X-ANDROID-CUSTOM")
            case "nickname":
                found.put("nickname", text, "X-ANDROID-CUSTOM")
            case "contact_event":
                _add_event(found, one, text, label or _ANDROID_EVENTS.get(kind, "date"))
            case "relation":
                known = int(kind) if kind.isascii() and kind.isdigit() and len(kind) < 3 else 0
                names = _ANDROID_RELATIONS[known : known + 1] or ("related",)
                found.keep(label or names[0], text, "X-ANDROID-CUSTOM")
            case "group_membership":
                groups += [text] if text and not text.isdigit() else []
            case other:
                found.keep(other or "android", "; ".join(filter(None, columns)), one.head.name)
    return groups


def _add_event(found: Gathered, one: Property, text: str, key: str) -> None:
    day = read_date(one._replace(value=text))
    if key == "birthday" and day is not None and "birthday" not in found.record:
        found.put("birthday", day, one.head.name)
    else:
        found.keep(key, day or text, one.head.name)


def add_custom(found: Gathered, agents: list[str]) -> None:
    """Keep what nobody has taken."""
    for one in found.take("GENDER", "X-GENDER", "X-WAB-GENDER", "SEX"):
        sex, *identity = parts_of(one.value)
        words = _WAB_GENDERS if one.head.name == "X-WAB-GENDER" else _GENDERS
        found.keep("gender", words.get(sex.lower(), sex.lower()), one.head.name)
        found.keep("gender_identity", " ".join(identity), one.head.name)
    for one in found.take("GEO"):
        found.keep("geo", text_of(one).removeprefix("geo:").replace(";", ","), "GEO")
    for one in found.take(*_DATES):
        key = found.labels.get(one.head.group) or _DATES[one.head.name]
        found.keep(key, read_date(one) or text_of(one), one.head.name)
    for one in found.take(*_RELATED):
        found.keep(found.label_of(one) or "related", text_of(one), one.head.name)
    for name in [*filter(None, agents), *map(_agent_name, found.take("AGENT"))]:
        found.keep("agent", name, "AGENT")
    for one in found.take("TZ"):
        _keep_timezone(found, one)
    for one in found.take(*_FILES):
        _keep_address(found, one)
    for name in [name for name in found.by_name if not _is_silent(name)]:
        for one in found.take(name):
            _keep_unknown(found, one)


def _is_silent(name: str) -> bool:
    return name in _SILENT or name.startswith(_SILENT_PREFIXES)


def _keep_address(found: Gathered, one: Property) -> None:
    """Keep where a file is; a name's pronunciation may come in the place of a sound (Japan)."""
    if "x-irmc-n" in one.head.types:
        name = " ".join(part for part in parts_of(one.value) if part)
        found.keep("phonetic_name", name, "SOUND")
    else:
        address = text_of(one)
        if one.head.name == "PHOTO" and "photo_url" not in found.record and _is_on_the_web(address):
            found.put("photo_url", address, "PHOTO", MAX_ADDRESS)
        else:
            found.keep(f"{one.head.name.lower()}_url", address, one.head.name)


def _is_on_the_web(address: str) -> bool:
    return isinstance(normalize_address(address), str)


def _keep_timezone(found: Gathered, one: Property) -> None:
    """Take a zone by its name; an offset, which is none, is kept as it is said."""
    name = text_of(one)
    if "timezone" not in found.record and is_timezone(name):
        found.put("timezone", name, "TZ")
    else:
        found.keep("time_zone", name, "TZ")


def _keep_unknown(found: Gathered, one: Property) -> None:
    name = one.head.name
    text = ", ".join(part for part in parts_of(one.value) if part)
    key = found.labels.get(one.head.group) or _KEYS.get(name)
    found.keep(key or name.removeprefix("X-").lower().replace("-", "_"), text, name)


def _agent_name(one: Property) -> str:
    """Read a name, or the name in a card that is written into one line (3.0)."""
    lines = unescaped(one.value).splitlines()
    names = (line.partition(":")[2] for line in lines if line[:2].upper() == "FN")
    return next(names, text_of(one)).strip()
