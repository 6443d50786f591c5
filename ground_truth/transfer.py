"""Transfer: the bytes behind a URL, as a stream that can begin in the middle.

`https:`, `http:` and `file:` are read, nothing else, and a redirect never leads from the
network to a file nor from `https:` to anything less. What comes is not checked here: who
asks for it knows what it must be.
"""

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from ssl import SSLCertVerificationError
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urljoin, urlsplit
from urllib.request import url2pathname

if TYPE_CHECKING:
    from requests import Response, Session

_CHUNK = 2**14
_MOST_SECONDS, _MOST_REDIRECTS = 60.0, 20
_OVERLOADED = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
_NOT_CONTINUED = (HTTPStatus.PARTIAL_CONTENT, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)

Result = TypeVar("Result")


class RefusedError(Exception):
    """This URL does not give what it should, however often it is asked.

    Like `InterruptedTransferError` it says what happened, in words that follow a URL and a
    colon. Neither reaches a user: both end up in a `BundleError`.
    """


class InterruptedTransferError(Exception):
    """The bytes did not come this time; they may the next."""


@dataclass(frozen=True)
class Patience:
    """How long a transfer is waited for, and how often it is tried again.

    Attributes:
        retries: how often an interrupted transfer is tried again.
        timeout: how many seconds a server may say nothing.
        sleep: waits so many seconds between two trials: 1, 2, 4, ... up to 60.
    """

    retries: int = 3
    timeout: float = 30.0
    sleep: Callable[[float], None] = time.sleep

    def insist(self, transfer: Callable[[], Result]) -> Result:
        """Return what a transfer gives, tried again while it is interrupted.

        Raises:
            RefusedError: the transfer is refused.
            InterruptedTransferError: it was interrupted too often.
        """
        failed = 0
        while True:
            try:
                return transfer()
            except InterruptedTransferError as error:
                failed += 1
                if failed > self.retries:
                    tried = f" (tried {failed} times)" if failed > 1 else ""
                    raise InterruptedTransferError(f"{error}{tried}") from None
            self.sleep(min(2.0 ** (failed - 1), _MOST_SECONDS))


@dataclass(frozen=True)
class Incoming:
    """Bytes that come.

    Attributes:
        start: at which byte of the file they begin: the one asked for, or 0.
        chunks: at most 16 KiB each. Taking one raises `InterruptedTransferError` or
            `RefusedError` if no more come; a server may also end too early, or never.
    """

    start: int
    chunks: Iterator[bytes]


@contextmanager
def opened(
    url: str, timeout: float, *, start: int = 0, size: int | None = None
) -> Iterator[Incoming]:
    """Open what is behind a URL.

    Args:
        url: with `https:`, `http:` or `file:`.
        timeout: how many seconds a server may say nothing.
        start: at which byte to begin if the server can.
        size: how long the file should be, if that is known.

    Yields:
        The bytes that come.

    Raises:
        RefusedError: this URL does not give them.
        InterruptedTransferError: it did not answer, or is overloaded.
    """
    if is_file(url):
        yield Incoming(start, _file_chunks(url, start, size))
        return

    import requests

    with requests.Session() as session:
        response, start = _answer(session, url, timeout, start, size)
        with response:
            yield Incoming(start, _chunks(response, timeout))


def is_file(url: str) -> bool:
    """Return whether a URL is that of a file."""
    return urlsplit(url).scheme == "file"


def path_of(url: str) -> Path:
    """Return where the file of a URL with `file:` is."""
    return Path(url2pathname(urlsplit(url).path))


def _file_chunks(url: str, start: int, size: int | None) -> Iterator[bytes]:
    """Yield what is in a file from a byte on."""
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise RefusedError(f"must be a file of this machine, got one of {parts.netloc}")
    path = path_of(url)
    try:
        if not path.is_file():
            raise RefusedError("there is no such file")
        with path.open("rb") as file:
            found = file.seek(0, os.SEEK_END)
            if size is not None and found != size:
                raise RefusedError(f"the file must have {size:,} bytes, got {found:,}")
            file.seek(start)
            while chunk := file.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise RefusedError(f"cannot be read: {error.strerror}") from None


# -- HTTP ------------------------------------------------------------------------------


def _answer(
    session: "Session", url: str, timeout: float, start: int, size: int | None
) -> "tuple[Response, int]":
    """Return the answer that holds the bytes, and at which byte it begins."""
    # Compressed on the way, bytes could be neither counted nor continued.
    headers = {"Accept-Encoding": "identity", "User-Agent": "glassbench"}
    if start:
        headers["Range"] = f"bytes={start}-"
    with _in_plain_words(timeout):
        response = _follow(session, url, headers, timeout)
    status = response.status_code
    if status == HTTPStatus.OK:
        return response, 0
    continued = status == HTTPStatus.PARTIAL_CONTENT and _continues(
        response.headers.get("Content-Range", ""), start, size
    )
    if continued:
        return response, start
    response.close()
    if start and status in _NOT_CONTINUED:
        return _answer(session, url, timeout, 0, size)
    if status in _OVERLOADED or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise InterruptedTransferError(f"answered {_in_words(status)}")
    raise RefusedError(f"answered {_in_words(status)}")


def _follow(session: "Session", url: str, headers: dict[str, str], timeout: float) -> "Response":
    """Return the answer to which all redirects lead.

    The session itself would read the body of each redirect, however long it is.
    """
    from requests import Request

    for _ in range(_MOST_REDIRECTS):
        request = session.prepare_request(Request("GET", url, headers=headers))
        settings = session.merge_environment_settings(url, {}, True, None, None)
        response = session.get_adapter(url).send(request, timeout=timeout, **settings)
        if not response.is_redirect:
            return response
        response.close()
        target = urljoin(url, response.headers["Location"])
        safe = ("https",) if urlsplit(url).scheme == "https" else ("https", "http")
        if urlsplit(target).scheme not in safe:
            allowed = " or ".join(f"{scheme}:" for scheme in safe)
            raise RefusedError(f"redirects to {target!r}, which is not {allowed}")
        url = target
    raise RefusedError(f"redirects more than {_MOST_REDIRECTS} times")


def _continues(content_range: str, start: int, size: int | None) -> bool:
    """Return whether the range that a server sends begins where it must, in the right file.

    Example:
        >>> _continues("bytes 5-9/10", 5, 10), _continues("bytes 0-9/10", 5, 10)
        (True, False)
    """
    found = re.fullmatch(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)", content_range.strip())
    return (
        start > 0
        and found is not None
        and int(found[1]) == start
        and (size is None or found[2] in ("*", str(size)))
    )


def _in_words(code: int) -> str:
    """Return a status in words of the standard: those of a server may hold anything."""
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return str(code)


def _chunks(response: "Response", timeout: float) -> Iterator[bytes]:
    with _in_plain_words(timeout):
        yield from response.iter_content(_CHUNK)


@contextmanager
def _in_plain_words(timeout: float) -> Iterator[None]:
    """Say what `requests` has to say in a few words, and whether it may pass."""
    import requests

    silent = f"said nothing for {timeout:g} s"
    try:
        yield
    except requests.Timeout:
        raise InterruptedTransferError(silent) from None
    except requests.exceptions.ChunkedEncodingError:
        raise InterruptedTransferError("broke off") from None
    except requests.ConnectionError as error:
        match _innermost(error):
            case TimeoutError():
                raise InterruptedTransferError(silent) from None
            case SSLCertVerificationError() as inner:
                raise RefusedError(f"cannot be trusted: {inner.verify_message}") from None
            case inner:
                reason = getattr(inner, "strerror", None) or inner
                raise InterruptedTransferError(f"could not be reached: {reason}") from None
    except (requests.RequestException, ValueError) as error:
        raise RefusedError(f"cannot be read: {_innermost(error)}") from None


def _innermost(error: BaseException) -> BaseException:
    """Return the error that all others are about."""
    around = (error.__cause__, getattr(error, "reason", None), *error.args, error.__context__)
    for inner in around:
        if isinstance(inner, BaseException):
            return _innermost(inner)
    return error
