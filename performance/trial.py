"""What is done wrong on purpose, and what became of it."""

from collections.abc import Callable
from dataclasses import dataclass

from glassbench.errors import GlassbenchError


@dataclass(frozen=True)
class Attempt:
    """One thing that was done wrong.

    Attributes:
        what: which one, such as the name of a file.
        is_caught: whether it was refused, or survived, as it must be.
        said: the message it was refused with; what happened instead where it was not.
    """

    what: str
    is_caught: bool
    said: str


@dataclass(frozen=True)
class Trial:
    """Everything of one sort that was done wrong.

    Attributes:
        kind: what it was done to.
        what: what was done, in words.
        attempts: all of them.
    """

    kind: str
    what: str
    attempts: tuple[Attempt, ...]

    @property
    def n_caught(self) -> int:
        """How many were caught or survived."""
        return sum(one.is_caught for one in self.attempts)

    @property
    def missed(self) -> tuple[Attempt, ...]:
        """Those that were not."""
        return tuple(one for one in self.attempts if not one.is_caught)

    @property
    def example(self) -> str:
        """The message of the first that was caught, empty where none was."""
        return next((one.said for one in self.attempts if one.is_caught), "")


def refused(what: str, call: Callable[[], object], said: str = "") -> Attempt:
    """Return whether a call is refused by an error of the package; any other is a defect.

    Args:
        what: what is tried.
        call: tries it. What it returns is told where it is not refused.
        said: what the message must hold.
    """
    try:
        result = call()
    except GlassbenchError as error:
        return Attempt(what, said in str(error), str(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - any other is a defect
        return Attempt(what, False, f"{type(error).__name__}: {error}")
    return Attempt(what, False, f"accepted, with {result!r}"[:200])


def told(what: str, check: Callable[[], list[str]]) -> Attempt:
    """Return whether a check finds a problem, or refuses to look at all."""
    try:
        problems = check()
    except GlassbenchError as error:
        return Attempt(what, True, str(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - any other is a defect
        return Attempt(what, False, f"{type(error).__name__}: {error}")
    return Attempt(what, bool(problems), problems[0] if problems else "no problem was found")


def survived(what: str, wrong: str, said: str = "") -> Attempt:
    """Return that something was survived, if nothing is wrong with it.

    Args:
        what: what was done.
        wrong: what is wrong afterwards, empty where nothing is.
        said: what was seen, where nothing is wrong.
    """
    return Attempt(what, not wrong, wrong or said)
