"""A sweep as it goes: tasks are loaded, priors learned, rows asked for until all are there."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import ceil
from pathlib import Path
from threading import Event, Thread

from ..benchmark_programs import TaskId, ToyId
from ..errors import GlassbenchError, TaskError, listing
from .kept_floors import Floors, SweepFloors, floors_file, keep_floors, kept_floors
from .method import Method
from .row_claim import died_at
from .scoring import AnyMethod
from .sweep_folder import SweepFolder
from .sweep_rows import LeftOut, Row, rows_of
from .sweep_work import (
    MOST_DEATHS,
    AskedTask,
    Job,
    Posed,
    Told,
    asked,
    loaded,
    posed,
    priors_for,
)
from .sweep_workers import WorkerLostError, Workers
from .tool import Tool
from .track import Priors, Track

MOST_KEPT = 256
"""Of so many tasks, at most, each is loaded once and sent on; of more, again where it is asked
about: they would fill the memory of who leads, a few MiB each."""
MOST_LOSSES = 3
"""How often workers may be lost while nothing new arrives."""
SECONDS_BETWEEN_LOOKS = 1.0
"""How often it is looked what is there, at most; less often where a look takes long."""
_SHARE_OF_LOOKS = 0.05
_LOADING, _SCORING = "Compiling and certifying", "Scoring"

Watch = Callable[[str, int, int], None]
"""Is told what is going on, how much of it is done, and how much there is."""


@dataclass(frozen=True, eq=False)
class SweepPlan:
    """What a sweep asks.

    Attributes:
        given: the methods, by name where that is how they were given.
        methods: the same, found.
        tasks: what is asked about.
        tracks: the questions.
        seeds: what problems are drawn with.
        with_priors: whether prior floors are learned over the tasks.
        paths: where workers look for modules of methods.
    """

    given: tuple[AnyMethod, ...]
    methods: tuple[Method | Tool, ...]
    tasks: tuple[AskedTask, ...]
    tracks: tuple[Track, ...]
    seeds: tuple[int, ...]
    with_priors: bool
    paths: tuple[str, ...]


class SweepRun:
    """A sweep as it goes; lives for one.

    Args:
        plan: what is asked.
        folder: where results go.
        workers: who does the work.
        watch: is told how far it is.
    """

    def __init__(
        self, plan: SweepPlan, folder: SweepFolder, workers: Workers, watch: Watch
    ) -> None:
        self._plan, self._folder, self._workers, self._watch = plan, folder, workers, watch
        self._tasks = _by_id(plan.tasks)
        self._rows: dict[str, list[Row]] = {
            task: list(rows_of(task, plan.methods, plan.tracks, plan.seeds)) for task in self._tasks
        }
        self._left_out: dict[LeftOut, None] = {}
        self._priors: dict[str, tuple[Priors, ...]] = {}
        asked = {row.track for row in self._every()}
        self._learning = {
            place
            for place, track in enumerate(plan.tracks)
            if plan.with_priors and track.has_priors and place in asked
        }
        self._kept = {
            place: floors_file(folder.path, plan.tracks[place], self._tasks)
            for place in self._learning
        }
        self._floors: dict[int, Floors | None] = {
            place: kept_floors(file) for place, file in self._kept.items()
        }
        there = folder.done.among(folder.path)
        self.before = sum(row.name in there for row in self._every())

    @property
    def floors(self) -> SweepFloors:
        """The prior floors that the sweep gives to its rows."""
        tracks = self._plan.tracks
        return SweepFloors(tracks, tuple(self._floors.get(at) or {} for at in range(len(tracks))))

    def run(self) -> tuple[tuple[str, ...], tuple[LeftOut, ...]]:
        """Go on until every row is there; return their names, and what could not be asked.

        Raises:
            TaskError: nothing can be asked.
            GlassbenchError: workers do not see the folder, or are lost again and again.
        """
        if self._pending() or None in self._floors.values():
            self._load()
            if not any(self._every()):
                raise TaskError("\n".join(dict.fromkeys(one.why for one in self._left_out)))
            with self._watched():
                self._ask_for_all()
        return tuple(row.name for row in self._every()), tuple(self._left_out)

    def _every(self) -> Iterator[Row]:
        return (row for rows in self._rows.values() for row in rows)

    def _pending(self) -> dict[str, list[Row]]:
        """Return the rows that are not there, by task."""
        there = self._folder.done.among(self._folder.path)
        pending = {
            task: [row for row in rows if row.name not in there]
            for task, rows in self._rows.items()
        }
        return {task: rows for task, rows in pending.items() if rows}

    def _load(self) -> None:
        """Load what is asked about, leave out what cannot be, and learn the priors."""
        pending, tracks = self._pending(), self._plan.tracks
        learns = None in self._floors.values() or any(
            row.track in self._learning for rows in pending.values() for row in rows
        )
        needed = {name: task for name, task in self._tasks.items() if learns or name in pending}
        self._watch(_LOADING, 0, len(needed))
        work = partial(
            posed,
            tracks=tracks,
            learning=self._learning if learns else set(),
            keep=len(needed) <= MOST_KEPT,
        )
        found: dict[str, Posed] = {}
        for one in self._each_posed(work, needed):
            found[one.id] = one
            self._tasks[one.id] = one.task
            self._leave_out(one.left_out)
            self._watch(_LOADING, len(found), len(needed))
        in_order = [found[name] for name in self._tasks if name in found]  # sums depend on it
        every = [
            track.learned({one.id: one.evidence[at] for one in in_order if at in one.evidence})
            for at, track in enumerate(tracks)
        ]
        for one in in_order:
            self._priors[one.id] = tuple(priors_for(one.id, priors) for priors in every)
        if learns:
            self._keep_floors()

    def _keep_floors(self) -> None:
        """Keep the prior floors that were learned, to be compared with those of rows."""
        for place, file in self._kept.items():
            floors = {
                task: {name: prior[task] for name, prior in priors[place].items()}
                for task, priors in self._priors.items()
            }
            keep_floors(floors, file)
            self._floors[place] = floors

    def _each_posed(
        self, work: Callable[[AskedTask], Posed], needed: Mapping[str, AskedTask]
    ) -> Iterator[Posed]:
        """Yield what tasks are to the tracks, as it comes, however many workers are lost."""
        left, losses = dict(needed), 0
        while left:
            before = len(left)
            try:
                for one in self._workers.each(work, list(left.values())):
                    del left[one.id]
                    yield one
            except WorkerLostError as error:
                losses = losses + 1 if len(left) == before else 0
                _check_losses(losses, error)

    def _leave_out(self, cannot: Sequence[LeftOut]) -> None:
        """Take rows away that cannot be asked for."""
        for one in cannot:
            self._left_out[one] = None
            self._rows[one.task] = [
                row
                for row in self._rows[one.task]
                if row.track != one.place or one.seed not in (None, row.seed)
            ]

    def _ask_for_all(self) -> None:
        """Ask for rows until all are there, by whomever."""
        losses = 0
        while pending := self._pending():
            try:
                told = list(self._workers.each(asked, self._jobs(pending)))
            except WorkerLostError as error:
                self._ask_alone(pending)
                is_stuck = _count(self._pending()) == _count(pending)
                losses = losses + 1 if is_stuck else 0
                _check_losses(losses, error)
                continue
            self._check_seen(told)
            self._leave_out([one for some in told for one in some.left_out])
            if not any(one.asked or one.left_out for one in told):
                time.sleep(SECONDS_BETWEEN_LOOKS)  # others are at what is left

    def _ask_alone(self, pending: Mapping[str, list[Row]]) -> None:
        """Ask for rows at which a process died, with nothing beside them that could be to blame."""
        for task, rows in pending.items():
            for row in rows:
                for _ in range(MOST_DEATHS + 1):
                    if not died_at(self._folder.path, row.name):
                        break
                    try:
                        list(self._workers.each(asked, [self._job(task, [row])]))
                    except WorkerLostError:
                        continue

    def _jobs(self, pending: Mapping[str, list[Row]]) -> Iterator[Job]:
        """Yield what each process is to do: a task each, or parts where there are few tasks."""
        parts = ceil(self._workers.count / len(pending))
        for task, rows in pending.items():
            for part in range(min(parts, len(rows))):
                yield self._job(task, rows[part::parts])

    def _job(self, task: str, rows: Sequence[Row]) -> Job:
        folder = self._folder
        return Job(
            sweep=folder.sweep,
            folder=folder.path,
            task=self._tasks[task],
            methods=self._plan.given,
            tracks=self._plan.tracks,
            priors=self._priors[task],
            rows=tuple(rows),
            done=folder.done,
            has_claims=folder.has_claims,
            driver=os.getpid() if self._workers.are_here else 0,
            paths=self._plan.paths,
        )

    def _check_seen(self, told: Sequence[Told]) -> None:
        """Check that every worker saw the folder."""
        unseen = sorted({one.unseen for one in told if one.unseen})
        if unseen:
            raise GlassbenchError(
                listing(
                    f"Every worker must see the folder of results, {self._folder.path}, and on "
                    "these machines it is not there; choose one with -o that all of them share:",
                    unseen,
                )
            )

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Tell meanwhile how many rows are there."""
        over = Event()
        thread = Thread(target=self._look, args=(over,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            total = sum(1 for _ in self._every())
            self._watch(_SCORING, total - _count(self._pending()), total)

    def _look(self, over: Event) -> None:
        wait = 0.0
        while not over.wait(wait):
            started = time.perf_counter()
            total = sum(1 for _ in self._every())
            self._watch(_SCORING, total - _count(self._pending()), total)
            taken = time.perf_counter() - started
            wait = max(SECONDS_BETWEEN_LOOKS, taken / _SHARE_OF_LOOKS)


def _check_losses(losses: int, error: WorkerLostError) -> None:
    """Raise an error if workers were lost too often while nothing new arrived."""
    if losses == MOST_LOSSES:
        raise GlassbenchError(
            f"Workers must live until their work is done, and {losses} times some were lost while "
            f"nothing new arrived: {error}; give them more memory, or fewer jobs. What is there is "
            "kept, and the same call goes on"
        ) from error


def _count(pending: Mapping[str, list[Row]]) -> int:
    return sum(map(len, pending.values()))


def _by_id(tasks: Sequence[AskedTask]) -> dict[str, AskedTask]:
    """Return what is asked about by the ids of tasks, each once.

    Raises:
        TaskError: two are of one id, and not the same.
    """
    given: dict[str, AskedTask] = {}
    found: dict[str, AskedTask] = {}
    for task in tasks:
        one = loaded(task) if isinstance(task, Path) else task
        name = str(one) if isinstance(one, TaskId | ToyId) else str(one.id)
        if given.setdefault(name, task) != task:
            raise TaskError(f"Every task must have an id of its own, and two are {name}")
        found.setdefault(name, one)
    return found
