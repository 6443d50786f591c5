"""Exceptions, one class for each situation a user can be in.

Every message says what must hold, what was got and what to do. Where several
things are wrong at once the message lists all of them, each with its path.
"""

from collections.abc import Sequence

MOST_TOLD = 1_000
"""How many problems of a whole folder are written out; the others are counted."""


class GlassbenchError(Exception):
    """The base class of every error that Glassbench raises for its users."""


class ProgramError(GlassbenchError):
    """A RASP program is malformed, or cannot be compiled exactly."""


class InputError(GlassbenchError):
    """An input sequence lies outside the domain of a program or model."""


class TaskError(GlassbenchError):
    """What was asked for does not exist or cannot be: a task, a suite, a method, a setting."""


class CertificationError(GlassbenchError):
    """A model does not bear the labels that it must: measured, they differ from the program's."""


class SufficiencyError(CertificationError):
    """Program and weights agree, and edges that do nothing alone do something together."""


class BundleError(GlassbenchError):
    """A file that is read is not what it should be, or one cannot be written where it should."""


class AnswerError(GlassbenchError):
    """A tool's answer cannot be scored."""


class ToolError(GlassbenchError):
    """A tool could not be imported, or failed while it ran."""


class EffortError(GlassbenchError):
    """A program takes more work than it may."""


class MissingExtraError(GlassbenchError):
    """An optional package is needed and not installed."""


def listing(heading: str, problems: Sequence[str], *, limit: int = 20) -> str:
    """Return `heading` followed by one indented line per problem.

    Args:
        heading: the sentence above the list.
        problems: one text each.
        limit: how many problems are written out; the others are counted.

    Example:
        >>> print(listing("Two things are wrong:", ["first", "second"]))
        Two things are wrong:
          - first
          - second
    """
    lines = [heading, *(f"  - {problem}" for problem in problems[:limit])]
    if len(problems) > limit:
        lines.append(f"  - ... and {len(problems) - limit} more")
    return "\n".join(lines)
