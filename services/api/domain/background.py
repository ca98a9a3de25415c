"""What sources say in lists, put together: what somebody learned, can do, and wrote in public."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

Facts = Mapping[str, Any]
"""What one source record says: the JSON of `shared.events.signal.Facts`, nothing private in it."""

KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "education": ("school", "degree", "field_of_study"),
    "skills": ("name",),
    "certifications": ("name", "authority", "license_number"),
    "languages": ("language",),
    "social_posts": ("url",),
}
"""Kind → what makes two of it the same, whatever the case."""


def background_of(said: Sequence[Facts]) -> dict[str, list[dict[str, Any]]]:
    """List each kind; `said` is ranked, what counts most first.

    Of one that several sources know, each value is that of the weightiest which has it.
    """
    return {kind: _together(said, kind, keys) for kind, keys in KEYS.items()}


def posts_of(said: Sequence[Facts]) -> list[dict[str, Any]]:
    """List public posts, the newest first and those without a time last."""
    posts = background_of(said)["social_posts"]
    return sorted(posts, key=lambda post: str(post.get("posted_at") or ""), reverse=True)


def _together(said: Iterable[Facts], kind: str, keys: Sequence[str]) -> list[dict[str, Any]]:
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for facts in said:
        for one in facts.get(kind) or ():
            name = tuple(str(one.get(key) or "").casefold() for key in keys)
            found[name] = {**one, **found.get(name, {})}
    return list(found.values())
