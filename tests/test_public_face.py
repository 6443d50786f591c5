"""What `import glassbench` offers, and that it works as the first five minutes say."""

import subprocess
import sys

import pytest

import glassbench as gb

TINY = "histogram[vocab=2,length=3]"


def test_every_name_is_offered_and_documented():
    assert dir(gb) == sorted(gb.__all__)
    undocumented = [
        name for name in gb.__all__ if name != "__version__" and not getattr(gb, name).__doc__
    ]
    assert not undocumented


def test_names_are_those_of_the_folders():
    from glassbench import benchmark_programs, compiler, errors, evaluators, ground_truth

    assert gb.compile is compiler.compile_program
    assert gb.rasp is compiler.rasp
    assert gb.programs is benchmark_programs.programs
    assert (gb.load, gb.load_suite) == (ground_truth.load, ground_truth.load_suite)
    assert gb.make_task is ground_truth.make_task
    assert (gb.score, gb.score_suite) == (evaluators.score, evaluators.score_suite)
    raised = {name for name in vars(errors) if name.endswith("Error")}
    assert raised <= set(gb.__all__)


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="module 'glassbench' has no attribute 'lod'"):
        gb.lod  # noqa: B018


def test_names_are_imported_when_first_used(tmp_path):
    code = (
        "import sys, glassbench as gb\n"
        "assert not [m for m in sys.modules if m.startswith('glassbench.')"
        " and m != 'glassbench.errors'], sys.modules\n"
        "assert 'numpy' not in sys.modules\n"
        "gb.rasp.tokens\n"
        "assert 'glassbench.compiler' in sys.modules\n"
        "assert 'glassbench.evaluators' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_folders_are_imported_when_first_used(tmp_path):
    code = (
        "import sys, glassbench as gb\n"
        "gb.ground_truth.read_bundle\n"
        "assert 'glassbench.leaderboard' not in sys.modules\n"
        "gb.leaderboard.standings\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_first_five_minutes():
    task = gb.load(TINY)
    assert "4 causal" in str(task)

    def my_method(problem):
        return {edge: float(edge.startswith("embed")) for edge in problem.edges}

    result = gb.score(my_method, task, track="circuit")
    assert isinstance(result, gb.Result)
    assert result.tool == "my_method"
    assert "random 0.43" in str(result)
    assert "oracle 1.00" in str(result)


def test_compiling_a_program_of_ones_own():
    same = gb.rasp.Select(gb.rasp.tokens, gb.rasp.tokens, gb.rasp.Comparison.EQ)
    compiled = gb.compile(gb.rasp.SelectorWidth(same), "abc", max_length=5)
    assert compiled("abac") == [2, 1, 2, 1]


def test_compiling_tells_what_it_did_if_asked(capsys):
    compiled = gb.compile(gb.rasp.tokens, "ab", max_length=2)
    assert capsys.readouterr().out == ""
    gb.compile(gb.rasp.tokens, "ab", max_length=2, explain=True)
    assert capsys.readouterr().out == f"{compiled.explain()}\n"


def test_a_task_of_ones_own():
    task = gb.make_task("out = selector_width(select(tokens, tokens, ==));", "ab", 3)
    assert "random" in str(gb.score("weight-norm", task))
