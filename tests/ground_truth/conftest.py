"""Small tasks, each certified once; and manifests that vouch for any files."""

from collections.abc import Callable

import pytest

from glassbench.ground_truth import Task, load
from glassbench.ground_truth import bundle_layout as at
from glassbench.ground_truth.manifest import LabelsManifest, Manifest, file_records, sha256_of

SMALL = {
    "histogram": "histogram[vocab=2,length=3]",
    "frac_prevs": "frac_prevs[vocab=2,length=3]",
    "sort": "sort[vocab=2,length=3]",
    "detect_pattern": "detect_pattern[vocab=3,length=3]",
}


@pytest.fixture(params=SMALL)
def task(request: pytest.FixtureRequest) -> Task:
    """Each of the small tasks."""
    return load(SMALL[request.param])


@pytest.fixture
def histogram() -> Task:
    """One head and one MLP."""
    return load(SMALL["histogram"])


@pytest.fixture
def frac_prevs() -> Task:
    """Numbers, positions and padding."""
    return load(SMALL["frac_prevs"])


@pytest.fixture
def sort() -> Task:
    """Two heads, one after the other."""
    return load(SMALL["sort"])


Files = dict[str, bytes]


@pytest.fixture(scope="session")
def resealed() -> Callable[[Files], Files]:
    """Makes the manifests of a bundle, or of its public part, say that its files are right."""

    def seal(files: Files) -> Files:
        outer = Manifest.model_validate_json(files[at.MANIFEST])
        public = {name: files[name] for name in files if name in at.PUBLIC}
        outer = outer.model_copy(update={"files": file_records(public)})
        made = dict(files)
        if at.LABELS_MANIFEST in files:
            private = {name: files[name] for name in files if name in at.PRIVATE}
            inner = LabelsManifest.model_validate_json(files[at.LABELS_MANIFEST])
            inner = inner.model_copy(update={"files": file_records(private)})
            made[at.LABELS_MANIFEST] = inner.to_json().encode()
            outer = outer.model_copy(update={"labels": sha256_of(made[at.LABELS_MANIFEST])})
        return made | {at.MANIFEST: outer.sealed().to_json().encode()}

    return seal
