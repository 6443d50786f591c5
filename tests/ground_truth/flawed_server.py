"""A server of files on this machine, with all the flaws that a server can have.

    with FlawedServer() as server:
        url = server.serve("/a.zip", content, drop(100))

The first request for the file is answered with the first flaw, the second with the second,
and all later ones as they should be.
"""

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat

_PIECE = 2**14


@dataclass
class Asked:
    """One request that came.

    Attributes:
        path: of the file.
        range: the header of this name, if it was sent.
        sent: bytes of body that were sent.
    """

    path: str
    range: str | None
    sent: int = 0


class Answer:
    """What a flaw has at hand to answer one request."""

    def __init__(
        self, handler: BaseHTTPRequestHandler, content: bytes, asked: Asked, stop: threading.Event
    ):
        self.handler, self.content, self.asked, self.stop = handler, content, asked, stop

    @property
    def start(self) -> int:
        """The byte asked for."""
        return int(self.asked.range.removeprefix("bytes=").rstrip("-")) if self.asked.range else 0

    def head(self, status: int, **headers: object) -> None:
        self.handler.send_response(status)
        for name, value in headers.items():
            self.handler.send_header(name.replace("_", "-"), str(value))
        self.handler.end_headers()

    def body(self, content: bytes) -> None:
        for at in range(0, len(content), _PIECE):
            piece = content[at : at + _PIECE]
            self.handler.wfile.write(piece)
            self.asked.sent += len(piece)

    def well_headed(self) -> bytes:
        """Send the headers that are right; return the body that is."""
        start, size = self.start, len(self.content)
        if start == 0:
            self.head(200, Content_Length=size)
        elif start >= size:
            self.head(416, Content_Range=f"bytes */{size}", Content_Length=0)
        else:
            content_range = f"bytes {start}-{size - 1}/{size}"
            self.head(206, Content_Range=content_range, Content_Length=size - start)
        return self.content[start:]


Flaw = Callable[[Answer], None]


def none(answer: Answer) -> None:
    """Answer as it should be."""
    answer.body(answer.well_headed())


def drop(after: int, *, reset: bool = False) -> Flaw:
    """Close the connection after so many bytes of the body; with `reset`, rudely."""

    def flaw(answer: Answer) -> None:
        answer.body(answer.well_headed()[:after])
        if reset:
            answer.handler.wfile.flush()
            linger = struct.pack("ii", 1, 0)
            answer.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            answer.handler.connection.close()

    return flaw


def truncate(length: int) -> Flaw:
    """Say and send that the file is shorter than it is."""

    def flaw(answer: Answer) -> None:
        answer.head(200, Content_Length=length)
        answer.body(answer.content[:length])

    return flaw


def status(code: int) -> Flaw:
    """Answer with an error."""

    def flaw(answer: Answer) -> None:
        answer.head(code, Content_Length=0)

    return flaw


def other_bytes(content: bytes) -> Flaw:
    """Send another file, as it should be."""

    def flaw(answer: Answer) -> None:
        answer.content = content
        none(answer)

    return flaw


def without_range(answer: Answer) -> None:
    """Send all, whatever range is asked for."""
    answer.head(200, Content_Length=len(answer.content))
    answer.body(answer.content)


def wrong_range(content_range: str) -> Flaw:
    """Send the first bytes as an answer to any range."""

    def flaw(answer: Answer) -> None:
        answer.head(206, Content_Range=content_range)
        answer.body(answer.content)

    return flaw


def slow(n_pieces: int, pause: float) -> Flaw:
    """Send the body in pieces, with pauses between them."""

    def flaw(answer: Answer) -> None:
        body = answer.well_headed()
        length = -(-len(body) // n_pieces)
        for at in range(0, len(body), length):
            answer.body(body[at : at + length])
            answer.stop.wait(pause)

    return flaw


def stall(after: int, until: threading.Event | None = None) -> Flaw:
    """Send so many bytes of the body, then nothing until something happens, then the rest."""

    def flaw(answer: Answer) -> None:
        body = answer.well_headed()
        answer.body(body[:after])
        while not answer.stop.wait(0.01):
            if until is not None and until.is_set():
                answer.body(body[after:])
                return

    return flaw


def silent(answer: Answer) -> None:
    """Say nothing at all."""
    answer.stop.wait()


def endless(answer: Answer) -> None:
    """Send bytes for ever."""
    answer.head(200)
    while not answer.stop.is_set():
        answer.body(bytes(_PIECE))


def redirect(url: str, *, endless: bool = False) -> Flaw:
    """Send the reader elsewhere; with `endless`, say so for ever."""

    def flaw(answer: Answer) -> None:
        answer.head(302, Location=url)
        while endless and not answer.stop.is_set():
            answer.body(bytes(_PIECE))

    return flaw


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Say nothing of readers that do not trust the certificate and hang up."""


@dataclass
class FlawedServer:
    """The server, while its context lasts.

    Attributes:
        asked: every request in the order in which it came.
        context: of TLS, for a server of `https:`.
    """

    asked: list[Asked] = field(default_factory=list)
    context: ssl.SSLContext | None = None
    _files: dict = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)

    def serve(self, path: str, content: bytes, *flaws: Flaw, always: Flaw = none) -> str:
        """Serve a file; return its URL."""
        self._files[path] = (content, iter((*flaws, *repeat(always, 1000))))
        return self.url + path

    @property
    def url(self) -> str:
        scheme = "https" if self.context else "http"
        return f"{scheme}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "FlawedServer":
        self._server = _QuietServer(("127.0.0.1", 0), self._handler())
        if self.context:
            self._server.socket = self.context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = Asked(self.path, self.headers.get("Range"))
                server.asked.append(asked)
                content, flaws = server._files.get(self.path, (b"", repeat(status(404))))
                with suppress(ConnectionError):  # who asked has hung up
                    next(flaws)(Answer(self, content, asked, server._stop))

            def log_message(self, *_: object) -> None:
                pass

        return Handler
