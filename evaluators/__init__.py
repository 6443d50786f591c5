"""An answer and the labels in, a score out.

`score` asks one method about one task and returns a `Result`; `score_suite` asks
several methods about every task of a suite. What is asked is a track: `circuit` from a
`CircuitProblem` to a number for each edge, `attribution` from an `AttributionProblem` to one
for each pair of positions, `features` from a `FeaturesProblem` to directions and activations,
`variables` from a `VariablesProblem` to subspaces, `program` from a `ProgramProblem` to RASP
text. A method is a function from a problem to an answer, and `BUILT_IN` holds those that come
with the package. Labels never reach a method. `scored` and `scored_suite` return answers too,
which `Scored.write` keeps beside their results, and `rescored` measures such an answer again.
`cite` gives the references of what results were made with.
"""

from .answer_file import AnswerFile
from .attribution_problem import AttributionProblem
from .attribution_track import AttributionTrack
from .circuit_problem import Answer, CircuitProblem
from .circuit_track import CircuitTrack, measured, suite_priors
from .citing import Citation, citations, cite
from .command_tool import CommandTool
from .faithfulness import faithfulness, faithfulness_curves
from .features_problem import FeaturesProblem, FoundFeatures, StreamRows
from .features_track import FeaturesTrack
from .kept_answer import KeptAnswer
from .limits import Limits
from .method import Method
from .methods import BUILT_IN, built_in
from .mib_format import read_mib, write_mib
from .problem_content import ProblemContent
from .program_problem import ProgramProblem
from .program_track import ProgramTrack
from .reference import Reference
from .rescoring import rescored
from .result import MetricValue, Result
from .scoring import Scored, find_method, score, score_suite, scored, scored_suite
from .sweeping import SweepReport, sweep
from .tool import Tool
from .track import Measures, Track
from .tracks import TRACKS, find_track
from .variables_problem import Subspace, VariableQuestion, VariablesProblem
from .variables_track import VariablesTrack

__all__ = [
    "BUILT_IN",
    "TRACKS",
    "Answer",
    "AnswerFile",
    "AttributionProblem",
    "AttributionTrack",
    "CircuitProblem",
    "CircuitTrack",
    "Citation",
    "CommandTool",
    "FeaturesProblem",
    "FeaturesTrack",
    "FoundFeatures",
    "KeptAnswer",
    "Limits",
    "Measures",
    "Method",
    "MetricValue",
    "ProblemContent",
    "ProgramProblem",
    "ProgramTrack",
    "Reference",
    "Result",
    "Scored",
    "StreamRows",
    "Subspace",
    "SweepReport",
    "Tool",
    "Track",
    "VariableQuestion",
    "VariablesProblem",
    "VariablesTrack",
    "built_in",
    "citations",
    "cite",
    "faithfulness",
    "faithfulness_curves",
    "find_method",
    "find_track",
    "measured",
    "read_mib",
    "rescored",
    "score",
    "score_suite",
    "scored",
    "scored_suite",
    "suite_priors",
    "sweep",
    "write_mib",
]
