"""Folders of results to rank."""

from collections.abc import Callable
from pathlib import Path

import pytest

from glassbench.evaluators.environment import Environment
from glassbench.evaluators.result import MetricValue, Result

ENVIRONMENT = Environment(python="3.11.7", platform="Linux", packages={})
AP, AUROC = "edge_average_precision", "edge_auroc"


def _result(tool: str, task: str, value: float | None, **changes: object) -> Result:
    """A result with random floor 0.1, prior 0.2 and ceiling 1; failed without a value."""
    scale = {"random": 0.1, "prior": 0.2}
    fields = {
        "tool": tool,
        "task": task,
        "task_digest": "0" * 64,
        "track": "circuit",
        "seed": 0,
        "primary": AP,
        "metrics": {
            AP: MetricValue.of(value, **scale),
            AUROC: MetricValue.of(value, random=0.5, prior=0.5),
        },
        "answer_sha256": "a" * 64,
        "wall_seconds": 2.0,
        "environment": ENVIRONMENT,
    }
    if value is None:
        fields |= {"status": "failed", "error": "ToolError: out of luck", "answer_sha256": None}
    return Result(**{**fields, **changes})


@pytest.fixture(scope="session")
def make_result() -> Callable[..., Result]:
    """A function that makes a result: random floor 0.1, prior 0.2, ceiling 1."""
    return _result


@pytest.fixture(scope="session")
def results() -> tuple[Result, ...]:
    """Three methods on two tasks: one good, one that fails once, one not run on all."""
    return (
        _result("good", "a-v1", 1.0),
        _result("good", "b-v1", 0.6),
        _result("fails", "a-v1", 0.6, wall_seconds=1.0),
        _result("fails", "b-v1", None, wall_seconds=3.0),
        _result("partial", "a-v1", 0.1),
    )


@pytest.fixture
def folder_of(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes results into a fresh folder and returns it."""

    def write(results: tuple[Result, ...], name: str = "results") -> Path:
        for result in results:
            result.write(tmp_path / name)
        return tmp_path / name

    return write
