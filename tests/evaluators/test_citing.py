"""References of what was run: each method, adapter, track and program has its own."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import glassbench as gb
from glassbench.benchmark_programs import library
from glassbench.evaluators import BUILT_IN, TRACKS, Result
from glassbench.evaluators.adapters import ADAPTERS
from glassbench.evaluators.citing import (
    OF_ADAPTERS,
    OF_METHODS,
    OF_SUPERPOSITION,
    OF_TOYS,
    OF_TRACKS,
    citations,
    works_named,
)
from glassbench.evaluators.environment import Environment
from glassbench.evaluators.reference import Reference, references

ROOT = Path(__file__).resolve().parents[2]
PARTS = {"goldowskydill2023", "louizos2018"}
"""Works behind a part of a method, which its files name."""
ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


def ran(tool, task="fresh_task", track="circuit", version=None):
    """The result of a tool that gave no answer: what was run is cited all the same."""
    return Result(
        tool=tool,
        tool_version=version,
        task=task,
        task_digest="0" * 64,
        track=track,
        seed=0,
        status="failed",
        error="ToolError: out of luck",
        primary=TRACKS[track].primary,
        wall_seconds=1.0,
        environment=Environment(python="3.11", platform="Linux", packages={"glassbench": "9.8"}),
    )


def keys(*results):
    return [one.reference.key for one in citations(results)]


def test_every_method_adapter_and_track_has_an_entry_and_no_other_has():
    assert set(OF_METHODS) == set(BUILT_IN)
    assert set(OF_ADAPTERS) == set(ADAPTERS)
    assert set(OF_TRACKS) == set(TRACKS)


def test_every_work_is_there_and_every_one_is_cited():
    tables = (OF_METHODS, OF_ADAPTERS, OF_TRACKS)
    named = {key for table in tables for works in table.values() for key in works}
    named |= {*OF_TOYS, *OF_SUPERPOSITION, "glassbench"}
    named |= {key for spec in library() for key in works_named(spec.citation)}
    assert named == set(references())


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_a_method_says_of_its_source_is_what_is_cited(name):
    said = BUILT_IN[name].citation
    works = [references()[key] for key in OF_METHODS[name]]
    cited = {work.fields.get("eprint") for work in works}
    assert set(ARXIV.findall(said)) <= cited
    assert bool(works) != said.startswith("none")
    for work in works:
        first, *_ = work.fields["author"].split(" and ")
        surname = first.split()[-1].replace("Š", "S")
        name = "scikit-learn" if work.key == "pedregosa2011" else surname
        assert name in said or work.key in PARTS, work.key


@pytest.mark.parametrize(
    "spec", [spec for spec in library() if spec.citation], ids=lambda spec: spec.name
)
def test_every_work_that_a_program_names_is_found(spec):
    found = works_named(spec.citation)
    assert len(found) == len(spec.citation.split("; "))
    archived = {references()[key].fields.get("eprint") for key in found}
    assert set(ARXIV.findall(spec.citation)) <= archived


@pytest.mark.parametrize("work", references().values(), ids=lambda work: work.key)
def test_an_entry_is_whole(work):
    assert {"author", "title", "year"} <= set(work.fields)
    assert re.fullmatch(r"[a-z]+(\d{4})?", work.key)
    assert any(name in work.fields for name in ("eprint", "url", "journal", "booktitle")) or (
        work.kind in ("book", "software") or "howpublished" in work.fields
    )
    for value in work.fields.values():
        assert value.count("{") == value.count("}") and "\n" not in value
    assert work.fields.get("archivePrefix", "arXiv") == "arXiv"


def test_the_file_is_nothing_but_its_entries():
    text = (ROOT / "evaluators" / "references.bib").read_text(encoding="utf-8")
    assert text == "\n\n".join(work.bibtex for work in references().values()) + "\n"
    assert len(references()) == text.count("@")


def test_exactly_what_was_run_is_cited():
    assert keys(ran("eap")) == ["glassbench", "geiger2021", "mcsherry2008", "syed2023"]
    assert keys(ran("random-directions", track="features")) == [
        "glassbench",
        "kuhn1955",
        "mann1947",
    ]


def test_programs_toys_and_superposition_are_cited_by_their_tasks():
    def of_task(task):
        return set(keys(ran("eap", task))) - set(keys(ran("eap")))

    sort = "sort_unique-v1[vocab=4,length=5]"
    assert of_task(f"{sort}/crowded[distractors=4,seed=0]") == of_task(sort) != set()
    assert of_task(f"{sort}/superposed[d=9,seed=0]") == of_task(sort) | {"lindner2023"}
    assert of_task("toy_superposition-v1[n=5,d=2,sparsity=95,seed=0]") == {"elhage2022"}
    assert of_task("sort@0123456789ab") == set()


def test_what_is_cited_says_for_what():
    (_, *others) = citations([ran("eap"), ran("transformer-lens-eap", version="4.3.0")])
    reasons = {one.reference.key: one.cited_for for one in others}
    assert reasons["syed2023"] == ("eap", "transformer-lens-eap 4.3.0")
    assert reasons["nanda2022"] == ("transformer-lens-eap 4.3.0",)
    assert reasons["geiger2021"] == ("the circuit track",)


def test_bibtex_and_text():
    bibtex = gb.cite([ran("eap"), ran("my_method")])
    assert "% for eap\n@misc{syed2023,\n  author = {Aaquib Syed and" in bibtex
    assert "@software{glassbench,\n" in bibtex and "  version = {9.8},\n" in bibtex
    assert bibtex.endswith("\n\n% No reference is known of: my_method\n")
    text = gb.cite(ran("weight-norm"), "text")
    assert text.splitlines()[0] == (
        "Glassbench contributors (2026). Glassbench: transformers whose insides are known, to "
        "score interpretability tools against. Version 9.8."
    )
    assert (
        "Nelson Elhage et al. (2021). A Mathematical Framework for Transformer Circuits. "
        "Transformer Circuits Thread. "
        "https://transformer-circuits.pub/2021/framework/index.html. [weight-norm]"
    ) in text.splitlines()
    assert "No reference" not in text


def test_text_of_one_of_each_kind():
    said = {key: work.text for key, work in references().items()}
    assert said["hoare1962"] == ("C. A. R. Hoare (1962). Quicksort. The Computer Journal 5(1).")
    assert said["dhamdhere2019"] == (
        "Kedar Dhamdhere, Mukund Sundararajan and Qiqi Yan (2019). How Important Is a Neuron? "
        "ICLR. arXiv:1805.12233."
    )
    assert Reference("a", "misc", {"author": "A B", "title": "{X} of y", "year": "1"}).text == (
        "A B (1). X of y."
    )


def test_an_unknown_style_is_refused():
    with pytest.raises(ValueError, match="style must be 'bibtex' or 'text', got 'apa'"):
        gb.cite(ran("eap"), "apa")


def test_the_citation_file_says_the_same():
    said = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    own = references()["glassbench"]
    assert f'title: "{own.title}"' in said
    assert f"name: {own.fields['author'].strip('{}')}\n" in said


@pytest.mark.skipif(shutil.which("bibtex") is None, reason="there is no bibtex here")
def test_bibtex_reads_all(tmp_path):
    (tmp_path / "all.bib").write_text("\n".join(work.bibtex for work in references().values()))
    (tmp_path / "x.aux").write_text("\\citation{*}\n\\bibstyle{plain}\n\\bibdata{all}\n")
    run = subprocess.run(["bibtex", "x"], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout
