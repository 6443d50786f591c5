"""Bundles are read as they were written, whole or the public part alone, and nothing else is."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from glassbench.compiler import to_json
from glassbench.compiler.executor import run
from glassbench.errors import BundleError
from glassbench.ground_truth import bundle_layout as at
from glassbench.ground_truth import load, load_bundle, make_task, verify_bundle
from glassbench.ground_truth.bundle import read_bundle
from glassbench.ground_truth.bundle_archive import zip_bytes
from glassbench.ground_truth.bundle_files import bundle_files
from glassbench.ground_truth.digest import weights_digest
from glassbench.ground_truth.manifest import sha256_of
from glassbench.ground_truth.source_map_record import SourceMapRecord
from glassbench.whole_file import write_whole

TASKS = (
    "frac_prevs[vocab=2,length=3]",
    "sort[vocab=2,length=3]/crowded[distractors=2]/scrambled",
    "detect_pattern[vocab=3,length=3]",
)


@pytest.fixture(scope="module", params=TASKS)
def made(request):
    """A task, and the files of its bundle."""
    task = load(request.param)
    return task, bundle_files(task)


@pytest.fixture(scope="module")
def files():
    """The files of one small bundle."""
    return bundle_files(load(TASKS[1]))


def folder_of(files, folder):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("zipped", [True, False])
def test_what_is_read_is_what_was_written(made, tmp_path, zipped):
    task, files = made
    if zipped:
        place = write_whole(zip_bytes(files), tmp_path / "task.zip")
    else:
        place = folder_of(files, tmp_path / "task")
    bundle = read_bundle(place)
    compiled = task.compiled
    assert bundle.manifest.id == str(task.id)
    assert bundle.digest == sha256_of(files[at.MANIFEST])
    assert bundle.contents == files
    assert bundle.labels == task.labels
    assert weights_digest(bundle.model.weights) == task.labels.weights
    assert to_json(bundle.compiled.program) == to_json(compiled.program)
    read_map = SourceMapRecord.of(bundle.compiled.source_map)
    assert read_map == SourceMapRecord.of(compiled.source_map)
    sequence = list(compiled.model.codec.tokens.values)[:2]
    assert bundle.model(sequence) == compiled(sequence)


def test_the_public_part_is_enough_for_a_tool(made, tmp_path):
    _, files = made
    public = {name: content for name, content in files.items() if name in at.PUBLIC}
    bundle = read_bundle(folder_of(public | {at.MANIFEST: files[at.MANIFEST]}, tmp_path))
    assert not bundle.has_labels
    logits = run(bundle.model.weights, bundle.data["tokens"]).logits
    answers = bundle.model.codec.decode_ids(logits)
    real = bundle.model.codec.is_real(bundle.data["tokens"])
    np.testing.assert_array_equal(np.where(real, answers, -1), bundle.data["answers"])
    with pytest.raises(BundleError, match=r"is the public part of .* alone; get the whole bundle"):
        bundle.labels  # noqa: B018
    with pytest.raises(BundleError, match="get the whole bundle"):
        bundle.compiled  # noqa: B018


def test_the_public_part_tells_nothing_of_the_labels(made):
    """Other labels change one sha256 of the public part, and no size."""
    task, files = made
    text = b"".join(files[name] for name in (*at.PUBLIC, at.MANIFEST)).decode("latin-1")
    inside = {variable.name for variable in task.compiled.source_map.variables}
    hidden = inside - {task.compiled.program.name, "tokens", "indices", "<bos>", "<pad>"}
    assert not {name for name in hidden if f'"{name}"' in text}
    for word in ("positional", "inert", "unwired", "witness"):
        assert word not in text
    manifest = json.loads(files[at.MANIFEST])
    assert {record["path"] for record in manifest["files"]} == at.PUBLIC


def test_the_same_task_gives_the_same_bytes(files):
    assert bundle_files(load(TASKS[1])) == files
    assert zip_bytes(files) == zip_bytes(dict(reversed(files.items())))


def test_a_task_of_ones_own_comes_back(tmp_path):
    text = 'frac = aggregate(select(indices, indices, <=), tokens == "x");'
    task = make_task(text, "xy", 3, level=1, regimes="crowded[distractors=1]/scrambled")
    place = write_whole(zip_bytes(bundle_files(task)), tmp_path / "task.zip")
    again = load_bundle(place)
    assert str(again.id) == str(task.id)
    assert again.id.spec == task.id.spec
    assert again.labels == task.labels
    np.testing.assert_array_equal(again.domain.tokens, task.domain.tokens)
    assert bundle_files(again) == bundle_files(task)
    assert verify_bundle(read_bundle(place)) == []


def test_what_another_program_gives_is_told(files, tmp_path):
    others = bundle_files(load("sort[vocab=2,length=3]/crowded[distractors=2]"))
    assert others[at.PROGRAM] == files[at.PROGRAM]
    bundle = read_bundle(folder_of(files, tmp_path / "task"))
    assert verify_bundle(bundle) == []
    changed = replace(bundle, contents={**bundle.contents, at.CIRCUIT: others[at.CIRCUIT]})
    assert verify_bundle(changed) == [
        f"{at.CIRCUIT}: must be what is made from the program, and is not"
    ]


def test_zips_have_no_times(files, tmp_path):
    place = write_whole(zip_bytes(files), tmp_path / "task.zip")
    with zipfile.ZipFile(place) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.namelist() == sorted(files)


def refused(files, tmp_path):
    """Return why a bundle is refused, as a folder and as a zip."""
    messages = set()
    for place in (folder_of(files, tmp_path / "t"), write_whole(zip_bytes(files), tmp_path / "z")):
        with pytest.raises(BundleError) as caught:
            read_bundle(place)
        messages.add(str(caught.value).replace(str(place), "HERE"))
    (message,) = messages
    return message


@pytest.mark.parametrize("name", sorted((at.PUBLIC | at.PRIVATE) - at.OPTIONAL))
def test_every_file_must_be_there(files, tmp_path, name):
    less = {key: content for key, content in files.items() if key != name}
    assert refused(less, tmp_path) == f"HERE: {name} must be there, and is missing; get it again"


@pytest.mark.parametrize("name", sorted(at.PUBLIC | {at.LABELS_MANIFEST, at.PROGRAM, at.CIRCUIT}))
def test_every_byte_is_checked(files, tmp_path, name):
    content = bytearray(files[name])
    content[len(content) // 2] ^= 1
    message = refused(files | {name: bytes(content)}, tmp_path)
    assert message.startswith(f"HERE: {name} must have the sha256")


def test_a_manifest_of_another_text(files, tmp_path):
    text = files[at.MANIFEST].decode().replace("Apache-2.0", "Apache-2.1")
    message = refused(files | {at.MANIFEST: text.encode()}, tmp_path)
    assert message.startswith(f"HERE: {at.MANIFEST} must be as it was written")


def test_files_that_no_manifest_names(files, tmp_path):
    message = refused(files | {"model/more.bin": b"", "setup.py": b""}, tmp_path)
    assert message == (
        "HERE holds files that no manifest names; remove them:\n  - model/more.bin\n  - setup.py"
    )


def test_folders_with_nothing_in_them(files, tmp_path):
    place = folder_of(files, tmp_path / "task")
    (place / "data" / "more" / "inside").mkdir(parents=True)
    with pytest.raises(BundleError, match="is not a bundle:\n  - data/more/inside: must not be em"):
        read_bundle(place)


def test_labels_without_their_manifest(files, tmp_path):
    less = {name: content for name, content in files.items() if name != at.LABELS_MANIFEST}
    assert refused(less, tmp_path).startswith("HERE holds files that no manifest names")


def test_a_place_with_nothing(tmp_path):
    with pytest.raises(BundleError, match="must be the folder or the zip file of a bundle"):
        read_bundle(tmp_path / "nothing")
    (tmp_path / "text.zip").write_text("no zip", encoding="utf-8")
    with pytest.raises(BundleError, match=r"text\.zip must be a zip file of a bundle"):
        read_bundle(tmp_path / "text.zip")


def test_links_are_not_followed(files, tmp_path):
    place = folder_of(files, tmp_path / "task")
    (place / at.README).unlink()
    (place / at.README).symlink_to("/etc/hostname")
    with pytest.raises(BundleError, match=r"README\.md: must be a plain file, got a link"):
        read_bundle(place)


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/passwd", "model/../../x", "C:/x", "a\\b", "model//x", "labels/"]
)
def test_zip_entries_that_leave_the_folder(files, tmp_path, name):
    place = write_whole(zip_bytes(files), tmp_path / "task.zip")
    with zipfile.ZipFile(place, "a") as archive:
        archive.writestr(zipfile.ZipInfo(name), b"")
    with pytest.raises(BundleError, match="is not a bundle"):
        read_bundle(place)


def test_a_zip_that_unpacks_to_more_than_it_says(files, tmp_path):
    place = tmp_path / "bomb.zip"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content if name != at.WEIGHTS else bytes(2**27))
    size = len(files[at.WEIGHTS])
    with pytest.raises(BundleError, match=rf"must have {size:,} bytes, got more than {size:,}"):
        read_bundle(place)


def test_a_name_that_is_there_twice(files, tmp_path):
    place = write_whole(zip_bytes(files), tmp_path / "task.zip")
    with zipfile.ZipFile(place, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(at.README, b"")
    with pytest.raises(BundleError, match="must be there once, got 2 entries"):
        read_bundle(place)
