"""Ingest's side of imports over HTTP, as the command line asks it."""

import base64
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx
import orjson

from kith.imports_mail import content_of

IMPORTS: Final = "/v1/imports"
MAPPINGS: Final = f"{IMPORTS}/mappings"
READING: Final = f"{IMPORTS}/reading"
UPLOADS: Final = f"{IMPORTS}/uploads"

SECONDS: Final = 600.0
"""How long one answer may take: that to an upload comes when the file is recognised."""

WHOLE: Final = 8 << 20
"""Bytes of a file that is sent in one request; a larger one goes piece by piece."""

PIECE: Final = 4 << 20
"""Bytes of one request of a resumable upload."""

TRIES: Final = 5
"""How often a piece is sent whose connection breaks, or one asks of progress, in a row."""

RESTING: Final = frozenset({"ready", "done", "failed", "undone", "discarded"})
"""States that only a person changes."""

Document = dict[str, Any]
Wishes = Mapping[str, str | list[str]]
Progress = Callable[[str, int, int], None]
"""Told what is counted, how much of it there is so far, and how much there will be (0: unknown)."""


class RefusedError(Exception):
    """Ingest says no, or nothing; `problem` is what it said."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{problem.get('title')}: {problem.get('detail')}")
        self.problem = dict(problem)


class ImportsClient:
    """Imports on behalf of one API key."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def look(self, file: Path, wishes: Wishes) -> Document:
        """Ask how a file would be read."""
        return self._ask("POST", READING, params=dict(wishes), content=content_of(file))

    def upload(self, file: Path, wishes: Wishes, progress: Progress) -> Document:
        """Upload a file, or a folder of messages; returns the import that it begins."""
        if file.is_dir():
            return self._ask("POST", IMPORTS, params=dict(wishes), content=content_of(file))
        size = file.stat().st_size
        if size <= WHOLE:
            with file.open("rb") as content:
                return self._ask("POST", IMPORTS, params=dict(wishes), content=content)
        said = {name: value for name, value in wishes.items() if value}
        metadata = ",".join(f"{name} {_encoded(value)}" for name, value in said.items())
        headers = {**_TUS, "Upload-Length": str(size), "Upload-Metadata": metadata}
        begun = self._send("POST", UPLOADS, headers=headers)
        place = begun.headers["location"]
        with file.open("rb") as content:
            offset = 0
            while offset < size:
                progress("bytes", offset, size)
                content.seek(offset)
                offset = self._piece(place, content.read(PIECE), offset)
        return self.get(place.rpartition("/")[2])

    def _piece(self, place: str, piece: bytes, offset: int) -> int:
        headers = {
            **_TUS,
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(offset),
        }
        for attempt in range(TRIES):
            try:
                answer = self._http.patch(place, content=piece, headers=headers)
            except httpx.TransportError:
                time.sleep(2.0**attempt)
                answer = self._send("HEAD", place, headers=_TUS)
                found = int(answer.headers["upload-offset"])
                if found != offset:
                    return found
            else:
                return int(_checked(answer).headers["upload-offset"])
        raise RefusedError({"title": "ingest does not answer", "detail": "the upload broke off"})

    def get(self, import_id: str) -> Document:
        """Return where an import stands."""
        return self._ask("GET", f"{IMPORTS}/{quote(import_id)}")

    def find(self) -> list[Document]:
        """List the newest imports."""
        found: list[Document] = self._ask("GET", IMPORTS)["imports"]
        return found

    def rows(self, import_id: str, **query: Any) -> list[Document]:
        """List rows of an import."""
        asked = {name.rstrip("_"): value for name, value in query.items()}
        place = f"{IMPORTS}/{quote(import_id)}/rows"
        found: list[Document] = self._ask("GET", place, params=asked)["rows"]
        return found

    def every_row(self, import_id: str, **query: Any) -> Iterator[Document]:
        """Yield all rows of a kind."""
        after = 0
        while rows := self.rows(import_id, after=after, limit=100, **query):
            yield from rows
            after = rows[-1]["number"]

    def choose(self, import_id: str, choices: Mapping[str, Any]) -> Document:
        """Choose by class and by row."""
        return self._ask("PUT", f"{IMPORTS}/{quote(import_id)}/choices", json=choices)

    def order(self, import_id: str, step: str) -> Document:
        """Execute an import, or undo it."""
        return self._ask("POST", f"{IMPORTS}/{quote(import_id)}/{step}")

    def report(self, import_id: str) -> Document:
        """Return what became of every row."""
        return self._ask("GET", f"{IMPORTS}/{quote(import_id)}/report")

    def rejects(self, import_id: str) -> tuple[bytes, str]:
        """Return the rejected rows in their file's layout, and that file's ending; empty: none."""
        answer = self._send("GET", f"{IMPORTS}/{quote(import_id)}/rejects")
        name = answer.headers.get("content-disposition", "").rpartition(".")[2].rstrip('"')
        return answer.content, name

    def discard(self, import_id: str) -> None:
        """Discard an import that was not executed."""
        self._send("DELETE", f"{IMPORTS}/{quote(import_id)}")

    def save_mapping(self, name: str, mapping: str) -> None:
        """Keep a mapping under a name."""
        self._send("PUT", f"{MAPPINGS}/{quote(name)}", content=mapping)

    def follow(self, import_id: str, progress: Progress) -> Document:
        """Wait until an import rests, and tell of its progress meanwhile."""
        silence = 0
        while True:
            try:
                for document in self._events(import_id):
                    silence = 0
                    _tell(document, progress)
                    if document["state"] in RESTING:
                        return document
            except httpx.TransportError:
                silence += 1
                if silence == TRIES:
                    raise
                time.sleep(2.0**silence)

    def _events(self, import_id: str) -> Iterator[Document]:
        place = f"{IMPORTS}/{quote(import_id)}/events"
        with self._http.stream("GET", place) as answer:
            if answer.is_error:
                answer.read()
            for line in _checked(answer).iter_lines():
                if line.startswith("data: "):
                    yield orjson.loads(line.removeprefix("data: "))

    def _ask(self, method: str, place: str, **content: Any) -> Document:
        said: Document = self._send(method, place, **content).json()
        return said

    def _send(self, method: str, place: str, **content: Any) -> httpx.Response:
        return _checked(self._http.request(method, place, **content))


_TUS: Final = {"Tus-Resumable": "1.0.0"}


def _encoded(value: str | list[str]) -> str:
    text = value if isinstance(value, str) else " ".join(value)
    return base64.b64encode(text.encode()).decode()


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_error:
        try:
            problem = answer.json()
        except ValueError:
            problem = {"title": answer.reason_phrase, "detail": f"status {answer.status_code}"}
        raise RefusedError(problem)
    return answer


def _tell(document: Document, progress: Progress) -> None:
    if document["state"] == "reading":
        progress("rows read", document["rows"], 0)
    elif document["state"] == "executing":
        progress("rows decided", sum(document["verdicts"].values()), document["rows"])
    elif document["state"] == "undoing":
        told = document["undo"] or {}
        done = told.get("retracted", 0)
        progress("records taken back", done, done + told.get("remaining", 0))
