"""Adapters: other people's tools as tools of ours, by name.

A `PackageTool` calls a function that imports the package when it runs. An `EnvironmentTool`
cannot stand beside our dependencies: it runs a script in an environment of its own, by the
protocol for tools in any language.
"""

import importlib.util
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from ...compiler.model import Model
from ...errors import ToolError
from ..command_tool import CommandTool
from ..limits import Limits
from ..live_model import LiveModel
from ..method import MethodFunction
from ..tool import Reply, Tool
from ..track import Track
from .own_environment import OwnEnvironment

_SCRIPTS = Path(__file__).parent / "scripts"


@dataclass(frozen=True)
class PackageTool(Tool):
    """A tool that is a package beside ours.

    Attributes:
        name: how tables call it.
        track: the question that it answers.
        package: the distribution that it is, such as `captum`.
        module: what is imported of it.
        extra: the extra of ours that installs it.
        function: from a problem to an answer; imports the package when it is called.
        what: what is asked of the package, in a few words.
        settings: what tells it from others of its name.
    """

    name: str
    track: str
    package: str
    module: str
    extra: str
    function: MethodFunction
    what: str
    settings: Mapping[str, JsonValue] = field(default_factory=dict)

    def check(self) -> None:
        """Check that the package is installed.

        Raises:
            ToolError: it is not.
        """
        if importlib.util.find_spec(self.module) is None:
            raise ToolError(
                f"{self.name} needs the package {self.package}, which is not installed: "
                f"pip install 'glassbench[{self.extra}]'"
            )

    def ask(self, track: Track[Any, Any], problem: Any) -> Reply:  # noqa: ARG002 - checked before
        """Call the function on a problem; its failures are replies too."""
        try:
            self.check()
        except ToolError as error:
            return Reply(error=error, status="failed")
        started = time.perf_counter()
        taken: dict[str, Any] = {"version": version(self.package)}
        try:
            answer = self.function(problem)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a tool may fail in its own way
            failure = ToolError(
                f"{self.name} must return an answer, and {self.package} "
                f"{taken['version']} raised {type(error).__name__}: {error}"
            )
            failure.__cause__ = error
            return Reply(
                error=failure, status="failed", seconds=time.perf_counter() - started, **taken
            )
        return Reply(answer, seconds=time.perf_counter() - started, **taken)


@dataclass(frozen=True)
class EnvironmentTool(Tool):
    """A tool that runs in an environment of its own.

    Attributes:
        name: how tables call it.
        track: the question that it answers.
        environment: where its packages are.
        script: the file in `scripts`.
        arguments: what the script is told before the folders of problem and answer.
        what: what is asked of the package, in a few words.
        live: whether it is given the live part of the model, which has all components and the
            same logits after every interchange, in a narrower stream; see `LiveModel`.
        settings: what tells it from others of its name.
        limits: how much of the machine a run may take.
    """

    name: str
    track: str
    environment: OwnEnvironment
    script: str
    arguments: tuple[str, ...]
    what: str
    live: bool = False
    settings: Mapping[str, JsonValue] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)

    def check(self) -> None:
        """Check that the environment is made.

        Raises:
            ToolError: it is not.
        """
        if not self.environment.is_there:
            raise ToolError(
                f"{self.name} needs an environment of its own, {self.environment.name}, which is "
                "not made: python -m glassbench.evaluators.adapters "
                f"{self.environment.name}"
            )

    @cached_property
    def command(self) -> str:
        """The command that is run, with its marks for the folders."""
        words = [str(self.environment.python), str(_SCRIPTS / self.script), *self.arguments]
        return f"{shlex.join(words)} {{problem}} {{answer}}"

    def ask(self, track: Track[Any, Any], problem: Any) -> Reply:
        """Run the script on a problem; its failures are replies too."""
        if self.live:
            whole = problem.model
            problem = replace(
                problem, model=Model(LiveModel.of(whole.weights).weights, whole.codec)
            )
        return CommandTool(self.command, self.name, self.limits).ask(track, problem)


Adapter = PackageTool | EnvironmentTool
"""A tool of other people's."""
