"""Media type negotiation as JSON:API 1.1 demands it."""

from services.api.domain.problems import CURSOR_PROFILE, Problem, RequestError

JSON_API = "application/vnd.api+json"
"""The media type of every document here."""

JSON_API_LIST = f'{JSON_API};profile="{CURSOR_PROFILE}"'
"""The media type of a list, which applies the cursor pagination profile."""

_ALSO_SERVED = frozenset({"*/*", "application/*", "application/json"})
"""Ranges that a JSON:API document satisfies as well."""


def check_accept(accept: str | None) -> None:
    """Refuse with 406 when no range that the client accepts can be served.

    A JSON:API range counts only without parameters other than `profile` (and the weight `q`):
    we support no extension.
    """
    if not accept or not accept.strip():
        return
    for text in _split(accept, ","):
        media, parameters = _media_range(text)
        if parameters.pop("q", "1").strip().rstrip("0").rstrip(".") in {"", "0"}:
            continue
        if media in _ALSO_SERVED:
            return
        if media == JSON_API and parameters.keys() <= {"profile"}:
            return
    problem = Problem(
        406,
        "not_acceptable",
        "Not acceptable",
        f"Accept {JSON_API} without parameters (`profile` is allowed, extensions are not).",
        header="Accept",
    )
    raise RequestError([problem])


def check_content_type(content_type: str | None) -> None:
    """Refuse with 415 a JSON:API body with parameters other than `profile`."""
    if content_type is None:
        return
    media, parameters = _media_range(content_type)
    if media == JSON_API and not parameters.keys() <= {"profile"}:
        problem = Problem(
            415,
            "unsupported_media_type",
            "Unsupported media type",
            f"Send {JSON_API} without parameters (`profile` is allowed, extensions are not).",
            header="Content-Type",
        )
        raise RequestError([problem])


def _media_range(text: str) -> tuple[str, dict[str, str]]:
    media, *parameters = _split(text, ";")
    pairs = (parameter.partition("=") for parameter in parameters if parameter.strip())
    return media.strip().lower(), {name.strip().lower(): value for name, _, value in pairs}


def _split(text: str, separator: str) -> list[str]:
    """Split at a separator that stands outside of quotes."""
    parts, current, quoted = [], "", False
    for character in text:
        quoted ^= character == '"'
        if character == separator and not quoted:
            parts.append(current)
            current = ""
        else:
            current += character
    return [*parts, current]
