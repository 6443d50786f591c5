"""Who answers for a method: as the submission says that its results came in with, and no other."""

import hashlib
import re

import pytest

from glassbench.errors import BundleError
from glassbench.evaluators.submission import SubmissionRecord
from glassbench.leaderboard import read_raw_results, write_site
from glassbench.leaderboard.submitters import read_submitters


def record(**changes):
    """The bytes of a record of the method `mine`."""
    fields = {
        "name": "mine",
        "authors": ("A. <b>Author</b>", "B. Author"),
        "licence": "CC-BY-4.0",
        "contact": "author@example.org",
        "code": 'https://example.org/a?"b<c',
        "description": "Looks\nat weights.",
        "runs": [{"task": "a-v1", "track": "circuit", "folder": "a"}],
    }
    return SubmissionRecord.model_validate(fields | changes).to_json().encode() + b" \n"


@pytest.fixture
def submitted(make_result, tmp_path):
    """Write a result that names a record, and the record; return their folder."""

    def write(content, tool="mine", sha256=None, kept=True):
        sha256 = sha256 or hashlib.sha256(content).hexdigest()
        folder = tmp_path / "results"
        make_result(tool, "a-v1", 0.5, told={"submission": sha256}).write(folder)
        (folder / "submissions").mkdir(exist_ok=True)
        if kept:
            (folder / "submissions" / f"{sha256[:32]}.json").write_bytes(content)
        return folder

    return write


def page_of(folder, tool):
    (page,) = (folder / "methods").glob(f"{tool}-*.html")
    return page.read_text()


def test_the_page_of_a_method_says_who_submitted_it_and_links_the_record(submitted, tmp_path):
    results, site = submitted(record()), tmp_path / "site"
    write_site(results, site, tables=False, verify=False)
    page = page_of(site, "mine")
    assert "<bdi>A. &lt;b&gt;Author&lt;/b&gt;</bdi>, <bdi>B. Author</bdi>" in page
    assert "<bdi>Looks at weights.</bdi>" in page
    assert 'href="https://example.org/a?&#34;b&lt;c" rel="nofollow noreferrer"' in page
    assert "CC-BY-4.0" in page and "author@example.org" in page
    (link, digest) = re.search(
        r'href="\.\./(raw/submissions/\w+\.json)"><code>(\w+)<', page
    ).groups()
    assert (site / link).read_bytes() == record()
    assert hashlib.sha256(record()).hexdigest().startswith(digest)
    assert f"  {link}\n" in (site / "SHA256SUMS").read_text()


def test_a_method_cannot_say_that_others_answer_for_it(submitted, make_result, tmp_path):
    results = submitted(record(), tool="thief")
    make_result("honest", "a-v1", 0.5, told={"submission": "../../etc"}).write(results)
    make_result("plain", "a-v1", 0.5, told={"submission": 3}).write(results)
    assert read_submitters(results, read_raw_results(results)) == {}
    write_site(results, tmp_path / "site", tables=False, verify=False)
    assert "Submitted by" not in page_of(tmp_path / "site", "thief")
    assert not (tmp_path / "site" / "raw" / "submissions").exists()


def test_a_record_that_is_not_kept_is_not_shown(submitted):
    results = submitted(record(), kept=False)
    assert read_submitters(results, read_raw_results(results)) == {}


def test_a_record_that_was_edited_is_refused(submitted):
    results = submitted(record(), sha256="0" * 64)
    with pytest.raises(BundleError, match=r"must have the sha256 0{64} .*validate the submission"):
        read_submitters(results, read_raw_results(results))


def test_many_authors_are_counted(submitted, tmp_path):
    names = tuple(f"Author {number}" for number in range(30))
    results = submitted(record(authors=names))
    write_site(results, tmp_path / "site", tables=False, verify=False)
    page = page_of(tmp_path / "site", "mine")
    assert "Author 19" in page and "Author 20" not in page and "and 10 more" in page
