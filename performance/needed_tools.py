"""The tools beside the package that some claims need: for each, what tells why it is missing.

What is heavy is imported when it is asked for.
"""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from importlib.util import find_spec


def _tracr() -> str:
    from tracr_environment import environment_of

    if environment_of(version("jax")).is_there:
        return ""
    return "Tracr has no environment here: python performance/tracr_environment.py makes it"


def _auto_circuit() -> str:
    from glassbench.errors import ToolError
    from glassbench.evaluators.adapters import ADAPTERS

    try:
        ADAPTERS["auto-circuit-eap"].check()
    except ToolError as error:
        return str(error)
    return ""


def _torch() -> str:
    return "" if find_spec("torch") else "torch is not installed: pip install 'glassbench[torch]'"


NEEDED: Mapping[str, Callable[[], str]] = {
    "tracr": _tracr,
    "auto-circuit": _auto_circuit,
    "torch": _torch,
}
"""Each returns why its tool is missing, in words, and nothing where it is there."""
