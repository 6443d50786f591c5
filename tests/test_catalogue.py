"""The catalogue says what the library says."""

import importlib.util
from pathlib import Path

import pytest

from glassbench.benchmark_programs import library
from glassbench.ground_truth.own_task import text_of

SCRIPT = Path(__file__).parent.parent / "docs/make_catalogue.py"


@pytest.fixture(scope="module")
def catalogue():
    module_spec = importlib.util.spec_from_file_location("make_catalogue", SCRIPT)
    module = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(module)
    return module


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
