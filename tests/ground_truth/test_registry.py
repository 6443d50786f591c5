"""Registry: what is read, what is refused, and what is said of it."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

from glassbench.errors import BundleError, TaskError
from glassbench.ground_truth import registry as module
from glassbench.ground_truth.registry import Registry, RegistryEntry, url_of
from glassbench.ground_truth.transfer import Patience

_SPEC = importlib.util.spec_from_file_location(
    "flawed_server", Path(__file__).with_name("flawed_server.py")
)
flawed = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(flawed)

SCRAMBLED = "histogram-v1[vocab=6,length=4]/scrambled[seed=0]"
QUICK = Patience(retries=2, timeout=5, sleep=lambda _: None)


@pytest.fixture(autouse=True)
def _direct(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server():
    with flawed.FlawedServer() as running:
        yield running


def entry(name: str = SCRAMBLED, **other) -> RegistryEntry:
    usual = {"digest": "a" * 64, "sha256": "b" * 64, "size": 10, "urls": ("a.zip",)}
    return RegistryEntry(id=name, **(usual | other))


REGISTRY = Registry(bundles=(entry(), entry("sort-v1[vocab=4,length=4]", sha256="c" * 64)))


def test_it_is_written_and_read_the_same(tmp_path):
    file = tmp_path / "registry.json"
    file.write_text(REGISTRY.to_json(), encoding="utf-8")
    assert Registry.read(file) == REGISTRY
    assert Registry.read(str(file)) == REGISTRY
    assert Registry.read(file.as_uri()) == REGISTRY
    assert Registry.read(tmp_path) == REGISTRY
    assert Registry.read(file).to_json() == file.read_text(encoding="utf-8")


def test_it_is_read_from_a_server_that_fails_at_first(server):
    content = REGISTRY.to_json().encode()
    url = server.serve("/registry.json", content, flawed.status(503), flawed.drop(20))
    assert Registry.read(url, patience=QUICK) == REGISTRY
    assert len(server.asked) == 3


def flawed_json(**change) -> str:
    return json.dumps(json.loads(REGISTRY.to_json()) | change)


def flawed_entry(**change) -> str:
    return flawed_json(bundles=[entry().model_dump(mode="json") | change])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "it is not JSON: "),
        (flawed_json(size=float("nan")), "it is not JSON: NaN is not JSON"),
        ('{"bundles": [], "bundles": []}', "it is not JSON: the keys bundles are there more"),
        (
            flawed_json(format_version="2.0"),
            "format_version: must be '1.0', got '2.0'; use the version of Glassbench that wrote",
        ),
        (flawed_json(mirror="x"), "mirror: Extra inputs are not permitted"),
        (flawed_entry(licence="x"), "bundles.0.licence: Extra inputs are not permitted"),
        (flawed_entry(id=""), "bundles.0.id: String should have at least 1 character"),
        (flawed_entry(sha256="B" * 64), "bundles.0.sha256: String should match pattern"),
        (flawed_entry(sha256="../" * 22), "bundles.0.sha256: String should match pattern"),
        (flawed_entry(digest="a" * 63), "bundles.0.digest: String should match pattern"),
        (flawed_entry(size=-1), "bundles.0.size: Input should be greater than or equal to 0"),
        (flawed_entry(size="10"), "bundles.0.size: Input should be a valid integer"),
        (flawed_entry(urls=[]), "bundles.0.urls: Tuple should have at least 1 item"),
        (
            flawed_json(bundles=[entry().model_dump(mode="json")] * 2),
            f"all: ids must differ, got more than once: {SCRAMBLED}",
        ),
    ],
)
def test_flaws_are_told(tmp_path, text, message):
    file = tmp_path / "registry.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BundleError) as caught:
        Registry.read(file)
    assert str(caught.value).startswith(f"{file} does not hold a registry:\n  - ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["ftp://example.org/a.zip", "javascript:alert(1)", "", "https:a.zip", "https://[/a", "C:\\a"],
)
def test_other_urls_are_refused(tmp_path, url):
    file = tmp_path / "registry.json"
    file.write_text(flawed_entry(urls=["a.zip", url]), encoding="utf-8")
    message = f"bundles.0.urls.1: must begin with https:, http: or file:, or be relative, got {url}"
    with pytest.raises(BundleError, match=re.escape(message)):
        Registry.read(file)


def test_relative_urls_begin_at_the_registry():
    urls = ("a.zip", "../b.zip", "/c.zip", "https://other.org/d.zip")
    assert entry(urls=urls).addresses("https://example.org/core/registry.json") == (
        "https://example.org/core/a.zip",
        "https://example.org/b.zip",
        "https://example.org/c.zip",
        "https://other.org/d.zip",
    )
    assert entry(urls=urls[:1]).addresses("file:///data/registry.json") == ("file:///data/a.zip",)


def test_the_network_does_not_name_files_of_its_readers():
    message = (
        "http://example.org/registry.json may not send its readers to files of their own machine; "
        f"for {SCRAMBLED} it names these:\n  - file:///etc/passwd"
    )
    with pytest.raises(BundleError, match=re.escape(message)):
        entry(urls=("file:///etc/passwd",)).addresses("http://example.org/registry.json")


def test_unknown_ids_are_told_with_the_nearest():
    asked = ["sort-v1[vocab=4,length=5]", "histogram", "parity", "sort-v1[vocab=4,length=4]"]
    with pytest.raises(TaskError) as caught:
        REGISTRY.entries(asked)
    assert str(caught.value) == (
        "Only what is in the registry can be had, and these are not in it:\n"
        "  - sort-v1[vocab=4,length=5]: did you mean sort-v1[vocab=4,length=4]?\n"
        f"  - histogram: did you mean {SCRAMBLED}?\n"
        "  - parity"
    )


def test_entries_come_in_the_order_asked_for_each_once():
    first, second = REGISTRY.bundles
    assert REGISTRY.entries() == (first, second)
    assert REGISTRY.entries([second.id, first.id, second.id]) == (second, first)
    assert REGISTRY.entries([]) == ()


def test_many_unknown_ids_are_counted():
    with pytest.raises(TaskError, match=r"  - and 5 more$"):
        REGISTRY.entries(f"none {i}" for i in range(25))


def test_missing_files_are_told(tmp_path):
    message = f"{tmp_path}/registry.json must be a registry that can be read: there is no such file"
    with pytest.raises(BundleError, match=re.escape(message)):
        Registry.read(tmp_path)
    with pytest.raises(BundleError, match="there is no such file; check the address"):
        Registry.read((tmp_path / "other.json").as_uri())
    with pytest.raises(BundleError, match="must be a file of this machine, got one of other"):
        Registry.read("file://other/registry.json")


@pytest.mark.parametrize("source", ["ftp://example.org/registry.json", "https:///a", "file:"])
def test_other_sources_are_refused(source):
    message = f"must be a path, or a URL with https:, http: or file:, got {source!r}"
    with pytest.raises(BundleError, match=re.escape(message)):
        url_of(source)


def test_what_a_server_says_is_told(server):
    url = f"{server.url}/none.json"
    message = f"{url} must be a registry that can be read: answered 404 Not Found; check the addr"
    with pytest.raises(BundleError, match=re.escape(message)):
        Registry.read(url)
    assert len(server.asked) == 1


def test_the_url_of_a_folder_without_its_slash(server):
    """Servers send a page about the folder, or nothing, and never the registry."""
    page = server.serve("/served", b"<html>registry.json</html>")
    hint = f"; if {page} is a folder, its URL ends with a slash: {page}/"
    with pytest.raises(BundleError, match=rf"it is not JSON: .*{re.escape(hint)}$"):
        Registry.read(page, patience=QUICK)
    none = f"{server.url}/none"
    hint = f"; check the address; if {none} is a folder, its URL ends with a slash: {none}/"
    with pytest.raises(BundleError, match=re.escape(hint)):
        Registry.read(none, patience=QUICK)
    with pytest.raises(BundleError, match=r"check the address$"):
        Registry.read(f"{none}/", patience=QUICK)


@pytest.mark.parametrize("from_server", [False, True])
def test_one_that_is_too_long_is_not_read(tmp_path, monkeypatch, server, from_server):
    monkeypatch.setattr(module, "MOST_BYTES", 100)
    file = tmp_path / "registry.json"
    file.write_bytes(bytes(200))
    url = server.serve("/registry.json", b"", always=flawed.endless)
    with pytest.raises(BundleError, match="must have at most 100 bytes, got more"):
        Registry.read(url if from_server else file)


def test_a_redirect_does_not_lead_to_a_file(server, tmp_path):
    file = tmp_path / "registry.json"
    file.write_text(REGISTRY.to_json(), encoding="utf-8")
    url = server.serve("/registry.json", b"", flawed.redirect(file.as_uri()))
    with pytest.raises(BundleError, match=re.escape(f"redirects to '{file.as_uri()}', which is")):
        Registry.read(url)
