"""The pictures of superposition show what was measured."""

import numpy as np
import pandas as pd
import pytest

CURVES = """\
program,D,d,method,seed,passes,accuracy,loss,cosine,error,moved,seconds,read_error,read_rank
histogram,4,4,pca,0,True,1,-1e-9,1,0,0,0.1,0,3
histogram,4,4,trained,0,True,1,1e-9,1,0,0,0.1,0,3
histogram,4,3,pca,0,False,0.5,2,-0.4,1,,0.1,0.2,3
histogram,4,3,trained,0,False,0.9,0.1,0.9,0.2,,0.1,0.2,3
histogram,4,3,trained,1,True,1,0.001,1,0.01,0,0.1,0.2,3
histogram,4,2,pca,0,False,0,3,0,1,,0.1,0.9,3
histogram,4,2,trained,0,False,0.5,nan,0.4,1,,0.1,0.9,3
count,3,3,pca,0,True,1,1e-8,1,0,0,0.1,0,0
shift,8,6,trained,0,True,1,1e-8,1,0,0,0.1,0,5
shift,8,5,trained,0,True,1,1e-8,1,0,0,0.1,0.3,5
shift,8,4,trained,0,True,1,1e-8,1,0,0,0.1,0.3,5
shift,8,3,trained,0,False,1,1e-8,1,0,0,0.1,0.3,5
"""


@pytest.fixture(scope="module")
def pictures(docs_script):
    return docs_script("make_superposition_pictures")


@pytest.fixture(scope="module")
def measures(docs_script):
    return docs_script("feature_measures")


@pytest.fixture
def curves(pictures, tmp_path):
    path = tmp_path / "curves.csv"
    path.write_text(CURVES, encoding="utf-8")
    return pictures.read_curves(path)


def test_least_widths_are_those_of_the_rows(pictures, curves):
    histogram, count, _ = pictures.breaks(curves).to_dict("records")
    assert histogram == {
        "program": "histogram",
        "D": 4,
        "pca": 4,
        "trained": 3,
        "read_error": 4,
        "read_rank": 3,
    }
    assert count["pca"] == 3
    assert np.isnan(count["trained"])
    assert count["read_rank"] == 3  # No width below was measured.


def test_a_prediction_is_held_against_programs_it_was_not_formed_on(docs_script, curves):
    found = docs_script("superposition_breaks")
    searched = pd.DataFrame({"program": ["sum"], "D": [9], "read_rank": [4], "trained": [6]})
    least = found.breaks(curves, searched)
    by_error, by_share = found.off_by(least, "read_error")
    assert list(by_error[least.program == "shift"]) == [6 - 4]
    assert list(by_share[least.program == "shift"]) == [round(3 / 4 * 8) - 4]
    by_rank, _ = found.off_by(least, "read_rank")
    assert list(least.program[by_rank.index]) == ["shift", "sum"]
    assert list(by_rank) == [5 - 4, 4 - 6]
    assert "exact on 0, too low on 1" in found.report(least)
    assert "| sum | 9 |  | 6 |  | 4 |" in found.report(least)


def test_of_seeds_the_one_that_passes_is_drawn(pictures, curves):
    trained = curves[(curves.program == "histogram") & (curves.method == "trained")]
    best = pictures.best_rows(trained)
    assert list(best.d) == [2, 3, 4]
    assert list(best.seed) == [0, 1, 0]


@pytest.mark.parametrize("name", ["curves_figure", "breaks_figure"])
def test_pictures_of_curves_are_the_same_bytes_each_time(name, pictures, curves, tmp_path):
    shown = curves if name == "curves_figure" else pictures.breaks(curves)

    def draw():
        return getattr(pictures, name)(shown)

    once = pictures.write_drawing(draw, tmp_path / "once.svg").read_bytes()
    assert once == pictures.write_drawing(draw, tmp_path / "again.svg").read_bytes()


def test_correlations_are_those_within_models(pictures):
    rising, falling = np.arange(4.0), -np.arange(4.0)
    # Pooled, the second model would make of both one falling line.
    pairs = [(rising, rising), (rising + 9, rising - 9), (rising, falling), (np.ones(4), rising)]
    assert pictures.said(pairs) == "Spearman 1.00 (-1.00 to 1.00)\nwithin each of 3 models"


def test_independence_looks_at_other_variables_only(measures):
    first = np.array([1.0, 0, 1, 0, 1, 0, 1, 0])
    free = np.array([1.0, 1, 0, 0, 1, 1, 0, 0])
    x = np.column_stack([first, 1 - first, free, 3 * free, np.ones(8)])
    found = measures.independence(x, ["one", "one", "two", "copy", "flag"])
    assert found[:4] == pytest.approx([1, 1, 0, 0])
    assert np.isnan(found[4])


def test_the_narrowest_compression_of_each_program_is_taken(pictures):
    tasks = [
        "a-v1/superposed[d=7,seed=0]",
        "a-v1/superposed[d=6,seed=2]",
        "a-v1/superposed[d=6,seed=1]",
        "a-v1[length=3]/superposed[d=10,seed=0]",
    ]
    assert pictures.narrowest(tuple(tasks)) == tasks[2:]


def test_features_of_a_small_program_are_measured_and_drawn(pictures, tmp_path):
    stored = "frac_prevs-v1[vocab=2,length=3]/superposed[d=6,seed=0]"
    found = pictures.measured(stored)
    assert found.name == "frac_prevs[vocab=2,length=3], d = 6"
    task = pictures.load(stored.rsplit("/", 1)[0])
    names = pictures.feature_names(task.compiled.source_map)
    assert names[:4] == ["<bos>", "<pad>", "tokens=a", "tokens=b"]
    assert len(names) == len(found.interference) == len(found.density)
    assert found.density[names.index("<pad>")] == 0
    assert np.isnan(found.independence[names.index("<pad>")])
    assert found.importance[names.index("tokens=b")] == pytest.approx(0)
    pad = names.index("<pad>")
    correlation = pictures.correlations(pictures.values(task))
    assert np.isnan(correlation[pad]).all()
    assert correlation[names.index("tokens=a"), names.index("is_a")] == pytest.approx(1)
    pictures.write_drawing(lambda: pictures.features_figure([found]), tmp_path / "features.svg")
    W = pictures.matrix(stored)
    pictures.write_drawing(lambda: pictures.gram_figure(task, W), tmp_path / "gram.svg")
