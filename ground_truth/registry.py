"""Registry: which bundles there are, what each must be, and where to get it.

A registry is one JSON file, called `registry.json` beside the bundles. Its sha256 and
sizes are what a download is checked against, so that it does not matter who serves the
bundles themselves.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urljoin, urlsplit

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from ..errors import BundleError, TaskError, listing
from ..strict_record import Natural
from .manifest import Sha256
from .record import Record, read_record
from .transfer import InterruptedTransferError, Patience, RefusedError, opened

FORMAT_VERSION: Literal["1.0"] = "1.0"
REGISTRY = "registry.json"
"""How the file is called in a folder of bundles."""

MOST_BYTES = 2**26
"""How long a registry may be."""

_NETWORK = ("https", "http")
_PATIENCE = Patience()
_SHOWN = 20
_SUGGESTED, _LIKENESS = 3, 0.7  # ids share much: brackets and names of parameters


def _checked_url(url: str) -> str:
    """Return a URL of a scheme that is read, or a relative one."""
    try:
        parts = urlsplit(url)
        absolute = parts.scheme in _NETWORK and bool(parts.hostname)
        relative = not parts.scheme and bool(parts.path)
    except ValueError:
        absolute = relative = False
        parts = urlsplit("")
    if absolute or relative or (parts.scheme == "file" and parts.path):
        return url
    raise PydanticCustomError(
        "url", "must begin with https:, http: or file:, or be relative, got {url}", {"url": url}
    )


Url = Annotated[str, AfterValidator(_checked_url)]


class RegistryEntry(Record):
    """One bundle.

    Attributes:
        id: of the task.
        digest: of the bundle: the sha256 of its `manifest.json`.
        sha256: of the zip file.
        size: of the zip file, in bytes.
        urls: where it is, the first tried first; relative ones begin where the registry is.
    """

    id: Annotated[str, Field(min_length=1)]
    digest: Sha256
    sha256: Sha256
    size: Natural
    urls: Annotated[tuple[Url, ...], Field(min_length=1)]

    def addresses(self, registry_url: str) -> tuple[str, ...]:
        """Return where the bundle is, as absolute URLs.

        Args:
            registry_url: where the registry is; see `url_of`.

        Raises:
            BundleError: a registry of the network names a file of this machine.
        """
        found = tuple(urljoin(registry_url, url) for url in self.urls)
        if urlsplit(registry_url).scheme in _NETWORK:
            wrong = [url for url in found if urlsplit(url).scheme not in _NETWORK]
            if wrong:
                raise BundleError(
                    listing(
                        f"{registry_url} may not send its readers to files of their own machine; "
                        f"for {self.id} it names these:",
                        wrong,
                    )
                )
        return found


class Registry(Record):
    """All bundles that one place has.

    Attributes:
        format_version: `major.minor` of this format.
        bundles: with different ids.
    """

    format_version: Literal["1.0"] = FORMAT_VERSION
    bundles: tuple[RegistryEntry, ...]

    @model_validator(mode="after")
    def _ids_differ(self) -> "Registry":
        counted = Counter(entry.id for entry in self.bundles)
        twice = ", ".join(name for name, times in counted.items() if times > 1)
        if twice:
            raise PydanticCustomError(
                "ids", "ids must differ, got more than once: {ids}", {"ids": twice}
            )
        return self

    def entries(self, ids: Iterable[str] | None = None) -> tuple[RegistryEntry, ...]:
        """Return the entries of bundles, in the order asked for; of all without `ids`.

        Raises:
            TaskError: there is no such bundle; names those most like it.
        """
        if ids is None:
            return self.bundles
        known = {entry.id: entry for entry in self.bundles}
        asked = tuple(dict.fromkeys(ids))
        unknown = [name for name in asked if name not in known]
        if unknown:
            shown = [_suggestion(name, known) for name in unknown[:_SHOWN]]
            more = [f"and {len(unknown) - _SHOWN} more"] if len(unknown) > _SHOWN else []
            raise TaskError(
                listing(
                    "Only what is in the registry can be had, and these are not in it:",
                    shown + more,
                    limit=_SHOWN + 1,
                )
            )
        return tuple(known[name] for name in asked)

    @classmethod
    def read(cls, source: str | Path, *, patience: Patience = _PATIENCE) -> "Registry":
        """Read a registry.

        Args:
            source: a file, a folder that has a `registry.json`, or the URL of either; that of a
                folder ends with a slash.
            patience: with a server.

        Raises:
            BundleError: it is missing, too long, or not what `to_json` writes.
        """
        url = url_of(source)
        where = str(Path(source, REGISTRY) if Path(source).is_dir() else source)
        hint = _hint(url)
        try:
            content = patience.insist(lambda: _content(url, patience.timeout))
        except (RefusedError, InterruptedTransferError) as error:
            raise BundleError(
                f"{where} must be a registry that can be read: {error}; check the address{hint}"
            ) from None
        try:
            return read_record(cls, content, where)
        except BundleError as error:
            raise BundleError(f"{error}{hint}") from None


def url_of(source: str | Path) -> str:
    """Return the URL of a registry that is given by path or by URL.

    It is where relative URLs begin, and stays so if the server redirects: a redirect often
    leads to a place that holds this one file.

    Example:
        >>> url_of("https://example.org/core/registry.json")
        'https://example.org/core/registry.json'
        >>> url_of("https://example.org/core/")
        'https://example.org/core/registry.json'
        >>> url_of("/no such folder/registry.json")
        'file:///no%20such%20folder/registry.json'

    Raises:
        BundleError: it is a URL of another kind.
    """
    text = str(source)
    scheme = text.partition(":")[0].lower()
    if isinstance(source, str) and ("://" in text or scheme == "file"):
        try:
            _checked_url(text)
        except PydanticCustomError:
            scheme = ""
        if scheme not in (*_NETWORK, "file"):
            raise BundleError(
                f"A registry must be a path, or a URL with https:, http: or file:, got {text!r}"
            )
        return urljoin(text, REGISTRY) if text.endswith("/") else text
    path = Path(source)
    return (path / REGISTRY if path.is_dir() else path).absolute().as_uri()


def _hint(url: str) -> str:
    """Return what may be wrong with the URL of a registry, in words that follow a message."""
    path = urlsplit(url).path
    is_network = urlsplit(url).scheme in _NETWORK
    if not is_network or path.endswith(".json"):
        return ""
    return f"; if {url} is a folder, its URL ends with a slash: {urljoin(url, path)}/"


def _content(url: str, timeout: float) -> bytes:
    """Return all that is behind a URL, unless it is too much."""
    content = bytearray()
    with opened(url, timeout) as stream:
        for chunk in stream.chunks:
            content += chunk
            if len(content) > MOST_BYTES:
                raise RefusedError(f"must have at most {MOST_BYTES:,} bytes, got more")
    return bytes(content)


def _suggestion(name: str, known: Collection[str]) -> str:
    """Return a name with the ids that continue it, or else are most like it."""
    nearest = [other for other in known if other.startswith(name)][:_SUGGESTED]
    nearest = nearest or get_close_matches(name, known, _SUGGESTED, _LIKENESS)
    return f"{name}: did you mean {' or '.join(nearest)}?" if nearest else name
