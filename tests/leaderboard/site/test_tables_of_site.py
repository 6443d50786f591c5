"""Tables and figures of a site: files that are linked, whole, and those of the boards."""

import csv
import re

from glassbench.leaderboard import write_site
from glassbench.leaderboard.board_pages import FILE_TITLES, FORMATS


def links(folder, board):
    page = (folder / "boards" / f"{board}.html").read_text()
    return re.findall(r'<a href="\.\./(tables/[^"]+)">([^<]+)</a>', page)


def test_every_file_is_linked_from_its_board_and_has_a_digest(site_with_tables):
    told = {
        name
        for board in ("circuit", "features")
        for name, _ in links(site_with_tables, board)
        if name.startswith(f"tables/{board}")
    }
    there = {
        path.relative_to(site_with_tables).as_posix()
        for path in (site_with_tables / "tables").iterdir()
    }
    assert told == there
    assert {f"tables/circuit.{one}" for one in FORMATS} <= there
    assert {"tables/circuit-ranks.pdf", "tables/circuit-pairwise.tex"} <= there
    digests = (site_with_tables / "SHA256SUMS").read_text()
    assert all(f"  {name}\n" in digests for name in there)


def test_links_say_the_format_and_what_is_in_the_file(site_with_tables):
    page = (site_with_tables / "boards" / "circuit.html").read_text()
    for name, written in links(site_with_tables, "circuit"):
        assert FORMATS[name.rpartition(".")[2]] == written
        part = re.sub(r"^tables/circuit|\.\w+$", "", name)
        assert f"<dt>{FILE_TITLES[part]}</dt>" in page


def test_files_hold_the_numbers_of_the_board(site_with_tables):
    with (site_with_tables / "tables" / "circuit.csv").open(newline="") as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    page = (site_with_tables / "boards" / "circuit.html").read_text()
    assert f'<td class="n">{float(rows["good"]["normalised"]):.3f}</td>' in page
    assert rows["good"]["rank"] == "1" and rows["<b>weak</b>"]["rank"] == "2"
    assert r"\toprule" in (site_with_tables / "tables" / "circuit.tex").read_text()
    assert (site_with_tables / "tables" / "circuit.pdf").read_bytes().startswith(b"%PDF")


def test_a_site_can_do_without_them(make_result, tmp_path):
    make_result("good", "a-v1", 0.5).write(tmp_path / "results")
    write_site(tmp_path / "results", tmp_path / "site", tables=False)
    assert not (tmp_path / "site" / "tables").exists()
    assert "Tables and figures" not in (tmp_path / "site" / "boards" / "circuit.html").read_text()
