"""Submission names: whose they are already, so that no submission takes the name of another."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..errors import BundleError, GlassbenchError
from ..ground_truth.json_text import strict_json
from .answer_folder import plain_file
from .result import Result
from .submission import plain_name
from .submission_folder import MOST_RECORD, SUBMISSION
from .submitted_results import submission_of


def name_problem(
    name: str, results: Iterable[Result], others: Mapping[str, str] | None = None
) -> str:
    """Return why a submission cannot have a name; nothing where it can.

    Args:
        name: of the submission.
        results: beside which its own are ranked; those that came from submissions are left out.
        others: the names of other submissions, by what messages call them.
    """
    plain = plain_name(name)
    own = {one.tool for one in results if submission_of(one) is None}
    for tool in sorted(own):
        if plain_name(tool) == plain:
            return f"the name {tool!r} is that of other results; choose another"
    for place, other in (others or {}).items():
        if plain_name(other) == plain:
            return f"the name {other!r} is that of the submission {place!r}; choose another"
    return ""


def names_in(folder: str | os.PathLike[str]) -> dict[str, str]:
    """Return the names of the submissions in a folder, by the names of their folders.

    They may be of any version: nothing but the name is looked at, and what has none is left out.

    Raises:
        BundleError: it is no folder that can be read.
    """
    try:
        places = sorted(Path(folder).iterdir())
    except OSError as error:
        raise BundleError(
            f"{folder} must be a folder of submissions, and cannot be read: {error.strerror}"
        ) from None
    return {place.name: name for place in places if (name := _name(place)) is not None}


def _name(place: Path) -> str | None:
    """Return what a submission calls its method; `None` where that cannot be read."""
    try:
        record = strict_json(plain_file(place, SUBMISSION, MOST_RECORD))
    except (GlassbenchError, ValueError):
        return None
    name = record.get("name") if isinstance(record, dict) else None
    return name if isinstance(name, str) else None
