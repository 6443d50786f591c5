"""`glassbench leaderboard` and the circuits of its site."""

import json
import re

from glassbench.compiler import rasp
from glassbench.evaluators import scored
from glassbench.ground_truth import load, make_task, write_bundle
from glassbench.leaderboard import read_raw_results
from glassbench.site_command import circuit_views

TASK = "histogram"


def test_the_site_draws_circuits_and_tells_what_answers_made_of_them(invoke, tmp_path):
    results, site = tmp_path / "results", tmp_path / "site"
    for method in ("weight-norm", "path-norm"):
        scored(method, TASK).write(results)
    out = invoke("leaderboard", str(results), "-o", str(site), "--no-tables").output
    assert str(site / "index.html") in out.replace("\n", "")
    assert "Left out" not in out
    (page,) = (site / "tasks").glob("*.html")
    assert page.with_suffix(".svg").read_bytes().startswith(b"<?xml")
    text = page.read_text()
    causal = load(TASK).labels.counts["causal"]
    found = [
        tuple(map(int, re.findall(r">(\d+)<", row)))
        for row in re.findall(r'<td>ok</td>((?:<td class="n">\d+</td>){3})', text)
    ]
    assert len(found) == 2 and all(one[0] + one[1] == causal for one in found)


def test_an_answer_that_is_not_that_of_its_result_is_left_out_and_told(tmp_path, capsys):
    results = tmp_path / "results"
    result = scored("weight-norm", TASK)
    result.write(results)
    answer = results / "answers" / result.result.file_name
    content = json.loads(answer.read_text())
    content["scores"] = dict.fromkeys(content["scores"], 1.0)
    answer.write_text(json.dumps(content))
    (view,) = circuit_views(read_raw_results(results), results).values()
    assert view.picture is not None and view.outcomes == {}
    told = capsys.readouterr().err
    assert "Left out of circuits for 1 problem; the first:" in told
    assert "the answer must have the sha256" in told


def test_the_site_can_do_without_circuits_and_link_results_elsewhere(invoke, tmp_path):
    results, site = tmp_path / "results", tmp_path / "site"
    scored("weight-norm", TASK).write(results)
    raw = "https://example.org/results/"
    invoke(
        "leaderboard",
        str(results),
        "-o",
        str(site),
        "--no-circuits",
        "--no-tables",
        "--raw-link",
        raw,
    )
    assert not list((site / "tasks").glob("*.svg"))
    assert not (site / "raw").exists()
    (page,) = (site / "methods").glob("*.html")
    assert f'href="{raw}' in page.read_text()


def test_tasks_of_ones_own_are_measured_again_and_drawn_from_their_bundles(invoke, tmp_path):
    same = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.EQ)
    task = make_task(rasp.SelectorWidth(same).named("mine"), "ab", 3)
    bundle, results = str(write_bundle(task, tmp_path / "bundle")), str(tmp_path / "results")
    invoke("score", "weight-norm", "--task", bundle, "-o", results)
    arguments = ("leaderboard", results, "-o", str(tmp_path / "site"), "--no-tables", "--verify")
    assert "the task cannot be made" in invoke(*arguments, code=1).stderr
    done = invoke(*arguments, "--task", bundle)
    assert "1 answer: 1 measured again" in done.stderr and "Left out" not in done.stderr
    assert len(list((tmp_path / "site" / "tasks").glob("*.svg"))) == 1
