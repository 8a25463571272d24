"""The body of a request, sent in chunks, and the body of a response, read up to a limit."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from contextlib import suppress
from functools import lru_cache
from typing import Any, ClassVar, Final

import aiohttp

from .._decoding import BodyTooLargeError, DecodingError, decoded
from ..transport import MAX_RESPONSE_BYTES

CHUNK: Final = 32 * 1024
"""Bytes of a request that are written at once: with the headers below the 64 KiB that aiohttp buffers."""

_INLINE_DECODE_MAX_BYTES: Final = 8 * 1024  # of gzip: at most 8 MiB decoded, in a few milliseconds
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # SO_LINGER of 0 seconds


class UnreadableResponseError(aiohttp.ClientError):
    """The response arrived and cannot be used: too large, or not decodable."""


class RequestBody(aiohttp.Payload):
    """
    A document, written in chunks of the one buffer that all attempts share.

    A chunk that the server does not read for `patience` seconds is a timeout; aiohttp itself would wait for ever.
    `started` is whether any of it was written.
    """

    def __init__(self, content: bytes, patience: float) -> None:
        super().__init__(content)
        self._size = len(content)
        self._patience = patience
        self.started = False

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The document as text."""
        return bytes(self._value).decode(encoding, errors)

    async def write(self, writer: Any) -> None:
        """Write all of it."""
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: Any, content_length: int | None) -> None:
        """Write all of it; the length that aiohttp passes is our own."""
        content = memoryview(self._value)
        await writer.write(content[:CHUNK])  # does not wait, and raises before it writes
        self.started = True
        for start in range(CHUNK, len(content), CHUNK):
            try:
                await asyncio.wait_for(writer.write(content[start : start + CHUNK]), self._patience)
            except asyncio.TimeoutError:
                raise aiohttp.SocketTimeoutError("the server does not read the body") from None


class BoundedResponse(aiohttp.ClientResponse):
    """
    aiohttp's response, or a subclass of the host's, read up to `max_bytes`.

    Whatever ends the wait for it aborts the connection. aiohttp would close it gracefully: it waits for the rest of the
    body, and for the server's TLS close_notify.
    """

    max_bytes: ClassVar[int] = MAX_RESPONSE_BYTES

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        """Wait for the status and the headers."""
        transport, process = connection.transport, os.getpid()
        try:
            return await super().start(connection)
        except BaseException:
            abort(transport, process)
            raise

    async def read(self) -> bytes:
        """The whole body, decoded: in a thread, unless it is small."""
        if self._body is not None:
            return await super().read()
        encoded = await self._encoded_body()
        codings = ",".join(self.headers.getall("Content-Encoding", ()))
        try:
            if codings and len(encoded) > _INLINE_DECODE_MAX_BYTES:
                body = await asyncio.to_thread(decoded, encoded, codings, self.max_bytes)
            else:
                body = decoded(encoded, codings, self.max_bytes)
        except (BodyTooLargeError, DecodingError) as problem:
            self.close()
            raise UnreadableResponseError(str(problem)) from None
        stream = self.content
        self.content = _BufferedStream(body)  # type: ignore[assignment]  # traces and the host's class read it
        try:
            return await super().read()
        finally:
            self.content = stream

    async def _encoded_body(self) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while chunk := await self.content.readany():
            size += len(chunk)
            if size > self.max_bytes:
                raise UnreadableResponseError(str(BodyTooLargeError(self.max_bytes)))
            chunks.append(chunk)
        return b"".join(chunks)


@lru_cache(maxsize=64)
def bounded_class(kind: Any, max_bytes: int) -> Any:
    """The response class `kind`, bounded to `max_bytes`."""
    if issubclass(kind, BoundedResponse):
        return kind
    bases = (BoundedResponse,) if kind is aiohttp.ClientResponse else (BoundedResponse, kind)
    return type(kind.__name__, bases, {"max_bytes": max_bytes})


class _BufferedStream:
    """A body that has been read, in place of the stream that it came from."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self, size: int = -1) -> bytes:
        """All of it, or its next `size` bytes."""
        given, self._body = (self._body, b"") if size < 0 else (self._body[:size], self._body[size:])
        return given


def abort(transport: asyncio.Transport | None, process: int | None = None) -> None:
    """
    Close a connection at once, with a reset: otherwise the kernel keeps it until the server has read what was sent.

    Does nothing in another process than `process`: in a forked child, Python closes the coroutines of the parent's
    loop, and the connection is the parent's.
    """
    if transport is None or process not in {None, os.getpid()}:
        return
    if (sock := transport.get_extra_info("socket")) is not None:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
