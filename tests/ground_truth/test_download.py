"""Download: every flaw that a server can have, and what is kept of what it sends."""

import hashlib
import importlib.util
import io
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from glassbench.errors import BundleError, TaskError
from glassbench.ground_truth.bundle_archive import zip_bytes
from glassbench.ground_truth.cache import Cache, home
from glassbench.ground_truth.downloading import download
from glassbench.ground_truth.registry import Registry, RegistryEntry

_SPEC = importlib.util.spec_from_file_location(
    "flawed_server", Path(__file__).with_name("flawed_server.py")
)
flawed = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(flawed)


def zipped(manifest: bytes) -> bytes:
    """Return a zip with what is read of a bundle to know its digest."""
    return zip_bytes({"manifest.json": manifest})


BYTES = (bytes(range(256)) * 400)[124:]  # 124 more in the zip
CONTENT = zipped(BYTES)
SIZE = len(CONTENT)
OTHER = zipped(BYTES[::-1])
ID, OTHER_ID = "sort-v1[vocab=4,length=4]", "histogram-v1[vocab=6,length=4]/scrambled[seed=0]"
FAILED = (
    f"{ID} cannot be downloaded; try again later, or use another registry. What each address said:"
)
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Cache:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("GLASSBENCH_HOME", str(tmp_path / "home"))
    return Cache(tmp_path / "home")


@pytest.fixture
def server():
    with flawed.FlawedServer() as running:
        yield running


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def fetch(tmp_path, slept) -> Callable[..., list[Path]]:
    """Download from URLs that are given, without waiting between trials."""

    def from_urls(*urls: str, content: bytes = CONTENT, **settings) -> list[Path]:
        file = registry(tmp_path / "registry.json", entry(ID, content, *urls))
        settings = {"timeout": 5, "sleep": slept.append} | settings
        return download(file, **settings)

    return from_urls


def entry(name: str, content: bytes, *urls: str) -> RegistryEntry:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        digest = hashlib.sha256(archive.read("manifest.json")).hexdigest()
    sha256 = hashlib.sha256(content).hexdigest()
    return RegistryEntry(id=name, digest=digest, sha256=sha256, size=len(content), urls=urls)


def registry(file: Path, *entries: RegistryEntry) -> Path:
    file.write_text(Registry(bundles=entries).to_json(), encoding="utf-8")
    return file


def files(cache: Cache, *suffixes: str) -> list[str]:
    found = (cache.home / "bundles").glob("*")
    return sorted(path.suffix for path in found if path.suffix in (suffixes or (".zip", ".part")))


def ranges(server) -> list[str | None]:
    return [asked.range for asked in server.asked]


def told(caught) -> str:
    return str(caught.value)


# -- what goes well --------------------------------------------------------------------


def test_a_bundle_is_fetched_once(server, fetch, cache):
    url = server.serve("/a.zip", CONTENT)
    (path,) = fetch(url)
    assert path == cache.bundle(hashlib.sha256(CONTENT).hexdigest())
    assert path.read_bytes() == CONTENT
    assert files(cache) == [".zip"]
    assert fetch(url) == [path]
    assert len(server.asked) == 1


def test_from_a_registry_on_a_server(server, cache):
    server.serve("/core/b.zip", OTHER)
    server.serve("/core/files/a.zip", CONTENT)
    index = Registry(bundles=(entry(ID, CONTENT, "files/a.zip"), entry(OTHER_ID, OTHER, "b.zip")))
    url = server.serve("/core/registry.json", index.to_json().encode())
    assert [path.read_bytes() for path in download(url)] == [CONTENT, OTHER]
    assert [path.read_bytes() for path in download(url, [OTHER_ID])] == [OTHER]
    assert [path.read_bytes() for path in download(url, [OTHER_ID, ID])] == [OTHER, CONTENT]
    assert download(url, []) == []
    assert download(f"{server.url}/core/") == download(url)


@pytest.mark.parametrize("how", ["path", "text", "folder", "url"])
def test_from_a_registry_on_disk(tmp_path, how):
    folder = tmp_path / "two words"
    folder.mkdir()
    (folder / "a.zip").write_bytes(CONTENT)
    file = registry(folder / "registry.json", entry(ID, CONTENT, "a.zip"))
    source = {"path": file, "text": str(file), "folder": folder, "url": file.as_uri()}[how]
    (path,) = download(source)
    assert path.read_bytes() == CONTENT
    assert path.parent.name == "bundles"


def test_bytes_are_counted(server, tmp_path):
    flaws = flawed.drop(50_000), flawed.without_range
    urls = server.serve("/a.zip", CONTENT, *flaws), server.serve("/b.zip", OTHER)
    file = registry(
        tmp_path / "registry.json", entry(ID, CONTENT, urls[0]), entry(OTHER_ID, OTHER, urls[1])
    )
    for _ in range(2):
        steps = []
        download(file, advance=steps.append, sleep=lambda _: None)
        assert sum(steps) == 2 * SIZE
    assert steps == [SIZE, SIZE]


def test_a_registry_that_is_wrong_about_a_digest(server, tmp_path):
    wrong = entry(ID, CONTENT, server.serve("/a.zip", CONTENT)).model_copy(
        update={"digest": "a" * 64}
    )
    with pytest.raises(BundleError, match=f"tell its publisher.*\n.*instead of {'a' * 64}"):
        download(registry(tmp_path / "registry.json", wrong))


def test_many_at_once(server, tmp_path):
    contents = [zipped(bytes([i]) * 1000) for i in range(20)]
    entries = [
        entry(f"task {i}", content, server.serve(f"/{i}", content, flawed.slow(2, 0.02)))
        for i, content in enumerate(contents)
    ]
    paths = download(registry(tmp_path / "registry.json", *entries), jobs=8)
    assert [path.read_bytes() for path in paths] == contents


def test_two_tasks_may_have_the_same_file(server, tmp_path):
    url = server.serve("/a.zip", CONTENT, flawed.slow(5, 0.02))
    entries = entry(ID, CONTENT, url), entry(OTHER_ID, CONTENT, url)
    first, second = download(registry(tmp_path / "registry.json", *entries))
    assert first == second
    assert len(server.asked) == 1


# -- what is tried again ---------------------------------------------------------------


@pytest.mark.parametrize("reset", [False, True])
def test_a_dropped_connection_is_continued(server, fetch, slept, reset):
    flaws = flawed.drop(32_768, reset=reset), flawed.drop(16_384)
    (path,) = fetch(server.serve("/a.zip", CONTENT, *flaws))
    assert path.read_bytes() == CONTENT
    if not reset:  # a reset may take back bytes that were on their way
        assert ranges(server) == [None, "bytes=32768-", "bytes=49152-"]
    assert slept == [1, 2]


def test_a_connection_that_drops_always(server, fetch, cache):
    url = server.serve("/a.zip", CONTENT, always=flawed.drop(16_384))
    with pytest.raises(BundleError) as caught:
        fetch(url, retries=2)
    assert told(caught) == (
        f"{FAILED}\n  - {url}: broke off after 49,152 of 102,400 bytes (tried 3 times)"
    )
    assert files(cache) == [".part"]


def test_a_truncated_file_is_continued(server, fetch):
    (path,) = fetch(server.serve("/a.zip", CONTENT, flawed.truncate(1000)))
    assert path.read_bytes() == CONTENT
    assert ranges(server) == [None, "bytes=1000-"]


def test_a_file_that_is_always_truncated(server, fetch, cache):
    url = server.serve("/a.zip", CONTENT, always=flawed.truncate(1000))
    with pytest.raises(BundleError) as caught:
        fetch(url)
    assert told(caught).endswith(f"{url}: ended after 1,000 of 102,400 bytes (tried 4 times)")
    assert ".zip" not in files(cache)


@pytest.mark.parametrize("code", [500, 502, 503, 429, 408])
def test_errors_that_pass_are_tried_again(server, fetch, slept, code):
    (path,) = fetch(server.serve("/a.zip", CONTENT, flawed.status(code)))
    assert path.read_bytes() == CONTENT
    assert slept == [1]


def test_errors_that_do_not_pass(server, fetch, slept):
    url = server.serve("/a.zip", CONTENT, always=flawed.status(500))
    with pytest.raises(BundleError) as caught:
        fetch(url, retries=8)
    assert told(caught) == (
        f"{FAILED}\n  - {url}: answered 500 Internal Server Error (tried 9 times)"
    )
    assert slept == [1, 2, 4, 8, 16, 32, 60, 60]


def test_silence_is_not_waited_for(server, fetch):
    url = server.serve("/a.zip", CONTENT, flawed.silent, flawed.stall(16_384))
    (path,) = fetch(url, timeout=0.2)
    assert path.read_bytes() == CONTENT
    assert ranges(server) == [None, None, "bytes=16384-"]
    server.serve("/b.zip", OTHER, always=flawed.silent)
    with pytest.raises(BundleError, match=re.escape("/b.zip: said nothing for 0.1 s")):
        fetch(f"{server.url}/b.zip", content=OTHER, timeout=0.1, retries=0)
    server.serve("/c.zip", OTHER, always=flawed.stall(32_768))
    message = "/c.zip: said nothing for 0.1 s after 32,768 of 102,400 bytes"
    with pytest.raises(BundleError, match=re.escape(message)):
        fetch(f"{server.url}/c.zip", content=OTHER, timeout=0.1, retries=0)


def test_slow_and_steady_is_waited_for(server, fetch, slept):
    started = time.monotonic()
    (path,) = fetch(server.serve("/a.zip", CONTENT, flawed.slow(12, 0.1)), timeout=0.8)
    assert path.read_bytes() == CONTENT
    assert time.monotonic() - started > 0.8
    assert (len(server.asked), slept) == (1, [])


def test_nobody_listens(fetch, server):
    with flawed.FlawedServer() as gone:
        url = f"{gone.url}/a.zip"
    with pytest.raises(BundleError) as caught:
        fetch(url)
    assert told(caught) == (
        f"{FAILED}\n  - {url}: could not be reached: Connection refused (tried 4 times)"
    )


# -- ranges ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flaw", "asked"),
    [
        (flawed.without_range, [None, "bytes=16384-"]),
        (flawed.status(416), [None, "bytes=16384-", None]),
        (flawed.wrong_range("bytes 0-102399/102400"), [None, "bytes=16384-", None]),
        (flawed.wrong_range("bytes 16384-102399/99"), [None, "bytes=16384-", None]),
        (flawed.wrong_range("none"), [None, "bytes=16384-", None]),
    ],
    ids=["ignored", "416", "from the beginning", "of another file", "malformed"],
)
def test_a_server_that_cannot_continue_starts_anew(server, fetch, flaw, asked):
    (path,) = fetch(server.serve("/a.zip", CONTENT, flawed.drop(16_384), flaw))
    assert path.read_bytes() == CONTENT
    assert ranges(server) == asked


def test_a_range_nobody_asked_for(server, fetch):
    url = server.serve("/a.zip", CONTENT, always=flawed.wrong_range(f"bytes 0-{SIZE - 1}/{SIZE}"))
    with pytest.raises(BundleError, match=re.escape(f"{url}: answered 206 Partial Content")):
        fetch(url)


def test_a_part_that_is_wrong_is_not_the_fault_of_who_continues_it(server, fetch, cache, slept):
    part = cache.part(hashlib.sha256(CONTENT).hexdigest())
    part.parent.mkdir(parents=True)
    for wrong in (OTHER[:5000], OTHER, OTHER + b"more"):
        part.write_bytes(wrong)
        (path,) = fetch(server.serve("/a.zip", CONTENT), retries=0)
        assert path.read_bytes() == CONTENT
        path.unlink()
    assert ranges(server) == ["bytes=5000-", None, None, None]
    assert slept == []


def test_a_whole_part_is_used(server, fetch, cache):
    part = cache.part(hashlib.sha256(CONTENT).hexdigest())
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT)
    (path,) = fetch(f"{server.url}/a.zip")
    assert path.read_bytes() == CONTENT
    assert (server.asked, files(cache)) == ([], [".zip"])


# -- what is refused -------------------------------------------------------------------


@pytest.mark.parametrize(("code", "words"), [(404, "404 Not Found"), (403, "403 Forbidden")])
def test_the_next_address_is_tried_at_once(server, fetch, slept, code, words):
    gone = server.serve("/gone.zip", CONTENT, always=flawed.status(code))
    (path,) = fetch(gone, server.serve("/a.zip", CONTENT))
    assert path.read_bytes() == CONTENT
    assert [asked.path for asked in server.asked] == ["/gone.zip", "/a.zip"]
    assert slept == []
    path.unlink()
    with pytest.raises(BundleError, match=re.escape(f"{FAILED}\n  - {gone}: answered {words}")):
        fetch(gone)


def test_wrong_bytes_are_thrown_away(server, fetch, cache, slept):
    url = server.serve("/a.zip", OTHER)
    with pytest.raises(BundleError) as caught:
        fetch(url)
    expected, got = (hashlib.sha256(content).hexdigest() for content in (CONTENT, OTHER))
    assert told(caught) == (f"{FAILED}\n  - {url}: the file must have sha256 {expected}, got {got}")
    assert (files(cache), slept) == ([], [])


def test_another_address_goes_on_with_what_there_is(server, fetch):
    first = server.serve("/a.zip", CONTENT, always=flawed.drop(16_384))
    (path,) = fetch(first, server.serve("/b.zip", CONTENT), retries=1)
    assert path.read_bytes() == CONTENT
    assert ranges(server) == [None, "bytes=16384-", "bytes=32768-"]


def test_an_address_that_begins_wrong_does_not_spoil_the_next(server, fetch):
    first = server.serve("/a.zip", OTHER, always=flawed.drop(16_384))
    (path,) = fetch(first, server.serve("/b.zip", CONTENT), retries=0)
    assert path.read_bytes() == CONTENT
    assert ranges(server) == [None, "bytes=16384-", None]


def test_too_many_bytes_are_cut_off(server, fetch, cache):
    url = server.serve("/a.zip", CONTENT, always=flawed.endless)
    with pytest.raises(BundleError) as caught:
        fetch(url)
    assert told(caught) == f"{FAILED}\n  - {url}: the file must have 102,400 bytes, got more"
    assert files(cache) == []
    assert len(server.asked) == 1


def test_every_address_is_told(server, fetch):
    urls = (
        server.serve("/a.zip", OTHER),
        server.serve("/b.zip", CONTENT, always=flawed.status(503)),
        server.serve("/c.zip", CONTENT, always=flawed.status(404)),
        "file:///no/such.zip",
    )
    with pytest.raises(BundleError) as caught:
        fetch(*urls, retries=1)
    heading, *lines = told(caught).splitlines()
    assert heading == FAILED
    assert lines[0].startswith(f"  - {urls[0]}: the file must have sha256 ")
    assert lines[1:] == [
        f"  - {urls[1]}: answered 503 Service Unavailable (tried 2 times)",
        f"  - {urls[2]}: answered 404 Not Found",
        "  - file:///no/such.zip: there is no such file",
    ]


def test_files_are_checked_as_well(tmp_path, fetch, cache):
    file = tmp_path / "a.zip"
    for wrong, message in (
        (OTHER, "the file must have sha256 "),
        (CONTENT[:10], "the file must have 102,400 bytes, got 10"),
        (CONTENT + b"!", "the file must have 102,400 bytes, got 102,401"),
    ):
        file.write_bytes(wrong)
        with pytest.raises(BundleError, match=re.escape(f"{file.as_uri()}: {message}")):
            fetch("a.zip")
        assert ".zip" not in files(cache)
    file.write_bytes(CONTENT)
    assert fetch("a.zip")[0].read_bytes() == CONTENT


def test_the_first_that_cannot_be_had_ends_all(server, tmp_path, cache):
    """The others are given up where they are, and not waited for."""
    entries = [
        entry(ID, CONTENT, server.serve("/a.zip", CONTENT, flawed.status(404))),
        entry(OTHER_ID, OTHER, server.serve("/b.zip", OTHER, flawed.slow(100, 0.02))),
    ]
    with pytest.raises(BundleError, match=re.escape("answered 404 Not Found")):
        download(registry(tmp_path / "registry.json", *entries), jobs=2)
    assert files(cache) in ([], [".part"])


def test_unknown_tasks(tmp_path):
    file = registry(tmp_path / "registry.json", entry(ID, CONTENT, "a.zip"))
    with pytest.raises(TaskError, match=re.escape(f"sort: did you mean {ID}?")):
        download(file, ["sort"])


# -- redirects -------------------------------------------------------------------------


def test_redirects_are_followed(server, fetch):
    server.serve("/a.zip", CONTENT, flawed.drop(16_384))
    moved = server.serve("/moved.zip", b"", always=flawed.redirect("/a.zip"))
    (path,) = fetch(moved)
    assert path.read_bytes() == CONTENT
    assert ranges(server) == [None, None, "bytes=16384-", "bytes=16384-"]


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/a.zip"])
def test_redirects_do_not_leave_http(server, fetch, target):
    url = server.serve("/a.zip", b"", always=flawed.redirect(target))
    with pytest.raises(BundleError) as caught:
        fetch(url)
    assert told(caught).endswith(f"{url}: redirects to {target!r}, which is not https: or http:")
    assert len(server.asked) == 1


def test_redirects_in_a_circle(server, fetch):
    url = server.serve("/a.zip", b"", always=flawed.redirect("/a.zip"))
    with pytest.raises(BundleError, match=re.escape(f"{url}: redirects more than 20 times")):
        fetch(url)


def test_what_a_redirect_says_besides_is_not_read(server, fetch):
    server.serve("/a.zip", CONTENT)
    moved = server.serve("/moved.zip", b"", always=flawed.redirect("/a.zip", endless=True))
    (path,) = fetch(moved)
    assert path.read_bytes() == CONTENT


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A certificate for 127.0.0.1 that nobody has signed."""
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    command += f" -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout {file}.key"
    subprocess.run([*command.split(), "-out", str(file)], check=True, capture_output=True)
    return file


@pytest.fixture
def secure_server(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, f"{certificate}.key")
    with flawed.FlawedServer(context=context) as running:
        yield running


def test_https(secure_server, server, fetch, certificate, monkeypatch):
    url = secure_server.serve("/a.zip", CONTENT)
    with pytest.raises(
        BundleError, match=re.escape(f"{url}: cannot be trusted: self-signed certificate")
    ):
        fetch(url)
    assert secure_server.asked == []
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    (path,) = fetch(url)
    assert path.read_bytes() == CONTENT
    path.unlink()
    bare = server.serve("/a.zip", CONTENT)
    moved = secure_server.serve("/moved.zip", b"", always=flawed.redirect(bare))
    message = f"{moved}: redirects to {bare!r}, which is not https:"
    with pytest.raises(BundleError, match=re.escape(message)):
        fetch(moved)
    assert server.asked == []


# -- the cache -------------------------------------------------------------------------


def test_where_the_cache_is(monkeypatch, tmp_path):
    assert home() == tmp_path / "home"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GLASSBENCH_HOME", "here")
    assert home() == tmp_path / "here"
    monkeypatch.setenv("GLASSBENCH_HOME", "")
    assert home().name == "glassbench"
    assert home().is_absolute()


def test_another_cache(server, fetch, tmp_path):
    (path,) = fetch(server.serve("/a.zip", CONTENT), home=tmp_path / "other")
    assert path.parent == tmp_path / "other" / "bundles"


def test_a_damaged_file_is_fetched_again(server, fetch):
    url = server.serve("/a.zip", CONTENT)
    (path,) = fetch(url)
    for damaged in (OTHER, CONTENT[:-1], b""):
        path.write_bytes(damaged)
        assert fetch(url) == [path]
        assert path.read_bytes() == CONTENT
    assert len(server.asked) == 4


def test_a_cache_that_is_no_folder(server, fetch, tmp_path):
    (tmp_path / "home").write_text("a file")
    message = (
        f"{tmp_path}/home must be a folder that can be written to, for what is downloaded: "
        "Not a directory; make room there, or set GLASSBENCH_HOME to another folder"
    )
    with pytest.raises(BundleError, match=re.escape(message)):
        fetch(server.serve("/a.zip", CONTENT))
    assert server.asked == []


@pytest.mark.skipif(IS_ROOT, reason="root may write everywhere")
def test_a_cache_that_may_only_be_read(server, fetch, cache):
    url = server.serve("/a.zip", CONTENT)
    (path,) = fetch(url)
    path.parent.chmod(0o500)
    try:
        assert fetch(url) == [path]
        with pytest.raises(BundleError, match="Permission denied; make room there, or set GLASS"):
            fetch(server.serve("/b.zip", OTHER), content=OTHER)
    finally:
        path.parent.chmod(0o700)


def test_a_disk_that_is_full(server, fetch, monkeypatch, cache):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BundleError, match="No space left on device; make room there, or set GLA"):
        fetch(server.serve("/a.zip", CONTENT))
    assert files(cache) == [".part"]


def test_errors_of_who_counts_are_their_own(server, fetch):
    def broken(_: int) -> None:
        raise BrokenPipeError("of the screen")

    with pytest.raises(BrokenPipeError, match="of the screen"):
        fetch(server.serve("/a.zip", CONTENT), advance=broken)


# -- offline ---------------------------------------------------------------------------


def test_offline_from_the_cache(server, cache):
    index = Registry(bundles=(entry(ID, CONTENT, "a.zip"), entry(OTHER_ID, OTHER, "b.zip")))
    server.serve("/a.zip", CONTENT)
    url = server.serve("/registry.json", index.to_json().encode())
    paths = download(url, [ID])
    n_asked = len(server.asked)
    steps = []
    assert download(url, [ID], offline=True, advance=steps.append) == paths
    assert steps == [SIZE]
    missing = cache.bundle(hashlib.sha256(OTHER).hexdigest())
    paths[0].write_bytes(OTHER)
    with pytest.raises(BundleError) as caught:
        download(url, offline=True)
    assert told(caught) == (
        f"Offline, every bundle must be in the cache; download these from {url} once without "
        f"offline:\n  - {ID}: {paths[0]} is damaged\n  - {OTHER_ID}: {missing} is missing"
    )
    assert len(server.asked) == n_asked


def test_offline_without_the_registry(server, cache):
    url = f"{server.url}/registry.json"
    message = (
        f"{url} must have been read before to be used offline, and there is no copy of it in "
        f"{cache.home}; download once without offline, or name a registry that is a file"
    )
    with pytest.raises(BundleError, match=re.escape(message)):
        download(url, offline=True)
    assert server.asked == []


def test_offline_with_a_registry_on_disk(server, fetch):
    url = server.serve("/a.zip", CONTENT)
    with pytest.raises(BundleError, match=r"\.zip is missing"):
        fetch(url, offline=True)
    paths = fetch(url)
    assert fetch(url, offline=True) == paths
    assert len(server.asked) == 1


# -- other processes -------------------------------------------------------------------


@pytest.fixture
def process():
    """Start processes that download; end them when the test does."""
    started = []

    def start(source: Path) -> subprocess.Popen:
        code = "import sys; from glassbench.ground_truth.downloading import download\n"
        code += "print(*download(sys.argv[1]))"
        command = [sys.executable, "-c", code, str(source)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.wait()
        one.stdout.close()


def until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_a_process_that_is_killed(server, fetch, tmp_path, cache, process):
    url = server.serve("/a.zip", CONTENT, flawed.stall(65_536))
    file = registry(tmp_path / "registry.json", entry(ID, CONTENT, url))
    part = cache.part(hashlib.sha256(CONTENT).hexdigest())
    other = process(file)
    until(lambda: part.exists() and part.stat().st_size == 65_536)
    other.send_signal(signal.SIGKILL)
    assert other.wait() == -signal.SIGKILL
    assert files(cache) == [".part"]
    with pytest.raises(BundleError, match="is missing"):
        fetch(url, offline=True)
    steps: list[int] = []
    (path,) = fetch(url, advance=steps.append)
    assert path.read_bytes() == CONTENT
    assert (steps[0], sum(steps)) == (0, SIZE)
    assert 65_536 in steps
    assert ranges(server) == [None, "bytes=65536-"]
    assert server.asked[1].sent == SIZE - 65_536


def test_two_processes_share_one_download(server, tmp_path, cache, process):
    go_on = threading.Event()
    url = server.serve("/a.zip", CONTENT, flawed.stall(16_384, until=go_on))
    file = registry(tmp_path / "registry.json", entry(ID, CONTENT, url))
    other = process(file)
    until(lambda: len(server.asked) == 1)
    found, calls = [], []
    waiting = threading.Thread(
        target=lambda: found.extend(download(file, advance=lambda n: calls.append(n)))
    )
    waiting.start()
    until(lambda: len(calls) >= 2)  # looks up while it waits
    assert set(calls) == {0}
    go_on.set()
    waiting.join()
    printed, _ = other.communicate()
    assert (other.returncode, printed.strip()) == (0, str(found[0]))
    assert found[0].read_bytes() == CONTENT
    assert len(server.asked) == 1
    assert files(cache) == [".zip"]
