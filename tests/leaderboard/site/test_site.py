"""The files of a site: whole, linked, the same each time, and of text that stays text."""

import hashlib
import re
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import joblib
import pytest

from glassbench.errors import BundleError
from glassbench.leaderboard import alongside, write_site
from glassbench.leaderboard.entries import Entries
from glassbench.leaderboard.page_names import distinct_names, page_name, shown
from glassbench.leaderboard.results_folder import read_raw_results
from glassbench.leaderboard.site import write_site_of
from glassbench.leaderboard.site_files import SiteFiles

VOID = {"meta", "link", "img", "input", "br", "circle", "line", "path", "wbr"}


class Page(HTMLParser):
    """What stands in a page: elements, addresses, names, and whether all that opens is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.names: set[str] = set()
        self.handlers: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        given = dict(attributes)
        assert len(given) == len(attributes), f"<{tag}> has an attribute twice"
        self.addresses += [given[name] for name in ("href", "src") if name in given]
        if "id" in given:
            assert given["id"] not in self.names, f"the id {given['id']} is there twice"
            self.names.add(given["id"])
        self.handlers += [name for name in given if name.startswith("on") or name == "style"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def pages(site):
    return {
        path.relative_to(site.folder).as_posix(): Page(path.read_text(encoding="utf-8"))
        for path in sorted(site.folder.rglob("*.html"))
    }


def test_every_page_is_whole(pages):
    assert len(pages) > 100
    for name, page in pages.items():
        assert not page.open, name
        assert page.tags.count("h1") == page.tags.count("main") == 1, name
        assert page.tags.count("script") == 1, name
        assert not page.handlers, name


def test_every_link_leads_somewhere_inside_but_that_to_the_code_of_a_submission(site, pages):
    outside = [name for name, page in pages.items() if site.code in page.addresses]
    assert len(outside) == 1 and outside[0].startswith("methods/script-document-title")
    for name, page in pages.items():
        for address in page.addresses:
            if address == site.code:
                continue
            parts = urlsplit(address)
            assert not parts.scheme and not parts.netloc, (name, address)
            target = (site.folder / name).parent / unquote(parts.path) if parts.path else None
            file = (target or site.folder / name).resolve()
            assert file.is_file() and file.is_relative_to(site.folder.resolve()), (name, address)
            if parts.fragment and "=" not in parts.fragment:
                inside = file.relative_to(site.folder.resolve()).as_posix()
                assert parts.fragment in pages[inside].names, (name, address)


def test_every_run_is_linked_and_copied_as_it_is(site, pages):
    linked = {
        address.rsplit("/", 1)[1]
        for page in pages.values()
        for address in page.addresses
        if "/raw/" in address and "/submissions/" not in address
    }
    assert linked == {one.file_name for one in site.results}
    for name in linked:
        assert (site.folder / "raw" / name).read_bytes() == (site.raw / name).read_bytes()


def test_the_digest_of_every_file_is_told(site):
    lines = (site.folder / "SHA256SUMS").read_text().splitlines()
    told = dict(reversed(line.split("  ", 1)) for line in lines)
    files = {
        path.relative_to(site.folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in site.folder.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS"
    }
    assert told == files
    page = (site.folder / site.one("methods/good-*.html")).read_text()
    name = next(one.file_name for one in site.results if one.tool == "good")
    assert f'raw/{name}"><code>{told[f"raw/{name}"][:12]}</code>' in page


def test_the_same_results_give_the_same_bytes_and_nothing_old_is_left(make_result, tmp_path):
    for name in ("a-v1", "b-v1"):
        make_result("good", name, 0.5).write(tmp_path / "results")
    first, second = tmp_path / "first", tmp_path / "second"
    write_site(tmp_path / "results", first, tables=False)
    more = make_result("old", "c-v1", 0.5).write(tmp_path / "results")
    write_site(tmp_path / "results", second, tables=False)
    assert list(second.glob("methods/old-*.html")) and list(second.glob(f"raw/{more.name}"))
    (second / "methods" / "notes.html").write_text("someone's own")
    more.unlink()
    write_site(tmp_path / "results", second, tables=False)
    assert (second / "methods" / "notes.html").read_text() == "someone's own"
    (second / "methods" / "notes.html").unlink()
    assert contents(first) == contents(second)


@pytest.mark.parametrize("tables", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_other_processes_give_the_same_bytes(make_result, tmp_path, monkeypatch, tables):
    """Also where there are many more pages than processes take at once."""
    for method in ("a", "b", "c"):
        for task in range(150):
            name = f"{'sort' if task % 4 else 'length'}-v1/crowded[seed={task}]"
            make_result(method, name, (task % 10) / 10).write(tmp_path / "results")
    write_site(tmp_path / "results", tmp_path / "here", tables=tables)
    monkeypatch.setattr(alongside, "MANY_RESULTS", 1)
    monkeypatch.setattr(joblib, "cpu_count", lambda: 2)
    monkeypatch.chdir(tmp_path)
    write_site("results", "there", tables=tables)
    assert contents(tmp_path / "here") == contents(tmp_path / "there")
    assert len(list((tmp_path / "there" / "boards").iterdir())) > 1  # parts of the tasks, too
    assert ("tables/circuit.csv" in contents(tmp_path / "there")) == tables


def test_what_fails_in_another_process_is_told(make_result, tmp_path, monkeypatch):
    make_result("a", "sort-v1", 0.5).write(tmp_path / "results")
    monkeypatch.setattr(alongside, "MANY_RESULTS", 1)
    monkeypatch.setattr(joblib, "cpu_count", lambda: 2)
    entries = Entries.of(read_raw_results(tmp_path / "results"))
    (tmp_path / "results" / entries.found[0].name).write_text("changed")
    states = {entries.found[0].name: "absent"}
    with pytest.raises(BundleError, match="changed while the site was made; make it again"):
        write_site_of(entries, tmp_path / "results", tmp_path / "site", states=states)


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_results_inside_the_site_are_linked_where_they_are(make_result, tmp_path):
    written = make_result("good", "a-v1", 0.5).write(tmp_path / "out" / "results")
    write_site(tmp_path / "out" / "results", tmp_path / "out", tables=False)
    (page,) = (tmp_path / "out" / "methods").glob("*.html")
    assert f'href="../results/{written.name}"' in page.read_text()
    assert not (tmp_path / "out" / "raw").exists()
    assert f"  results/{written.name}\n" in (tmp_path / "out" / "SHA256SUMS-results").read_text()


def test_results_inside_the_site_outlive_it(make_result, tmp_path):
    results = tmp_path / "out" / "results"
    kept = make_result("good", "a-v1", 0.5).write(results)
    write_site(results, tmp_path / "out", tables=False)
    make_result("good", "b-v1", 0.5).write(tmp_path / "others")
    write_site(tmp_path / "others", tmp_path / "out", tables=False)
    assert kept.exists()


def test_results_that_a_site_copied_outlive_a_site_of_them(make_result, tmp_path):
    kept = make_result("good", "a-v1", 0.5).write(tmp_path / "results")
    write_site(tmp_path / "results", tmp_path / "site", tables=False)
    write_site(tmp_path / "site" / "raw", tmp_path / "site", tables=False)
    assert (tmp_path / "site" / "raw" / kept.name).read_bytes() == kept.read_bytes()


def test_results_that_a_site_copied_outlive_a_site_that_links_them_elsewhere(make_result, tmp_path):
    make_result("good", "a-v1", 0.5).write(tmp_path / "results")
    write_site(tmp_path / "results", tmp_path / "site", tables=False)
    (copied,) = (tmp_path / "site" / "raw").iterdir()
    write_site(tmp_path / "site" / "raw", tmp_path / "site", raw="https://a.b/c/", tables=False)
    assert copied.exists()
    listed = (tmp_path / "site" / "SHA256SUMS-results").read_text()
    assert listed.endswith(f"  {copied.name}\n")


def test_results_that_are_published_elsewhere_are_not_copied(make_result, tmp_path):
    written = make_result("good", "a-v1", 0.5).write(tmp_path / "results")
    for raw, link in (("../results", "../../results/"), ("https://a.b/c/", "https://a.b/c/")):
        write_site(tmp_path / "results", tmp_path / "site", raw=raw, tables=False)
        (page,) = (tmp_path / "site" / "methods").glob("*.html")
        assert f'href="{link}{written.name}"' in page.read_text()
        assert not (tmp_path / "site" / "raw").exists()
        sha256 = hashlib.sha256(written.read_bytes()).hexdigest()
        listed = (tmp_path / "site" / "SHA256SUMS-results").read_text()
        assert listed == f"{sha256}  {written.name}\n"
        assert 'href="SHA256SUMS-results"' in (tmp_path / "site" / "reading.html").read_text()


def test_a_list_of_digests_that_others_wrote_removes_nothing_outside(tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_text("kept")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "SHA256SUMS").write_text(f"{'0' * 64}  ../outside.txt\n")
    SiteFiles(tmp_path / "site").finish()
    assert outside.read_text() == "kept"


def test_an_unwritable_place_is_told(make_result, tmp_path):
    make_result("good", "a-v1", 0.5).write(tmp_path / "results")
    (tmp_path / "site").write_text("a file")
    with pytest.raises(BundleError, match=r"site.* cannot be written: .*another folder"):
        write_site(tmp_path / "results", tmp_path / "site", tables=False)


def test_methods_of_one_name_have_pages_of_their_own(make_result, tmp_path):
    make_result("a (k=1)", "t-v1", 0.5).write(tmp_path / "results")
    for k in (1, 2):
        make_result("a", "t-v1", 0.3, settings={"k": k}).write(tmp_path / "results")
    write_site(tmp_path / "results", tmp_path / "site", tables=False)
    assert len(list((tmp_path / "site" / "methods").glob("*.html"))) == 3
    assert "3 methods, 1 task, 3 runs" in (tmp_path / "site" / "index.html").read_text()


def test_pages_say_why_all_methods_are_tied(make_result, tmp_path):
    for method in ("a", "b", "c"):
        for task in range(6):
            make_result(method, f"t{task}-v1", 0.5).write(tmp_path / "results")
    write_site(tmp_path / "results", tmp_path / "site", tables=False)
    told = "All are tied: 6 tasks cannot tell 3 methods apart"
    for page in ("index.html", "boards/circuit.html"):
        assert f'<p class="ties">{told}' in (tmp_path / "site" / page).read_text()


def test_seconds_that_are_not_known_are_empty_cells(make_result, tmp_path):
    silent = [make_result("silent", task, 0.5, wall_seconds=None) for task in ("a-v1", "b-v1")]
    told = [make_result("told", task, 0.5, wall_seconds=7.125) for task in ("a-v1", "b-v1")]
    for one in (*silent, *told):
        one.write(tmp_path / "results")
    write_site(tmp_path / "results", tmp_path / "site", tables=False)
    pages = {file: file.read_text() for file in (tmp_path / "site").rglob("*.html")}
    assert not [file for file, page in pages.items() if ">nan<" in page]
    (of_silent,) = (page for file, page in pages.items() if file.name.startswith("silent-"))
    (of_told,) = (page for file, page in pages.items() if file.name.startswith("told-"))
    assert "<dt>Cost</dt><dd>7.12 s a run in the mean" in of_told
    assert "<dt>Cost</dt>" not in of_silent
    assert "<dt>Answers</dt>" in of_silent
    assert of_told.count('<td class="n">7.12</td>') == 2
    assert of_silent.count('<td class="n"></td><td class="runs">') == 2


def test_a_failed_run_is_shown_and_counts_as_the_floor(site):
    page = (site.folder / site.one("methods/weak-steps-10-*.html")).read_text()
    assert "Runs without an answer" in page and "it took too long" in page
    assert re.search(r'<td class="n">-0.125</td>.*<td class="bad">failed</td>', page)


def test_edges_found_missed_and_invented_are_told(site):
    (picture,) = site.folder.glob("tasks/*.svg")
    page = picture.with_suffix(".html").read_text()
    assert f'<img src="{picture.name}" width="120" height="40"' in page
    rows = re.findall(r"<code>(\S+)</code></th><td>(\w+)</td>((?:<td class=\"n\">\d+</td>)+)", page)
    counts = {
        edge: (state, *map(int, re.findall(r">(\d+)<", cells))) for edge, state, cells in rows
    }
    assert counts == {
        "embed-&gt;head": ("causal", 2, 0, 0),
        "head-&gt;mlp": ("causal", 0, 2, 0),
        "embed-&gt;mlp": ("inert", 0, 0, 2),
    }


def test_every_row_is_there_without_a_script(site):
    text = (site.folder / "tasks.html").read_text()
    own = {(one.task, one.track) for one in site.results}
    assert text.count('<th scope="row">') == len(own)
    assert " hidden" not in text


@pytest.mark.parametrize("text", ["../../etc/passwd", "CON", "a/b", "ä", "", "x" * 9_999, "\udc80"])
def test_names_of_pages_are_safe_in_any_file_system(text):
    assert re.fullmatch("[a-z0-9-]{10,60}", page_name(text))


def test_names_that_look_alike_are_told_apart():
    spoofed = distinct_names(["b b", "b  b"])["b b"]
    alike = ["a" * 100, "a" * 101, "b b", "b  b", "b\u202eb", "", "\n", spoofed]
    names = distinct_names(alike)
    assert len(set(names.values())) == len(alike)
    assert all(name.isprintable() and name for name in names.values())
    assert distinct_names(["plain"]) == {"plain": "plain"}
    assert shown("a\r\nb") == "a b"


def test_a_copy_that_was_cut_off_is_made_again(tmp_path, monkeypatch):
    """Whether an earlier site had it or not."""
    results, site = tmp_path / "results", tmp_path / "site"
    copy, content = site / "raw" / "a.json", b"{}" * 99
    results.mkdir()
    (results / "a.json").write_bytes(content)
    wanted = [("a.json", "raw/a.json", hashlib.sha256(content).hexdigest())]

    def made():
        files = SiteFiles(site)
        for call in files.copies(results, wanted):
            call()
        files.finish()

    copy.parent.mkdir(parents=True)
    copy.write_bytes(content[:9])
    made()
    assert copy.read_bytes() == content

    copy.unlink()
    with monkeypatch.context() as stopping:
        stopping.setattr("os.replace", stop)
        with pytest.raises(KeyboardInterrupt):
            made()
    assert not copy.exists()
    made()
    assert copy.read_bytes() == content


def stop(*_):
    raise KeyboardInterrupt
