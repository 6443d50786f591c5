"""An answer and the labels in, a score out.

`score` asks one method about one task and returns a `Result`; `score_suite` asks
several methods about every task of a suite. What is asked is a track: `circuit` from a
`CircuitProblem` to a number for each edge, `features` from a `FeaturesProblem` to directions
and activations. A method is a function from a problem to an answer, and `BUILT_IN` holds
those that come with the package. Labels never reach a method. `scored` and `scored_suite`
return answers too, which `Scored.write` keeps beside their results, and `rescored` measures
such an answer again.
"""

from .circuit_problem import Answer, CircuitProblem
from .circuit_track import CircuitTrack, measured, suite_priors
from .features_problem import FeaturesProblem, FoundFeatures, StreamRows
from .features_track import FeaturesTrack
from .kept_answer import KeptAnswer
from .method import Method
from .methods import BUILT_IN, built_in
from .rescoring import rescored
from .result import MetricValue, Result
from .scoring import Scored, find_method, score, score_suite, scored, scored_suite
from .track import Measures, Track
from .tracks import TRACKS, find_track

__all__ = [
    "BUILT_IN",
    "TRACKS",
    "Answer",
    "CircuitProblem",
    "CircuitTrack",
    "FeaturesProblem",
    "FeaturesTrack",
    "FoundFeatures",
    "KeptAnswer",
    "Measures",
    "Method",
    "MetricValue",
    "Result",
    "Scored",
    "StreamRows",
    "Track",
    "built_in",
    "find_method",
    "find_track",
    "measured",
    "rescored",
    "score",
    "score_suite",
    "scored",
    "scored_suite",
    "suite_priors",
]
