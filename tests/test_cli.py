"""The command line, verb by verb: what it prints, writes and refuses."""

import json
import sys
from dataclasses import replace

import pytest

from glassbench.benchmark_programs import SUITES, get_program, registry
from glassbench.benchmark_programs.families import controls
from glassbench.benchmark_programs.feature_measures import MOST_FLOOR
from glassbench.benchmark_programs.relevance_measures import MOST_PRIOR_OF_TASK
from glassbench.benchmark_programs.suites import Suite
from glassbench.benchmark_programs.superposed_widths import WIDTHS
from glassbench.benchmark_programs.task_measures import measured_tasks
from glassbench.evaluators import BUILT_IN, built_in
from glassbench.ground_truth import Registry, load_bundle

TINY = "histogram-v1[vocab=2,length=3]"
METHODS = """
def by_writer(problem):
    return {edge: float(edge.startswith("embed")) for edge in problem.edges}

def wrong_names(problem):
    return {"a0.h7->m0": 1.0}

def not_a_number(problem):
    return {edge: float("nan") for edge in problem.edges}

def broken(problem):
    raise RuntimeError("no luck")

number = 3
"""


@pytest.fixture
def run(tmp_path, monkeypatch, invoke):
    """Run the command in a folder that holds a module of methods, with a tiny suite."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "own_methods", raising=False)
    tasks = (TINY, "sort-v1[vocab=2,length=2]")
    monkeypatch.setitem(SUITES, "tiny", Suite("Small ones.", lambda: tasks))
    (tmp_path / "own_methods.py").write_text(METHODS)

    return invoke


@pytest.fixture
def two_methods():
    """Leave out all methods of the circuit track but two that are quick."""
    kept = dict(BUILT_IN)
    for name in built_in("circuit"):
        if name not in ("interchange", "weight-norm"):
            del BUILT_IN[name]
    yield
    BUILT_IN.clear()  # so that they stand in their order again
    BUILT_IN.update(kept)


def test_quickstart_writes_what_it_says(run, two_methods, tmp_path):
    out = run("quickstart", "--suite", "tiny").stdout
    assert "2 tasks compiled and certified" in out
    for row in ("oracle", "interchange", "weight-norm", "prior", "random"):
        assert row in out
    board = tmp_path / "glassbench-results"
    assert len(list((board / "results").glob("*.json"))) == 4
    for suffix in ("md", "tex", "html", "svg", "pdf"):
        path = board / f"leaderboard.{suffix}"
        assert path.stat().st_size > 0
        assert str(path.relative_to(tmp_path)) in out
    assert "glassbench score my_module:my_function" in out


@pytest.mark.usefixtures("without_figures")
def test_quickstart_again_replaces_and_keeps_results_of_the_same_suite(run, two_methods, tmp_path):
    run("quickstart", "--suite", "tiny", "-o", "out")
    run("score", "own_methods:by_writer", "--suite", "tiny", "-o", "out/results")
    out = run("quickstart", "--suite", "tiny", "-o", "out").stdout
    assert "4 runs scored" in out
    assert len(list((tmp_path / "out" / "results").glob("*.json"))) == 6
    assert "by\\_writer" in (tmp_path / "out" / "leaderboard.md").read_text()


def test_quickstart_refuses_a_folder_with_results_of_other_tasks(run, two_methods):
    run("score", "weight-norm", "--task", "histogram[vocab=2,length=2]", "-o", "out/results")
    error = run("quickstart", "--suite", "tiny", "-o", "out", code=1).stderr
    assert "choose another folder with -o" in error
    assert "weight-norm on histogram-v1[vocab=2,length=2]" in error


def test_list_names_programs_and_suites(run):
    out = run("list").stdout
    for text in ("brackets", "shuffle_dyck2-v1", "Six tasks, for a first number", "sort[large]"):
        assert text in out


def test_list_filters_by_family_tag_and_trait(run):
    out = run("list", "--family", "brackets", "--tag", "statistics", "--tag", "mean").stdout
    assert "pair_balance-v1" in out
    assert "histogram" not in out
    error = run("list", "--family", "bracket", code=1).stderr
    assert "no family 'bracket'. Did you mean 'brackets'" in error
    error = run("list", "--tag", "runing counts", code=1).stderr
    assert "no tag 'runing counts'. Did you mean 'running counts'" in error
    assert "0 programs" in run("list", "--tag", "one answer", "--family", "moving").stdout


def test_list_shows_sizes_and_tags(run):
    rows = run("list", "--size", "large").stdout.splitlines()
    (row,) = (row for row in rows if " histogram-v1 " in row)
    assert row.split()[2:4] == ["8", "16"]
    assert "must be one of tiny, small" in run("list", "--size", "huge", code=2).stderr
    out = run("list", "--tags").stdout
    assert "its output may depend on other positions" in out
    assert "attention operations on the longest path of its expression: 2" in out
    assert "moving" in out


def test_list_shows_what_a_suite_holds(run):
    out = run("list", "--suite", "quick", "--family", "counting").stdout
    assert "histogram-v1/crowded[distractors=4,seed=0]/scrambled[seed=0]" in out
    assert out.endswith("\n1 task\n")
    (record,) = json.loads(run("list", "--suite", "quick", "--family", "counting", "--json").stdout)
    assert (record["causal"], record["exhaustive"]) == (4, True)
    assert "spread" not in record


def test_list_shows_what_was_measured_of_compressed_models(run):
    out = run("list", "--suite", "superposition", "--family", "counting").stdout
    (row,) = (row for row in out.splitlines() if "length-v1/superposed[d=9,seed=0]" in row)
    measured = measured_tasks()["length-v1/superposed[d=9,seed=0]"]
    assert row.split()[1:] == [
        *map(str, (measured.layers, measured.heads, 9, measured.causal)),
        *map(str, (measured.inert, measured.unwired)),
        "11",
        "0.68",
    ]
    assert "the floor of the features track" in out
    arguments = ("list", "--suite", "superposition", "--family", "counting", "--json")
    for record in json.loads(run(*arguments).stdout):
        assert record["d_model"] in WIDTHS[record["task"].split("-")[0]]
        assert 0.5 < record["random"] < record["spread"] <= MOST_FLOOR
    assert "Blind" not in run("list", "--suite", "quick").stdout


def test_list_shows_what_was_measured_of_tokens(run):
    out = run("list", "--suite", "relevance", "--family", "sorting").stdout
    (row,) = (row for row in out.splitlines() if row.startswith("sort-v1"))
    assert row.split()[-4:] == ["211", "of", "468", "0.05"]
    assert "what positions earn\non the attribution track" in out
    records = json.loads(
        run("list", "--suite", "relevance", "--family", "sorting", "--json").stdout
    )
    assert all(0 < record["answers_ranked"] < record["answers"] for record in records)
    assert all(record["prior_of_positions"] <= MOST_PRIOR_OF_TASK for record in records)
    assert "Prior" not in run("list", "--suite", "core").stdout


def test_list_as_json(run):
    records = json.loads(run("list", "--family", "sorting", "--json").stdout)
    (sort,) = (record for record in records if record["id"] == "sort-v1")
    assert sort["sizes"]["small"] == {"vocab": 4, "length": 5}
    assert sort["traits"] == ["attention", "width", "hops-2"]
    records = json.loads(run("list", "--family", "sorting", "--size", "tiny", "--json").stdout)
    assert {tuple(record["sizes"]) for record in records} == {("tiny",)}


@pytest.fixture
def sized(monkeypatch):
    """A suite of tasks in several sizes."""
    tasks = ("sort[large]", "histogram[vocab=8,length=16]", "reverse", TINY)
    monkeypatch.setitem(SUITES, "sized", Suite("In several sizes.", lambda: tasks))


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("tiny", []),
        ("small", ["reverse-v1"]),
        ("large", ["sort-v1[vocab=8,length=16]", "histogram-v1[vocab=8,length=16]"]),
    ],
)
def test_list_keeps_the_tasks_of_a_suite_in_a_size(run, sized, size, expected):
    arguments = ("list", "--suite", "sized", "--size", size)
    told = "1 task" if len(expected) == 1 else f"{len(expected)} tasks"
    assert run(*arguments).stdout.endswith(f"\n{told}\n")
    assert [record["task"] for record in json.loads(run(*arguments, "--json").stdout)] == expected


def test_list_counts_the_tags_of_a_suite(run, sized):
    def counts(*arguments):
        records = json.loads(run("list", "--tags", "--json", "--suite", "sized", *arguments).stdout)
        return {(record["kind"], record["name"]): record["programs"] for record in records}

    assert counts()["trait", "attention"] == 3
    assert counts("--size", "large")["trait", "attention"] == 2
    assert counts("--tag", "histograms") == {
        ("tag", "histograms"): 1,
        ("trait", "attention"): 1,
        ("trait", "width"): 1,
        ("trait", "hops-1"): 1,
    }
    row = next(
        row
        for row in run("list", "--tags", "--suite", "sized").stdout.splitlines()
        if row.startswith("attention ")
    )
    assert row.split()[1] == "3"


def test_list_tags_as_json_say_what_they_mean(run):
    records = json.loads(run("list", "--tags", "--json").stdout)
    meanings = {record["name"]: record["meaning"] for record in records}
    assert meanings["width"] == "it counts selected positions"
    assert meanings["histograms"] == ""


def test_list_refuses_what_would_change_nothing(run):
    error = run("list", "--tags", "--size", "large", code=2).stderr
    assert "every program has every size" in error
    error = run("list", "--suite", "quick", "--tag", "histogramms", code=1).stderr
    assert "no tag 'histogramms'. Did you mean 'histograms'" in error


@pytest.fixture
def unbuildable(monkeypatch):
    """A program of another package whose expression cannot be built."""

    def build(vocabulary, length):
        raise ValueError("no\nluck")

    spec = replace(get_program("histogram"), name="mine", build=build, tags=("mine",))
    specs = (*registry._registered(), spec)
    monkeypatch.setattr(registry, "_registered", lambda: specs)


@pytest.mark.parametrize(
    "arguments", [("--tag", "width"), ("--json",), ("--tags",), ("--tag", "mine")]
)
def test_list_leaves_out_what_cannot_be_built(run, unbuildable, arguments):
    result = run("list", "--family", "counting", *arguments)
    assert result.stderr.splitlines() == [
        "mine-v1 is left out, since its expression cannot be built: ValueError('no\\nluck'); "
        "see: glassbench check mine"
    ]
    assert "mine" not in result.stdout.split()
    assert "mine-v1" not in result.stdout
    assert ("histogram" in result.stdout) == (arguments != ("--tag", "mine"))


def test_list_without_traits_builds_nothing(run, unbuildable):
    result = run("list", "--family", "counting")
    assert "mine-v1" in result.stdout
    assert result.stderr == ""


def test_check_tells_every_rule(run):
    out = run("check", TINY).stdout
    assert "program and weights" in out
    assert "Every rule that must hold is kept." in out
    assert "kept" not in run("check", TINY, "--broken").stdout.split("Every rule")[0]
    assert "1 rule is broken" in run("check", "histogram[vocab=1,length=1]", code=1).stderr


def test_show_prints_program_and_circuit(run):
    out = run("show", TINY).stdout
    assert "SelectorWidth(same_token)" in out
    assert "m0 neurons" in out
    assert "embed->a0.h0<k>" in out
    assert "4 causal, 0 positional, 1 inert, 8 unwired" in out


def test_show_prints_what_a_program_says_of_itself(run):
    out = run("show", TINY).stdout
    for line in (
        "from Gail Weiss, Yoav Goldberg, Eran Yahav. Thinking Like Transformers. ICML 2021.",
        "\nwhy: Among the smallest programs",
        "\nfamily: counting; tags: histograms; traits: attention, width, hops-1\n",
        "\nsizes, tokens x length: tiny 2 x 4, small 4 x 5, medium 6 x 8, large 8 x 16\n",
        "\nlicence: Apache-2.0\n",
    ):
        assert line in out
    assert "control:" not in out


def test_show_says_what_a_control_is_for(run):
    spec = controls.HISTOGRAM_TIMES_ZERO
    out = run("show", f"{spec.name}[tiny]").stdout
    assert f"control: {spec.control}" in out.replace(" \n", " ")


def test_show_without_inert_edges(run):
    assert "embed->a0.h0<v>" in run("show", TINY).stdout
    assert "embed->a0.h0<v>" not in run("show", TINY, "--no-inert").stdout


def test_show_writes_a_picture(run, tmp_path):
    assert "Written: circuit.svg" in run("show", TINY, "--picture", "circuit.svg").stdout
    assert b"<svg" in (tmp_path / "circuit.svg").read_bytes()


def test_show_refuses_other_pictures(run):
    assert ".svg or .png" in run("show", TINY, "--picture", "circuit.gif", code=2).stderr


def test_unknown_tasks_are_told_with_a_suggestion(run):
    assert "Did you mean 'histogram' or" in run("show", "histgram", code=1).stderr
    assert "Did you mean 'quick'?" in run("score", "eap", "--suite", "quikc", code=1).stderr


def test_verify_replays_and_writes(run, tmp_path):
    out = run("verify", TINY, "-o", "labels/circuit.json").stdout
    assert "all 13 certificates hold" in out
    assert "Written: labels/circuit.json" in out
    assert (
        "all 13 certificates hold" in run("verify", TINY, "--labels", "labels/circuit.json").stdout
    )


def test_verify_names_the_edge_whose_label_is_wrong(run, tmp_path):
    run("verify", TINY, "-o", "circuit.json")
    labels = json.loads((tmp_path / "circuit.json").read_text())
    edge = next(edge for edge in labels["edges"] if edge["edge"] == "m0->logits")
    edge["certificate"]["source"] = edge["certificate"]["base"]
    (tmp_path / "circuit.json").write_text(json.dumps(labels))
    error = run("verify", TINY, "--labels", "circuit.json", code=1).stderr
    assert f"The labels do not hold for {TINY}" in error
    assert "m0->logits: the witness must change" in error


def test_verify_refuses_labels_of_another_task(run):
    run("verify", TINY, "-o", "circuit.json")
    error = run("verify", "histogram[vocab=2,length=2]", "--labels", "circuit.json", code=1).stderr
    assert "must belong to these weights" in error


def test_verify_without_the_file(run):
    assert "nothing.json" in run("verify", TINY, "--labels", "nothing.json", code=1).stderr


def test_score_on_a_task_prints_and_writes_only_where_told(run, tmp_path):
    out = run("score", "own_methods:by_writer", "weight-norm", "--task", TINY).stdout
    assert f"own_methods:by_writer on {TINY}:" in out
    assert "oracle 1.00" in out
    assert not (tmp_path / "glassbench-results").exists()
    out = run("score", "weight-norm", "--task", TINY, "-o", "results").stdout
    assert "Written: 1 result in results/" in out
    assert len(list((tmp_path / "results").glob("*.json"))) == 1


@pytest.mark.usefixtures("without_figures")
def test_score_on_a_suite_then_leaderboard(run, tmp_path):
    out = run("score", "own_methods:by_writer", "weight-norm", "--suite", "tiny").stdout
    assert "prior" in out
    out = run("leaderboard", "-o", "board").stdout
    assert "own_methods:by_writer" in out
    assert "board/leaderboard.tex" in out
    assert "weight-norm" in (tmp_path / "board" / "leaderboard.md").read_text()


@pytest.mark.usefixtures("without_figures")
def test_features_are_scored_and_ranked_apart(run, tmp_path):
    out = run("score", "pca", "neuron-basis", "--suite", "tiny", "--track", "features").stdout
    assert "Max cosine" in out
    assert "Unexplained" in out
    run("score", "weight-norm", "--suite", "tiny")
    out = run("leaderboard", "-o", "board", "--track", "features").stdout
    assert "weight-norm" not in out
    assert "board/leaderboard-features.tex" in out
    assert "neuron-basis" in (tmp_path / "board" / "leaderboard-features.md").read_text()
    assert "weight-norm" in run("leaderboard", "-o", "board").stdout
    independent = ("--track", "features", "--arm", "independent")
    error = run("leaderboard", "-o", "board", *independent, code=1).stderr
    assert 'of track \'features\' asked with {"arm": "independent"}, found none' in error
    out = run("score", "pca", "--task", TINY, *independent, "-o", "glassbench-results/results")
    assert f"pca on {TINY}:" in out.stdout
    assert "leaderboard-features-independent.md" in run("leaderboard", *independent).stdout


def test_methods_tracks_and_arms_that_do_not_go_together(run):
    error = run("score", "pca", "--task", TINY, code=1).stderr
    assert "'pca' answers the features track, and the circuit track was asked" in error
    error = run("score", "pca", "--task", TINY, "--track", "feature", code=1).stderr
    assert "There is no track 'feature'. Did you mean 'features'?" in error
    error = run("score", "eap", "--task", TINY, "--arm", "independent", code=2).stderr
    told = " ".join(error.replace("│", "").split())
    assert "the circuit track has no arms; leave it out, or ask --track features" in told
    both = ("--track", "circuit", "--track", "program", "--arm", "independent")
    assert "has no arms" in run("score", "eap", "--task", TINY, *both, code=2).stderr
    error = run("score", "pca", "--task", TINY, "--track", "features", "--arm", "x", code=1).stderr
    assert "An arm must be one of 'model', 'independent', got 'x'" in error


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("eapp", "There is no method 'eapp'. Did you mean 'eap' or 'eap-ig'?"),
        ("nowhere:method", "No module named 'nowhere'"),
        ("own_methods:nothing", "has no attribute 'nothing'"),
        ("own_methods:number", "must be a function of a problem, got int"),
    ],
)
def test_methods_that_are_not_there(run, method, message):
    assert message in run("score", method, "--task", TINY, code=1).stderr


@pytest.mark.parametrize(
    ("method", "messages"),
    [
        ("wrong_names", ["m0->logits: has no score", "'a0.h7->m0': is no edge of this model"]),
        ("not_a_number", ["m0->logits: its score must be a finite number, got nan"]),
        ("broken", ["raised RuntimeError: no luck"]),
    ],
)
def test_methods_without_an_answer(run, tmp_path, method, messages):
    """The result says so, on disk and on standard error, and the exit code is 1."""
    arguments = ("score", f"own_methods:{method}", "--task", TINY, "-o", "results")
    error = run(*arguments, code=1).stderr
    for message in messages:
        assert message in error
    (path,) = (tmp_path / "results").glob("*.json")
    assert json.loads(path.read_text())["status"] == "failed"


def test_a_suite_or_tasks_but_not_both(run):
    error = run("score", "eap", "--suite", "tiny", "--task", TINY, code=2).stderr
    assert "not both" in error


def test_leaderboard_without_results(run):
    assert "Score a method into it first" in run("leaderboard", code=1).stderr


def test_a_file_in_the_place_of_a_folder(run):
    run("score", "weight-norm", "--task", TINY, "-o", "results")
    assert "own_methods.py" in run("leaderboard", "results", "-o", "own_methods.py", code=1).stderr


def test_version(run):
    assert run("--version").stdout.startswith("glassbench ")


# Bundles.


def test_a_bundle_is_built_and_verified(run, tmp_path):
    out = tmp_path / "out"
    task = "frac_prevs[vocab=2,length=3]/scrambled"
    shown = run("build", task, "-o", str(out)).output
    (file,) = out.iterdir()
    assert file.name in shown
    assert "1 bundle in" in shown
    assert "files is made again, byte for byte" in run("verify", str(file)).output
    again = file.read_bytes()
    run("build", task, "-o", str(out))
    assert file.read_bytes() == again
    assert [path.name for path in out.iterdir()] == [file.name]


def test_a_public_bundle_is_a_folder_without_labels(run, tmp_path):
    out = tmp_path / "out"
    run("build", "sort[tiny]", "--public", "--folders", "-o", str(out))
    (folder,) = out.iterdir()
    assert not (folder / "labels").exists()
    assert not (folder / "program.json").exists()
    assert (
        "is the public part of sort-v1[vocab=2,length=4] alone; get the whole bundle"
        in run("verify", str(folder), code=1).output
    )


def test_a_bundle_that_was_changed_is_told(run, tmp_path):
    out = tmp_path / "out"
    run("build", "sort[tiny]", "--folders", "-o", str(out))
    (folder,) = out.iterdir()
    (folder / "README.md").write_text("another text", encoding="utf-8")
    shown = run("verify", str(folder), code=1).output
    assert "README.md must have" in " ".join(shown.split())


def test_nothing_to_build(run):
    assert "There must be a task to build" in run("build", code=1).output


def test_bundles_in_a_place_that_cannot_be_written(run, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    shown = run("build", "sort[tiny]", "-o", str(tmp_path / "file"), code=1).output
    assert "must be a folder that can be written to" in " ".join(shown.split())


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The cache of downloads."""
    monkeypatch.setenv("GLASSBENCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_a_folder_that_can_be_served_and_downloaded_from(run, home):
    run("build", "sort[tiny]", "frac_prevs[tiny]", "--registry", "served")
    shown = run("download", "sort[tiny]", "--from", "served").output
    assert "1 bundle, each whole" in shown
    assert len(list((home / "bundles").glob("*.zip"))) == 1
    assert "2 bundles, each whole" in run("download", "--from", "served").output
    assert "did you mean" in run("download", "sort", "--from", "served", code=1).output
    assert "--from" in run("download", code=2).output
    run("build", "sort[tiny]", "--registry", "served", "--folders", code=2)
    run("build", "sort[tiny]", "--registry", "served", "-o", "other", code=2)


def test_each_download_is_named_with_its_task(run, home):
    run("build", "sort[tiny]", "frac_prevs[tiny]", "--registry", "served")
    lines = run("download", "--from", "served").output.splitlines()
    shown = dict(line.split() for line in lines[lines.index("2 bundles, each whole:") + 1 :])
    found = {file: str(load_bundle(file).id) for file in shown}
    assert found == shown
    assert sorted(found.values()) == [
        "frac_prevs-v1[vocab=2,length=4]",
        "sort-v1[vocab=2,length=4]",
    ]


def test_a_registry_without_bundles(run, home, tmp_path):
    (tmp_path / "registry.json").write_text(Registry(bundles=()).to_json(), encoding="utf-8")
    error = run("download", "--from", "registry.json", code=1).stderr
    assert error.lstrip() == "registry.json holds no bundles; name another registry with --from\n"


def test_a_registry_keeps_what_was_built_before(run, home, tmp_path):
    served = tmp_path / "served"

    def listed():
        return [entry.id for entry in Registry.read(served).bundles]

    sort, fractions = "sort-v1[vocab=2,length=4]", "frac_prevs-v1[vocab=2,length=4]"
    run("build", "sort[tiny]", "--registry", "served")
    run("build", "frac_prevs[tiny]", "--registry", "served")
    assert listed() == [sort, fractions]
    run("build", "sort[tiny]", "--registry", "served")
    assert listed() == [sort, fractions]
    assert "2 bundles, each whole" in run("download", "--from", "served").output
    next(served.glob("frac_prevs-*.zip")).unlink()
    run("build", "sort[tiny]", "--registry", "served")
    assert listed() == [sort]


def test_a_registry_that_is_none_is_not_written_over(run, tmp_path):
    (tmp_path / "served").mkdir()
    file = tmp_path / "served" / "registry.json"
    file.write_text('{"mine": 1}', encoding="utf-8")
    error = run("build", "sort[tiny]", "--registry", "served", code=1).stderr
    assert "registry.json does not hold a registry:" in error
    assert [path.name for path in file.parent.iterdir()] == ["registry.json"]


@pytest.fixture
def bundle(run, tmp_path):
    """The zip of a bundle."""
    run("build", TINY, "-o", str(tmp_path / "out"))
    (file,) = (tmp_path / "out").iterdir()
    return str(file)


def test_a_folder_with_one_bundle_stands_for_it(run, bundle, tmp_path):
    assert run("verify", "out").stdout == run("verify", bundle).stdout
    assert run("show", "out").stdout == run("show", bundle).stdout


def test_show_of_a_bundle(run, bundle):
    out = run("show", bundle, "--explain").stdout
    assert out.startswith(f"{TINY}\n")
    assert "4 causal, 0 positional, 1 inert, 8 unwired" in out
    assert "\nwhy: Among the smallest programs" in out


def test_show_of_a_bundle_of_ones_own_program(run, tmp_path):
    (tmp_path / "mine.rasp").write_text('out = tokens == "a";', encoding="utf-8")
    run("compile", "mine.rasp", "--vocab", "a,b", "--length", "2", "-o", "mine")
    out = run("show", "mine").stdout
    assert out.startswith("mine@")
    assert "tokens: a b; up to 2 of them" in out


def test_labels_of_a_file_are_verified_on_a_bundle(run, bundle, tmp_path):
    run("verify", TINY, "-o", "labels.json")
    assert "all 13 certificates hold" in run("verify", bundle, "--labels", "labels.json").stdout
    run("verify", "histogram[vocab=2,length=2]", "-o", "labels.json")
    error = run("verify", bundle, "--labels", "labels.json", code=1).stderr
    assert f"The labels do not hold for {bundle}:" in error
    assert "must belong to these weights" in error


@pytest.mark.parametrize("verb", ["show", "verify", "score"])
def test_places_that_are_no_bundles(run, bundle, tmp_path, verb):
    before = ("weight-norm", "--task") if verb == "score" else ()
    other = tmp_path / "out" / "other.zip"
    other.write_bytes(b"")
    error = run(verb, *before, str(tmp_path / "out"), code=1).stderr
    names = f"  - {bundle}\n  - {other}\n"
    assert error == f"{tmp_path}/out holds 2 bundles; name one of them:\n{names}"
    error = run(verb, *before, "own_methods.py", code=1).stderr
    assert error == (
        "own_methods.py must be a task, or the zip or the folder of a bundle, in which there is a "
        "manifest.json, and is neither\n"
    )
    error = run(verb, *before, "no_methods.py", code=1).stderr
    assert "A task id must read" in error
    error = run(verb, *before, "core", code=1).stderr
    assert error == "'core' is a suite, not a task. See: glassbench list --suite core.\n"
