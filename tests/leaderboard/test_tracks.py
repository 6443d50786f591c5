"""Results of several tracks and questions in one folder, ranked apart."""

import pytest

from glassbench.errors import BundleError
from glassbench.evaluators.result import MetricValue
from glassbench.leaderboard import (
    cells,
    read_results,
    results_frame,
    standings,
    task_scores,
    write_leaderboard,
)

pytestmark = pytest.mark.usefixtures("without_figures")

COSINE = "matched_cosine"
INDEPENDENT = {"arm": "independent"}
REPORTED = {"duplicate_directions": 2.0, "dead_units": 5.0, "unexplained_variance": 0.25}


@pytest.fixture
def features(make_result):
    """A function that makes a result of the features track, from a cosine."""

    def make(tool, task, value, **changes):
        metrics = {
            COSINE: MetricValue.of(value, random=0.4),
            "activation_f1": MetricValue.of(value, random=0.3),
        }
        given = {"track": "features", "primary": COSINE, "metrics": metrics}
        reported = REPORTED if value is not None else {}
        return make_result(tool, task, value, **{**given, "reported": reported, **changes})

    return make


@pytest.fixture
def mixed(results, features):
    """The circuit track, and the features track under two arms."""
    return (
        *results,
        features("sae", "a-v1", 0.7),
        features("sae", "b-v1", 0.5, reported={**REPORTED, "dead_units": 6.0}),
        features("pca", "a-v1", 0.46),
        features("pca", "b-v1", None),
        features("sae", "a-v1", 1.0, question=INDEPENDENT),
    )


def test_tracks_and_questions_are_ranked_apart(mixed, results, folder_of):
    found = read_results(folder_of(mixed))
    assert len(found) == len(mixed)
    assert standings(results_frame(found)).equals(standings(results_frame(results)))
    table = standings(results_frame(found, "features"))
    assert table["method"].tolist() == ["oracle", "sae", "pca", "random"]
    row = table[table["method"] == "sae"].iloc[0]
    assert row["normalised"] == pytest.approx((0.5 + 1 / 6) / 2)
    alone = standings(results_frame(found, "features", INDEPENDENT))
    assert alone["method"].tolist() == ["sae", "oracle", "random"]
    assert alone.iloc[0]["normalised"] == 1


def test_a_question_that_was_not_asked_is_told(mixed):
    with pytest.raises(BundleError) as caught:
        results_frame(mixed, "features", {"arm": "superposed"})
    assert str(caught.value) == (
        'Expected results of track \'features\' asked with {"arm": "superposed"}, found none. '
        "Score a method first."
    )


def test_reported_numbers_are_shown_and_never_rank(mixed):
    frame = results_frame(mixed, "features")
    assert not set(REPORTED) & set(task_scores(frame)["metric"])
    table = standings(frame).set_index("method")
    assert table.loc["sae", "dead_units"] == 5.5
    assert table.loc["pca", "dead_units"] == 5
    assert table.loc[["oracle", "random"], list(REPORTED)].isna().all(axis=None)
    better = [
        one.model_copy(update={"reported": dict.fromkeys(REPORTED, 0.0)})
        if one.tool == "pca" and one.reported
        else one
        for one in mixed
    ]
    again = standings(results_frame(better, "features")).set_index("method")
    assert again["rank"].equals(table["rank"])
    assert again["normalised"].equals(table["normalised"])


def test_tables_have_the_columns_of_the_track(mixed):
    heading, rows = cells(standings(results_frame(mixed, "features")))
    assert heading == [
        "Rank",
        "Method",
        "Score",
        "95% interval",
        "IQM",
        "Worst 10%",
        "Cosine",
        "F1",
        "Duplicates",
        "Dead",
        "Unexplained",
        "Seconds",
        "Tasks",
        "Failed",
        "Missing",
    ]
    by_method = {row[1]: row for row in rows}
    assert by_method["sae"][6:11] == ["0.600", "0.600", "2.000", "5.500", "0.250"]
    assert by_method["oracle"][6:11] == ["1.000", "1.000", "", "", ""]


def test_files_bear_the_name_of_what_was_asked(mixed, folder_of, tmp_path):
    folder = folder_of(mixed)
    names = [
        write_leaderboard(folder, tmp_path, **asked).markdown.name
        for asked in (
            {},
            {"track": "features"},
            {"track": "features", "question": INDEPENDENT},
        )
    ]
    assert names == [
        "leaderboard.md",
        "leaderboard-features.md",
        "leaderboard-features-independent.md",
    ]
    assert "sae" in (tmp_path / names[1]).read_text()
    assert "sae" not in (tmp_path / names[0]).read_text()
    assert (tmp_path / "leaderboard-features.svg").exists()


def test_no_file_leaves_the_folder_whatever_was_asked(make_result, tmp_path):
    asked = {"arm": "/../../x", "hooks": ["../y"]}
    make_result("sae", "t-v1", 0.5, track="features", question=asked).write(tmp_path / "results")
    written = write_leaderboard(tmp_path / "results", tmp_path / "there" / "board", verify=False)
    assert {file.parent for file in tmp_path.rglob("*") if file.is_file()} == {
        tmp_path / "results",
        tmp_path / "there" / "board",
    }
    assert written.markdown.is_file()


def test_what_is_asked_is_else_the_first_question_that_results_answer(mixed, folder_of, tmp_path):
    rest = [one for one in mixed if one.track != "circuit"]
    only = [one for one in rest if one.question]
    folders = folder_of(tuple(rest), "rest"), folder_of(tuple(only), "only")
    names = [write_leaderboard(folder, tmp_path / folder.name).markdown.name for folder in folders]
    assert names == ["leaderboard-features.md", "leaderboard-features-independent.md"]
