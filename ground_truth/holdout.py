"""Holdouts: commit to fresh tasks now, reveal which ones they are later.

Whoever runs a comparison draws a secret seed and publishes a commitment: a sha256 that
binds the seed and everything else that the tasks depend on. When all answers are in, the
secret is revealed, and anyone can check that it is the one that was committed to, and
build the same tasks.
"""

import hashlib
import json
import logging
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..benchmark_programs import parse_regimes, write_regimes
from ..benchmark_programs.fresh import GENERATOR_VERSION
from ..errors import BundleError, listing
from ..strict_record import Positive
from .task_sampling import REGIMES, Sample, check_sample, sample_tasks

SEED_BITS = 128
GUESSABLE = 2**64
"""Seeds below can be tried one after another."""
NONCE_BYTES = 32

_PRIVATE = 0o600
_WEAK_SEED = (
    "A seed below 2**64 can be guessed: the tasks of likely seeds can be made beforehand, and "
    "compared with the first model that is handed out. Leave the seed out, and 128 random bits "
    "are drawn."
)
_LOG = logging.getLogger(__name__)


class _Terms(BaseModel):
    """What both files say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n: Positive
    difficulty: str
    regimes: str
    generator: int
    glassbench: str


class Commitment(_Terms):
    """What of a hold-out is published at once.

    Attributes:
        format: the kind and version of the file.
        commitment: `sha256:` and the sha256 of the secret's canonical text.
        n: how many tasks.
        difficulty: how large they are at least.
        regimes: as they stand in task ids.
        generator: the version of the generator.
        glassbench: the version of the package.
    """

    format: Literal["glassbench-commitment-1"] = "glassbench-commitment-1"
    commitment: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]

    @classmethod
    def read(cls, path: str | Path) -> "Commitment":
        """Read a commitment.

        Raises:
            BundleError: the file is missing or malformed.
        """
        return _read(cls, Path(path), "a commitment")

    def write(self, path: str | Path) -> Path:
        """Write the commitment as JSON.

        Raises:
            BundleError: there is a file already.
        """
        return _write(self, Path(path), 0o644)


class Secret(_Terms):
    """What of a hold-out is kept until the reveal.

    Attributes:
        format: the kind and version of the file.
        seed: the seed of the tasks, in decimal.
        nonce: random, in hexadecimal; it keeps a guess at the seed from being checked
            against the commitment.
        tasks: the digest of the ids and weights of the tasks.
        n: how many tasks.
        difficulty: how large they are at least.
        regimes: as they stand in task ids.
        generator: the version of the generator.
        glassbench: the version of the package.
    """

    format: Literal["glassbench-secret-1"] = "glassbench-secret-1"
    seed: Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,39})$")]
    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    tasks: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]

    @property
    def canonical_text(self) -> str:
        """The text whose sha256 is published: a line for each term."""
        terms = ("seed", "nonce", "n", "difficulty", "regimes", "generator", "glassbench", "tasks")
        lines = [f"{name}={json.dumps(getattr(self, name))}\n" for name in terms]
        return "".join(["glassbench holdout 1\n", *lines])

    @property
    def commitment(self) -> Commitment:
        """What to publish."""
        digest = hashlib.sha256(self.canonical_text.encode()).hexdigest()
        return Commitment(
            commitment=f"sha256:{digest}",
            n=self.n,
            difficulty=self.difficulty,
            regimes=self.regimes,
            generator=self.generator,
            glassbench=self.glassbench,
        )

    @classmethod
    def read(cls, path: str | Path) -> "Secret":
        """Read a secret.

        Raises:
            BundleError: the file is missing or malformed.
        """
        return _read(cls, Path(path), "a secret")

    def write(self, path: str | Path) -> Path:
        """Write the secret as JSON, to a file that nobody else can read.

        Raises:
            BundleError: there is a file already.
        """
        return _write(self, Path(path), _PRIVATE)


def commit(
    n: int = 100,
    difficulty: str = "medium",
    *,
    regimes: str = REGIMES,
    seed: int | None = None,
    jobs: int = 1,
    advance: Callable[[], None] = lambda: None,
) -> Secret:
    """Return a new secret, whose `commitment` is to be published.

    The tasks are built, so that the commitment binds their weights.

    Args:
        n: how many tasks.
        difficulty: as for `sample_tasks`.
        regimes: as for `sample_tasks`.
        seed: the seed; drawn by the operating system, with 128 bits, unless given. One of
            your own must be as hard to guess: the tasks of likely seeds can be made
            beforehand, and compared with the first model that is handed out. One below
            2**64 is taken all the same, with a warning in the log.
        jobs: how many processes work.
        advance: called for each task that is there.

    Raises:
        TaskError: there is no such difficulty or regime, or a number is out of range.

    Example:
        >>> secret = commit(1, "easy", regimes="exact")
        >>> secret.commitment.commitment[:7]
        'sha256:'
        >>> check_reveal(secret, secret.commitment)
    """
    chosen = secrets.randbits(SEED_BITS) if seed is None else seed
    check_sample(chosen, n, difficulty)
    if seed is not None and seed < GUESSABLE:
        _LOG.warning("%s", _WEAK_SEED)
    found = sample_tasks(chosen, n, difficulty, regimes=regimes, jobs=jobs, advance=advance)
    return Secret(
        n=n,
        difficulty=difficulty,
        regimes=write_regimes(parse_regimes(regimes)).removeprefix("/"),
        generator=GENERATOR_VERSION,
        glassbench=_version(),
        seed=str(chosen),
        nonce=secrets.token_hex(NONCE_BYTES),
        tasks=tasks_digest(found),
    )


def tasks_digest(sample: Sample) -> str:
    """Return `sha256:` and the sha256 of the ids and weights of tasks, a line for each."""
    lines = [f"{task.id} {task.labels.weights}\n" for task in sample.tasks]
    return f"sha256:{hashlib.sha256(''.join(lines).encode()).hexdigest()}"


def check_reveal(secret: Secret, commitment: Commitment) -> None:
    """Raise unless a secret is the one that was committed to, and can be built here.

    Raises:
        BundleError: they do not match, or another version is needed; every difference is
            listed.
    """
    expected = secret.commitment
    problems = [
        f"{name}: the secret says {getattr(expected, name)!r}, the commitment "
        f"{getattr(commitment, name)!r}"
        for name in Commitment.model_fields
        if getattr(expected, name) != getattr(commitment, name)
    ]
    if problems:
        raise BundleError(listing("The secret is not what was committed to:", problems))
    here = {"glassbench": _version(), "generator": GENERATOR_VERSION}
    problems = [
        f"{name} {getattr(secret, name)} is needed, and {version} is installed"
        for name, version in here.items()
        if getattr(secret, name) != version
    ]
    if problems:
        raise BundleError(
            listing(
                "The secret matches, and its tasks cannot be built by this version; install the "
                "one that is needed:",
                problems,
            )
        )


def reveal(
    secret: Secret,
    commitment: Commitment,
    *,
    jobs: int = 1,
    advance: Callable[[], None] = lambda: None,
) -> Sample:
    """Return the tasks that were committed to, compiled and certified.

    Args:
        secret: what was kept.
        commitment: what was published.
        jobs: how many processes work.
        advance: called for each task that is there.

    Raises:
        BundleError: they do not match, another version is needed, or the tasks that are
            built are not those that were committed to.
    """
    check_reveal(secret, commitment)
    found = sample_tasks(
        int(secret.seed),
        secret.n,
        secret.difficulty,
        regimes=secret.regimes,
        jobs=jobs,
        advance=advance,
    )
    built = tasks_digest(found)
    if built != secret.tasks:
        raise BundleError(
            f"The tasks of this secret must have the digest {secret.tasks}, and those built here "
            f"have {built}. Build them with the code that the commitment was made with; if that "
            "gives the same, the tasks are not those that were committed to."
        )
    return found


def _version() -> str:
    from .. import __version__

    return __version__


_File = TypeVar("_File", Commitment, Secret)


def _read(kind: type[_File], path: Path, what: str) -> _File:
    """Return what a file holds, or raise with every problem."""
    try:
        return kind.model_validate_json(path.read_bytes(), strict=True)
    except OSError as error:
        raise BundleError(f"{path} must be the file of {what}: {error.strerror}") from None
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors()]
        raise BundleError(listing(f"{path} does not hold {what}:", problems)) from None


def _write(record: _Terms, path: Path, mode: int) -> Path:
    """Write a record to a new file; one that is there is never written over."""
    text = record.model_dump_json(indent=1) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except OSError as error:
        if path.exists():
            raise BundleError(
                f"{path} is there already, and is not written over; choose another place"
            ) from None
        raise BundleError(f"{path} cannot be written: {error.strerror}") from None
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return path
