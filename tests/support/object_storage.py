"""Object storage on a socket: the part of S3's protocol that uploads use, signatures checked.

What AWS documents of PutObject, GetObject, ListObjectsV2 and DeleteObjects, path style; and on
order it refuses, fails, dawdles, or breaks off in the middle of an object.
"""

import asyncio
import hashlib
import hmac
import re
import socket
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote
from xml.etree import ElementTree as ET

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

BUCKET = "kith-uploads"
KEY = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
LISTED = 2
"""Names in one answer: few, so that every list has pages."""

Turn = Literal["refuse", "missing", "fail", "dawdle", "break off"]
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/([^,]+), ?SignedHeaders=([^,]+), ?Signature=(\w+)"
)


@dataclass
class ObjectStorage:
    """One bucket, and what goes wrong with the next requests."""

    objects: dict[str, bytes] = field(default_factory=dict)
    turns: deque[Turn | None] = field(default_factory=deque)
    """What the next requests meet; None: nothing."""
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def endpoint(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    async def answer(self, request: Request) -> Response:
        """Answer one request of the protocol."""
        body = await request.body()
        self.asked.append(f"{request.method} {request.url.path}")
        turn = self.turns.popleft() if self.turns else None
        if turn == "refuse" or not _is_signed(request, body):
            return _error(403, "AccessDenied")
        if turn == "fail":
            return _error(503, "SlowDown")
        if turn == "dawdle":
            await asyncio.sleep(3)
        bucket, _, name = request.path_params["path"].partition("/")
        if bucket != BUCKET:
            return _error(404, "NoSuchBucket")
        if request.method == "PUT":
            self.objects[name] = body
            return Response(headers={"ETag": f'"{hashlib.md5(body).hexdigest()}"'})
        if request.method == "POST" and "delete" in request.query_params:
            return self._delete(body)
        if not name:
            return self._list(request.query_params)
        data = self.objects.get(name)
        if data is None or turn == "missing":
            return _error(404, "NoSuchKey")
        return _sent(data, request.headers.get("range"), is_whole=turn != "break off")

    def _list(self, asked: QueryParams) -> Response:
        after = asked.get("continuation-token") or asked.get("start-after") or ""
        names = sorted(
            name for name in self.objects if name.startswith(asked["prefix"]) and name > after
        )
        shown = names[:LISTED]
        parts = [
            f"<Contents><Key>{name}</Key><Size>{len(self.objects[name])}</Size>"
            "<LastModified>2026-01-31T12:00:00.000Z</LastModified><ETag>x</ETag></Contents>"
            for name in shown
        ]
        if len(names) > LISTED:
            parts.append(f"<NextContinuationToken>{shown[-1]}</NextContinuationToken>")
        is_cut = str(len(names) > LISTED).lower()
        parts.append(f"<IsTruncated>{is_cut}</IsTruncated><KeyCount>{len(shown)}</KeyCount>")
        return _xml("ListBucketResult", parts)

    def _delete(self, body: bytes) -> Response:
        names = [
            one.text or ""
            for one in ET.fromstring(body).iter()  # of our own client
            if one.tag.endswith("Key")
        ]
        for name in names:
            self.objects.pop(name, None)
        return _xml("DeleteResult", [f"<Deleted><Key>{name}</Key></Deleted>" for name in names])


def _sent(data: bytes, asked: str | None, *, is_whole: bool) -> Response:
    status, headers = 200, {"ETag": '"x"', "Last-Modified": "Sat, 31 Jan 2026 12:00:00 GMT"}
    if asked and (found := re.fullmatch(r"bytes=(\d+)-(\d*)", asked)):
        begin, end = int(found[1]), int(found[2] or len(data) - 1)
        status, headers["Content-Range"] = 206, f"bytes {begin}-{end}/{len(data)}"
        data = data[begin : end + 1]

    async def pieces() -> AsyncIterator[bytes]:
        yield data[: len(data) // 2]
        if is_whole:
            yield data[len(data) // 2 :]

    headers["Content-Length"] = str(len(data))
    return StreamingResponse(pieces(), status, headers)


def _xml(name: str, parts: Iterable[str]) -> Response:
    space = "http://s3.amazonaws.com/doc/2006-03-01/"
    body = f'<?xml version="1.0"?><{name} xmlns="{space}">{"".join(parts)}</{name}>'
    return Response(body, media_type="application/xml")


def _error(status: int, code: str) -> Response:
    body = f"<Error><Code>{code}</Code><Message>about {BUCKET}</Message></Error>"
    return Response(body, status, media_type="application/xml")


def _is_signed(request: Request, body: bytes) -> bool:
    """Check a signature, version 4, as AWS describes it."""
    found = _AUTHORIZATION.match(request.headers.get("authorization", ""))
    if found is None or found[1] != KEY:
        return False
    scope, names = found[2], found[3].split(";")
    digest = request.headers["x-amz-content-sha256"]
    if digest not in ("UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest()):
        return False
    query = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in request.query_params.multi_items()
    )
    canonical = "\n".join(
        [
            request.method,
            request.scope["raw_path"].decode(),
            "&".join(f"{name}={value}" for name, value in query),
            *(f"{name}:{request.headers[name].strip()}" for name in names),
            "",
            ";".join(names),
            digest,
        ]
    )
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, hashed])
    key = f"AWS4{SECRET}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), found[4])


@asynccontextmanager
async def object_storage() -> AsyncIterator[ObjectStorage]:
    """Serve a bucket until the end of the context."""
    storage = ObjectStorage()
    methods = ["GET", "PUT", "POST", "DELETE"]
    app = Starlette(routes=[Route("/{path:path}", storage.answer, methods=methods)])
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    storage.port = listening.getsockname()[1]
    config = uvicorn.Config(app, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110  # it has nothing to wait for
        await asyncio.sleep(0.01)
    try:
        yield storage
    finally:
        server.should_exit = True
        await serving
        listening.close()
