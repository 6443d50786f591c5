"""Settings that must be in force before the package, JAX or NumPy is imported."""

import functools
import importlib
import importlib.util
import inspect
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Self

from platformdirs import user_cache_path

# One thread: the models are small, and threads of several libraries would only wait for each
# other. A value set outside wins, so that the tests can also be run on an accelerator.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
)
# What one process has compiled, no other need compile, in this run or a later one; small operations
# too, since they are hundreds.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(user_cache_path("glassbench-tests")))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
# Nothing in the tests may reach for a model hub.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("WANDB_MODE", "disabled")
# Tables are as wide as in a pipe, whatever runs the tests.
os.environ.pop("COLUMNS", None)

import hypothesis
import jaxtyping
import pytest
from beartype import beartype
from jaxtyping import install_import_hook

# The same examples on every run, so that what fails a change is the change. Others are drawn with
# HYPOTHESIS_PROFILE=default.
hypothesis.settings.register_profile("the same examples", derandomize=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "the same examples"))

DOCS = Path(__file__).parent.parent / "docs"
PERFORMANCE = Path(__file__).parent.parent / "performance"


def check_types(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` with its annotations checked.

    `Self` is left unchecked: it means something only where a whole class is decorated, and
    jaxtyping hands over one function at a time.
    """
    for name, annotation in function.__annotations__.items():
        if annotation is Self:
            function.__annotations__[name] = Any
    return beartype(function)


def modules_with_shapes() -> list[str]:
    """Return the modules of the package that state shapes of arrays, without importing them.

    Only they are checked: others would gain little.
    """
    package = importlib.util.find_spec("glassbench")
    assert package is not None and package.origin is not None
    root = Path(package.origin).parent
    return [
        ".".join(("glassbench", *path.relative_to(root).with_suffix("").parts))
        for folder in ("compiler", "ground_truth", "evaluators", "leaderboard")
        for path in sorted((root / folder).rglob("*.py"))
        if "import jaxtyping" in (text := path.read_text(encoding="utf-8"))
        or "from jaxtyping import" in text
    ]


FIRST_CALLS, EVERY_CALL = 2, 50
_this_test = 0


@dataclass
class _Count:
    """How often a function was called in a test."""

    calls: int = 0
    test: int = 0


_counts: dict[int, _Count] = {}


@pytest.fixture(autouse=True)
def calls_are_counted_anew() -> None:
    """What is checked in a test does not depend on those that ran before it."""
    global _this_test
    _this_test += 1


def now_and_then(check: Callable[..., Any]) -> Callable[..., Any]:
    """Return the decorator `check` so that it checks the first calls of a test, and few more.

    What is checked is made when it is first called.
    """

    def decorated(what: Any = None, **options: Any) -> Any:
        if what is None:
            return functools.partial(decorated, **options)
        if inspect.isfunction(what):
            return some_calls(what, lambda: check(what, **options))
        plain = vars(what).get("__init__") if inspect.isclass(what) else None
        checked = check(what, **options)
        if plain is not None and checked.__init__ is not plain:
            own = checked.__init__
            checked.__init__ = some_calls(plain, lambda: own)
        return checked

    return decorated


def some_calls(plain: Callable[..., Any], make: Callable[[], Any]) -> Callable[..., Any]:
    """Return a function that is checked in its first calls of a test, and in few more.

    A function inside another is a new one at every call of that, of one code; their calls count
    together. Equal code, as dataclasses of the same fields have, is not the same one.
    """
    made = functools.cache(make)
    count = _counts.setdefault(id(plain.__code__), _Count())

    @functools.wraps(plain)
    def call(*arguments: Any, **named: Any) -> Any:
        if count.test != _this_test:
            count.calls, count.test = 0, _this_test
        is_checked = count.calls < FIRST_CALLS or count.calls % EVERY_CALL == 0
        count.calls += 1
        return (made() if is_checked else plain)(*arguments, **named)

    return call


# What the hook below writes above functions of the modules that it imports.
jaxtyping.jaxtyped = now_and_then(jaxtyping.jaxtyped)  # type: ignore[assignment]

# jaxtyping finds its checker by name, and the modules of tests cannot be imported by theirs.
checker = ModuleType("glassbench_type_checker")
checker.check_types = check_types  # type: ignore[attr-defined]
sys.modules[checker.__name__] = checker
install_import_hook(modules_with_shapes(), f"{checker.__name__}.check_types")


@pytest.fixture
def invoke() -> Callable[..., Any]:
    """Run the command line, which must end with a code and without a traceback."""
    from typer.testing import CliRunner

    from glassbench.cli import app

    def call(*arguments: str, code: int = 0) -> Any:
        result = CliRunner().invoke(app, list(arguments))
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    return call


def _scripts(folder: Path) -> Callable[[str], ModuleType]:
    def loaded(name: str) -> ModuleType:
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
        return importlib.import_module(name)

    return loaded


@pytest.fixture(scope="session")
def docs_script() -> Callable[[str], ModuleType]:
    """Load a script of `docs/` by its name, with those beside it in reach."""
    return _scripts(DOCS)


@pytest.fixture(scope="session")
def performance_script() -> Callable[[str], ModuleType]:
    """Load a script of `performance/` likewise."""
    return _scripts(PERFORMANCE)


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Chromium without a window; absent, its tests fail where `GLASSBENCH_BROWSER` is set."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        told = "chromium and chromedriver are not installed (Debian: chromium, chromium-driver)"
        if os.environ.get("GLASSBENCH_BROWSER"):
            pytest.fail(told)
        pytest.skip(told)
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for one in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu"):
        options.add_argument(f"--{one}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    found = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield found
    found.quit()


@pytest.fixture
def only_ray(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have no other test start Ray meanwhile; and no token of the user's home is asked for.

    Whatever starts a cluster may leave or change that token, between cluster and client.
    """
    from filelock import FileLock

    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with FileLock(Path(tempfile.gettempdir()) / "glassbench-tests-ray.lock"):
        yield


@pytest.fixture
def without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no figure drawn, which takes most of the time of a board; their files are there."""
    from glassbench.leaderboard import publish

    undrawn = {"svg": b"not drawn", "pdf": b"not drawn"}
    monkeypatch.setattr(publish, "figure_files", lambda figure: undrawn)
