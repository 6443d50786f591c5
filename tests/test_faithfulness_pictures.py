"""The picture and the tables of faithfulness show what was measured."""

import pandas as pd
import pytest

ABLATIONS = ("interchange", "zero", "mean")
TRUE = {"a": 0.2, "b": 0.5, "c": 0.9, "oracle": 1.0, "random": 0.1}


@pytest.fixture(scope="module")
def pictures(docs_script):
    return docs_script("make_faithfulness_pictures")


@pytest.fixture
def frame():
    """Two tasks: interchange ranks as the truth does, zeros the other way round; one has no KL."""
    rows = []
    for task in ("one", "two"):
        for method, true in TRUE.items():
            row = {"method": method, "task": task, "edges": 9, "causal": 2}
            row |= {"average_precision": true}
            for ablation in ABLATIONS:
                value = 1 - true if ablation == "zero" else true
                row |= {f"cpr_{ablation}": value, f"cmd_{ablation}": 1 - value}
                kl = 1 - value if task == "one" else None
                row |= {f"accuracy_{ablation}": value, f"kl_{ablation}": kl}
            rows.append(row)
    return pd.DataFrame(rows)


def test_references_are_not_ranked(pictures, frame):
    """Under zeros they would be the other way round too; here they are all of one kind."""
    frame.loc[frame.method == "oracle", "cpr_interchange"] = 0.0
    found = {one.measure: one for one in pictures.agreements(frame)}
    assert found["cpr_interchange"].correlation == pytest.approx(1)
    assert found["cmd_zero"].correlation == pytest.approx(-1)
    assert (found["kl_mean"].tasks, found["cpr_mean"].tasks) == (1, 2)
    assert len(found) == 12


def test_methods_stand_between_references_the_best_first(pictures, frame):
    assert list(pictures.by_method(frame).index) == ["oracle", "c", "b", "a", "random"]
    assert "| c | 0.900 | 0.900 | 0.900 | 0.100 |" in pictures.tables(frame)
    assert "| CMD | zero | 2 | -1.00 |  | 0.700 |" in pictures.tables(frame)


def test_the_picture_is_the_same_bytes_each_time(pictures, frame, tmp_path):
    def draw():
        return pictures.figure_of(frame)

    once = pictures.write_drawing(draw, tmp_path / "once.svg").read_bytes()
    assert once == pictures.write_drawing(draw, tmp_path / "again.svg").read_bytes()


def test_what_is_measured_is_what_the_page_tells(pictures):
    """The numbers of docs/faithfulness.md are those of the CSV beside it."""
    page = (pictures.FOLDER.parent / "faithfulness.md").read_text(encoding="utf-8")
    for one in pictures.agreements(pd.read_csv(pictures.MEASURED)):
        assert f"{one.correlation:.2f} {one.interval}" in page


def test_rows_of_a_task_are_all_methods_and_references(performance_script):
    from glassbench.evaluators import built_in
    from glassbench.ground_truth import load

    script = performance_script("faithfulness")
    rows = list(script.rows(load("frac_prevs[vocab=2,length=3]"), 0))
    assert [row["method"] for row in rows] == [*built_in("circuit"), "oracle", "random"]
    oracle, random = rows[-2:]
    assert oracle["average_precision"] == 1 > random["average_precision"]
    assert oracle["cpr_interchange"] > random["cpr_interchange"]
    assert "kl_zero" not in oracle
