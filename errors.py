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
    """A task, suite or method was asked for that does not exist."""


class CertificationError(GlassbenchError):
    """Labels predicted from the program differ from those measured on the weights."""


class SufficiencyError(CertificationError):
    """Program and weights agree, and edges that do nothing alone do something together."""


class BundleError(GlassbenchError):
    """A file that Glassbench was asked to read is not what it should be."""


class AnswerError(GlassbenchError):
    """A tool's answer cannot be scored."""


class ToolError(GlassbenchError):
    """A tool could not be imported, or failed while it ran."""


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
