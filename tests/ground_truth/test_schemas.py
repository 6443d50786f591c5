"""The published schemas are those of the models that read the files."""

import json
from pathlib import Path

import pytest

from glassbench.benchmark_programs import get_suite
from glassbench.ground_truth import Registry, RegistryEntry, bundle_files, load
from glassbench.ground_truth.bundle import RECORDS

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def make_schemas(docs_script):
    return docs_script("make_schemas")


@pytest.fixture(scope="module")
def schemas(make_schemas):
    return make_schemas.schemas()


def test_the_published_schemas_are_up_to_date(schemas, make_schemas):
    assert len(schemas) == len(RECORDS) + len(make_schemas.ALONE)
    of_programs = "program.schema.json"  # the compiler's, held in its own tests
    assert {*schemas, of_programs} == {path.name for path in (DOCS / "schemas").iterdir()}
    for name, text in schemas.items():
        assert (DOCS / "schemas" / name).read_text(encoding="utf-8") == text, (
            f"{name} differs; run python docs/make_schemas.py"
        )


def test_the_page_lists_them_all(make_schemas):
    page = make_schemas.PAGE.read_text(encoding="utf-8")
    assert page == make_schemas.page(), "schemas.md differs; run python docs/make_schemas.py"
    for path in (DOCS / "schemas").iterdir():
        assert f"](schemas/{path.name})" in page


def test_schemas_name_every_field_of_a_bundle(schemas):
    files = dict(bundle_files(load(get_suite("trained")[0])))
    files |= bundle_files(load("frac_prevs[vocab=2,length=3]/superposed[d=6]"))
    texts = {json.loads(text)["title"]: json.loads(text) for text in schemas.values()}
    for name in RECORDS:
        left_out = {"activation", "layer_norm"} if name == "model/config.json" else set()
        assert set(json.loads(files[name])) == set(texts[name]["properties"]) - left_out
        assert texts[name]["additionalProperties"] is False


def test_the_schema_of_a_registry(schemas):
    schema = json.loads(schemas["registry.schema.json"])
    assert set(json.loads(Registry(bundles=()).to_json())) == set(schema["properties"])
    entry = schema["$defs"]["RegistryEntry"]
    assert set(RegistryEntry.model_fields) == set(entry["properties"]) == set(entry["required"])
