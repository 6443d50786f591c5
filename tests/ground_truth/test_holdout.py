"""Commitments: what is bound, what is told, and that nothing can be changed afterwards."""

import hashlib
import json
import os
import stat
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from glassbench.cli import app
from glassbench.errors import BundleError, TaskError
from glassbench.ground_truth import Sample, SampleReport, sample_tasks
from glassbench.ground_truth.holdout import Commitment, Secret, check_reveal, commit, reveal
from glassbench.holdout_command import looked_at

SEED = 5


@pytest.fixture(scope="module")
def secret():
    return commit(1, "easy", regimes="scrambled", seed=SEED)


def test_the_commitment_is_a_hash_of_every_term(secret):
    published = secret.commitment
    digest = hashlib.sha256(secret.canonical_text.encode()).hexdigest()
    assert published.commitment == f"sha256:{digest}"
    assert secret.canonical_text == (
        "glassbench holdout 1\n"
        'seed="5"\n'
        f'nonce="{secret.nonce}"\n'
        "n=1\n"
        'difficulty="easy"\n'
        'regimes="scrambled[seed=0]"\n'
        "generator=1\n"
        f'glassbench="{secret.glassbench}"\n'
        f'tasks="{secret.tasks}"\n'
    )


def test_the_commitment_does_not_say_the_secret(secret):
    assert not {"seed", "nonce"} & set(Commitment.model_fields)
    assert secret.nonce not in secret.commitment.model_dump_json()


def test_seeds_and_nonces_are_drawn():
    terms = {"n": 1, "difficulty": "easy", "regimes": "exact"}
    first, second = commit(**terms), commit(**terms)
    assert first.seed != second.seed
    assert int(first.seed) > 2**64
    assert first.nonce != second.nonce
    again = commit(**terms, seed=int(first.seed))
    assert again.tasks == first.tasks
    assert again.commitment.commitment != first.commitment.commitment


@pytest.mark.parametrize(
    "change",
    [
        {"seed": "6"},
        {"nonce": "0" * 64},
        {"n": 2},
        {"difficulty": "medium"},
        {"regimes": "crowded[distractors=4,seed=0]"},
        {"generator": 2},
        {"glassbench": "9.9"},
        {"tasks": f"sha256:{'0' * 64}"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_no_term_can_be_changed(secret, change):
    with pytest.raises(BundleError, match="not what was committed to:\n  - ") as raised:
        check_reveal(secret.model_copy(update=change), secret.commitment)
    assert "commitment: the secret says 'sha256:" in str(raised.value)


def test_other_versions_are_named(secret):
    later = secret.model_copy(update={"glassbench": "9.9", "generator": 2})
    with pytest.raises(BundleError, match=r"glassbench 9\.9 is needed, and .* is installed") as e:
        check_reveal(later, later.commitment)
    assert "generator 2 is needed, and 1 is installed" in str(e.value)


def test_the_tasks_are_those_of_the_seed(secret):
    revealed = reveal(secret, secret.commitment)
    expected = sample_tasks(SEED, 1, "easy", regimes="scrambled")
    assert [task.labels for task in revealed.tasks] == [task.labels for task in expected.tasks]


def test_other_tasks_than_were_committed_to_are_refused(secret):
    other = secret.model_copy(update={"tasks": f"sha256:{'0' * 64}"})
    with pytest.raises(BundleError, match="must have the digest sha256:000"):
        reveal(other, other.commitment)


def test_numbers_and_names_are_checked_before_anything_is_written():
    with pytest.raises(TaskError, match="There is no difficulty 'esy'"):
        commit(1, "esy")
    with pytest.raises(TaskError, match="seed must be"):
        commit(1, seed=-1)


def test_a_seed_that_can_be_guessed_is_warned_of(caplog):
    terms = {"n": 1, "difficulty": "easy", "regimes": "exact"}
    commit(**terms, seed=2**64)
    assert not caplog.messages
    commit(**terms, seed=2**64 - 1)
    (told,) = caplog.messages
    assert told.startswith("A seed below 2**64 can be guessed: ")


def test_files_are_private_and_never_overwritten(secret, tmp_path):
    path = secret.write(tmp_path / "secret.json")
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Secret.read(path) == secret
    with pytest.raises(BundleError, match="is there already"):
        secret.write(path)
    assert Secret.read(path) == secret
    public = secret.commitment.write(tmp_path / "public.json")
    assert Commitment.read(public) == secret.commitment


def test_malformed_files_are_refused_with_every_problem(secret, tmp_path):
    path = secret.write(tmp_path / "secret.json")
    with pytest.raises(BundleError, match="does not hold a commitment:"):
        Commitment.read(path)
    content = json.loads(path.read_text()) | {"n": "1", "nonce": "xyz", "more": 1}
    path.write_text(json.dumps(content))
    with pytest.raises(BundleError, match="does not hold a secret:") as raised:
        Secret.read(path)
    assert all(f"  - {name}: " in str(raised.value) for name in ("n", "nonce", "more"))
    path.write_text("{")
    with pytest.raises(BundleError, match="file: Invalid JSON"):
        Secret.read(path)
    with pytest.raises(BundleError, match="must be the file of a secret: No such file"):
        Secret.read(tmp_path / "none.json")


def call(*arguments, code=0):
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.output


def test_commit_and_reveal_on_the_command_line(tmp_path):
    kept, public, made = (tmp_path / name for name in ("kept.json", "public.json", "tasks"))
    terms = ("-n", 1, "--difficulty", "easy", "--regimes", "scrambled", "--seed", SEED)
    told = call("holdout", "commit", "-o", kept, "--commitment", public, *terms)
    assert Commitment.read(public).commitment in told
    assert Secret.read(kept).nonce not in told
    refused = call("holdout", "commit", "-o", kept, "--commitment", public, *terms, code=1)
    assert "never written over" in refused
    listed = call("holdout", "reveal", kept, "--commitment", public, "-o", made)
    assert "The secret is what was committed to" in listed
    assert "1 task of" in listed
    (folder,) = made.iterdir()
    assert folder.name.startswith(f"fresh_easy_{SEED}_")
    assert folder.name in listed
    again = call("holdout", "reveal", kept, "--commitment", public, "-o", made, code=1)
    assert "must be a new or empty folder" in again


@pytest.fixture
def no_work(monkeypatch):
    """Make it an error to begin drawing tasks."""

    def begun(*_arguments, **_options):
        raise AssertionError("the long work has begun")

    for module in ("glassbench.ground_truth", "glassbench.ground_truth.holdout"):
        monkeypatch.setattr(f"{module}.sample_tasks", begun)


@pytest.mark.usefixtures("no_work")
def test_a_place_that_cannot_be_written_is_refused_before_the_work(secret, tmp_path):
    kept = secret.write(tmp_path / "secret.json")
    public = secret.commitment.write(tmp_path / "public.json")
    held = {
        kept: "must be a new or empty folder",
        kept / "tasks": "must be where files can be written",
    }
    for place, why in held.items():
        for command in (
            ("sample", "-n", 1, "-o", place),
            ("holdout", "reveal", kept, "--commitment", public, "-o", place),
        ):
            told = " ".join(call(*command, code=1).split())
            assert why in told
    told = call("holdout", "commit", "-n", 1, "-o", kept / "new.json", code=1)
    assert "must be where files can be written" in " ".join(told.split())
    assert sorted(tmp_path.iterdir()) == [public, kept]


@pytest.mark.usefixtures("no_work")
@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="this user may write to every folder"
)
def test_a_folder_without_permission_is_refused_before_the_work(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    told = call("sample", "-n", 1, "-o", closed / "new", code=1)
    assert "Permission denied" in told


def test_a_secret_that_does_not_match_is_refused_on_the_command_line(tmp_path):
    for name in ("a", "b"):
        terms = ("-n", 1, "--difficulty", "easy", "--regimes", "exact")
        call("holdout", "commit", "-o", tmp_path / f"{name}.json", *terms)
    other = tmp_path / "b.commitment.json"
    told = call("holdout", "reveal", tmp_path / "a.json", "--commitment", other, code=1)
    assert "The secret is not what was committed to" in told


def test_sampling_on_the_command_line():
    told = call("sample", "-n", 1, "--difficulty", "easy", "--regimes", "exact", "--seed", SEED)
    assert f"fresh_easy_{SEED}_" in told
    assert "1 task of" in told


def test_why_candidates_were_not_taken_is_told():
    report = SampleReport(
        difficulty="easy",
        seed=3,
        regimes="exact",
        draws=1204,
        rejected={"a": 2, "b": 1100, "c": 101},
        joint=("fresh_easy_3_8", "fresh_easy_3_9"),
        failures=(),
        constructs={},
        seconds={},
    )
    task = sample_tasks(SEED, 1, "easy", regimes="exact").tasks[0]
    assert looked_at(Sample((task,), report)) == (
        "1 task of 1,204 candidates\n"
        " 1,100  b\n"
        "   101  c\n"
        "     2  a\n"
        "Edges matter only together in: fresh_easy_3_8, fresh_easy_3_9"
    )


def test_candidates_whose_labels_fail_are_told_and_are_an_error(monkeypatch):
    found = sample_tasks(SEED, 1, "easy", regimes="exact")
    failed = replace(found.report, failures=("fresh_easy_5_1: they differ",))
    monkeypatch.setattr(
        "glassbench.ground_truth.sample_tasks", lambda *_, **__: Sample(found.tasks, failed)
    )
    told = call("sample", "-n", 1, "--difficulty", "easy", code=1)
    assert "1 task of" in told
    assert "fresh_easy_5_1: they differ" in told
