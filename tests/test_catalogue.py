"""The catalogue says what the library says."""

import pytest

from glassbench.benchmark_programs import library
from glassbench.ground_truth.own_task import text_of


@pytest.fixture(scope="module")
def catalogue(docs_script):
    return docs_script("make_catalogue")


@pytest.mark.parametrize("spec", library(), ids=lambda spec: spec.name)
def test_every_program_is_on_its_page_as_it_is_now(spec, catalogue):
    page = (catalogue.FOLDER / catalogue.page_name(spec.family)).read_text(encoding="utf-8")
    assert catalogue.said(spec) in page
    assert catalogue.numbers(spec) in page
    assert text_of(spec.expression()) in page
    assert catalogue.suites_of(spec) in page
    assert (catalogue.FOLDER / catalogue.PICTURES / f"{spec.name}.svg").exists()


def test_there_are_no_other_pages_and_pictures(catalogue):
    pages = {catalogue.page_name(spec.family) for spec in library()}
    assert {path.name for path in catalogue.FOLDER.glob("*.md")} == pages | {"README.md"}
    pictures = {path.stem for path in (catalogue.FOLDER / catalogue.PICTURES).iterdir()}
    assert pictures == {spec.name for spec in library()}


def test_the_first_page_lists_all(catalogue):
    page = (catalogue.FOLDER / "README.md").read_text(encoding="utf-8")
    assert page == catalogue.index(library())
