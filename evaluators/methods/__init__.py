"""Built-in methods, by name and by track.

A method is a function from a problem to an answer. Each file holds one, or a few that share
a concept, with the paper that it comes from; `circuit_methods`, `attribution_methods`,
`features_methods`, `variables_methods` and `program_methods` list those of a track, and say what
signs mean.
"""

from ..method import Method, MethodFunction
from .attribution_methods import ATTRIBUTION_METHODS
from .circuit_methods import CIRCUIT_METHODS
from .features_methods import FEATURES_METHODS
from .program_methods import PROGRAM_METHODS
from .variables_methods import VARIABLES_METHODS

BUILT_IN: dict[str, Method] = {
    method.name: method
    for method in (
        *CIRCUIT_METHODS,
        *ATTRIBUTION_METHODS,
        *FEATURES_METHODS,
        *VARIABLES_METHODS,
        *PROGRAM_METHODS,
    )
}


def built_in(track: str) -> dict[str, Method]:
    """Return the built-in methods that answer a track, by name."""
    return {name: method for name, method in BUILT_IN.items() if method.track == track}


__all__ = ["BUILT_IN", "Method", "MethodFunction", "built_in"]
