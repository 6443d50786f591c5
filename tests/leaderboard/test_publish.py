"""The folder of a leaderboard: what is in it, and that it is the same bytes each time."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from glassbench.benchmark_programs import get_suite
from glassbench.leaderboard import read_results, results_frame, standings, write_leaderboard


@pytest.fixture(scope="module")
def many(make_result):
    """Three methods on tasks of the library, with two seeds, a failure and a gap."""
    generator = np.random.default_rng(0)
    found = [
        make_result(
            name, str(task), float(np.clip(level + generator.normal(0, 0.1), 0, 1)), seed=seed
        )
        for name, level in (("good", 0.8), ("fair", 0.6), ("poor", 0.3))
        for task in get_suite("core")[:12]
        for seed in range(2)
    ]
    found[5] = make_result("good", found[5].task, None, seed=1)
    return tuple(found[:-1])


@pytest.fixture(scope="module")
def board(many, tmp_path_factory):
    place = tmp_path_factory.mktemp("published")
    for result in many:
        result.write(place / "results")
    return write_leaderboard(place / "results", place / "board")


def test_all_tables_and_figures_are_there(board):
    names = {path.name.removeprefix("leaderboard") for path in board.files}
    assert names == {path.name.removeprefix("leaderboard") for path in board.svg.parent.iterdir()}
    texts, figures, frames = ("md", "tex", "html"), ("svg", "pdf"), ("csv", "parquet")
    assert names == {
        *(f".{suffix}" for suffix in (*texts, *figures, *frames)),
        *(f"-pairwise.{suffix}" for suffix in (*texts, *frames)),
        *(f"-trends.{suffix}" for suffix in (*texts, *frames)),
        *(f"-{part}.{s}" for part in ("tasks", "covariates") for s in frames),
        *(
            f"-{part}.{s}"
            for part in ("profiles", "ranks", "difficulty")
            for s in (*figures, *frames)
        ),
    }
    assert all(path.stat().st_size > 0 for path in board.files)


def test_frames_come_back_as_they_were(board, many):
    table = standings(results_frame(many))
    pd.testing.assert_frame_equal(pd.read_parquet(board.svg.with_suffix(".parquet")), table)
    texts = {"rank": "str", "normalised": "str"}  # old versions of pandas round what they parse
    written = pd.read_csv(board.svg.with_suffix(".csv"), dtype=texts)
    np.testing.assert_array_equal(written["normalised"].map(float), table["normalised"])
    assert written["rank"].fillna("").tolist() == table["rank"].tolist()
    row = table[table["method"] == "poor"].iloc[0]
    assert (row["missing"], row["answered"]) == (1, 11)


def test_the_same_results_give_the_same_bytes(board, many, folder_of, tmp_path):
    with mpl.rc_context({"font.size": 20.0, "axes.grid": True, "savefig.dpi": 33}):
        again = write_leaderboard(folder_of(many[::-1], "again"), tmp_path / "second")
    assert [path.name for path in board.files] == [path.name for path in again.files]
    for one, other in zip(board.files, again.files, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_no_figure_bears_a_date(board):
    for path in board.files:
        if path.suffix == ".svg":
            assert b"<dc:date>" not in path.read_bytes()
        if path.suffix == ".pdf":
            assert b"CreationDate" not in path.read_bytes()


@pytest.mark.usefixtures("without_figures")
def test_one_method_alone_has_no_pairs(many, folder_of, tmp_path):
    alone = tuple(result for result in many if result.tool == "fair")
    board = write_leaderboard(folder_of(alone, "alone"), tmp_path / "one")
    names = {path.stem for path in board.files}
    assert "leaderboard-pairwise" not in names
    assert "leaderboard-profiles" in names


def test_statistics_are_those_of_the_folder(board, many, folder_of):
    found = read_results(folder_of(many, "more"))
    pd.testing.assert_frame_equal(board.statistics.results, results_frame(found))
