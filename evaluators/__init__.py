"""An answer and the labels in, a score out.

`score` asks one method about one task and returns a `Result`; `score_suite` asks
several methods about every task of a suite, with the prior floor learned from the
other tasks. A method is a function from a problem to an answer: for the `circuit`
track from a `CircuitProblem` to a number for each edge. `BUILT_IN` holds the
methods that come with the package. Labels never reach a method.
"""

from .circuit_problem import Answer, CircuitProblem
from .methods import BUILT_IN, Method
from .result import MetricValue, Result
from .scoring import find_method, measured, score, score_suite, suite_priors

__all__ = [
    "BUILT_IN",
    "Answer",
    "CircuitProblem",
    "Method",
    "MetricValue",
    "Result",
    "find_method",
    "measured",
    "score",
    "score_suite",
    "suite_priors",
]
