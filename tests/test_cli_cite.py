"""`glassbench cite`."""

TASK = "histogram[vocab=2,length=3]"


def test_the_references_of_a_folder_of_results(invoke, tmp_path):
    invoke("score", "weight-norm", "--task", TASK, "-o", str(tmp_path))
    bibtex = invoke("cite", str(tmp_path)).stdout
    assert bibtex.startswith("@software{glassbench,\n")
    assert "% for weight-norm\n@misc{elhage2021,\n" in bibtex
    assert "% for histogram\n" in bibtex and "syed2023" not in bibtex
    text = invoke("cite", str(tmp_path), "--format", "text").stdout
    assert len(text.splitlines()) == bibtex.count("@")


def test_a_folder_without_results(invoke, tmp_path):
    said = invoke("cite", str(tmp_path), code=1).output
    assert "expected a folder of results, found none" in said.replace("\n", " ")
