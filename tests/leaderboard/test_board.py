"""Boards: the parts of the tasks that have standings of their own."""

import pandas as pd

from glassbench.leaderboard.board import Slice, _parts
from glassbench.leaderboard.task_facts import TaskFacts


def test_parts_that_are_the_same_tasks_are_one_with_all_their_names():
    names = [f"t{number}-v1" for number in range(8)]
    facts = {
        name: TaskFacts(name, regime="exact", tags=("odd", "uneven") if place % 2 else ("even",))
        for place, name in enumerate(names)
    }
    # Six tasks are the fewest on which two methods can be told apart.
    more = {f"u{number}-v1": TaskFacts("u", tags=("odd", "uneven")) for number in range(4)}
    parts = _parts(facts.keys() | more.keys(), {**facts, **more})
    odd = frozenset({*names[1::2], *more})
    assert parts == {
        frozenset(names): (("regime", "exact"),),
        odd: (("tag", "odd"), ("tag", "uneven")),
    }
    assert Slice(parts[odd], odd, pd.DataFrame()).title == "tag odd, and tag uneven: the same tasks"
