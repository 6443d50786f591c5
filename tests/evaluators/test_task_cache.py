"""What is kept with a task: worked out once, and gone with it."""

import gc
import weakref

from glassbench.evaluators.task_cache import kept_with_task
from glassbench.ground_truth import make_task


def test_it_is_worked_out_once_for_each_argument_and_goes_with_the_task():
    asked = []

    @kept_with_task
    def marks(task, seed):
        asked.append(seed)
        return str(task.id), seed

    task = make_task("tokens == 'a';", "ab", 2)
    name = str(task.id)
    assert [marks(task, seed) for seed in (0, 1, 0)] == [(name, 0), (name, 1), (name, 0)]
    assert asked == [0, 1]
    left = weakref.ref(task)
    del task
    gc.collect()
    assert left() is None
