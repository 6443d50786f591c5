"""RASP in, transformer weights and a source map out.

    from glassbench.compiler import compile_program, rasp

    same_token = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.EQ)
    compiled = compile_program(rasp.SelectorWidth(same_token), "abc", max_length=5)
    compiled("abac")    # [2, 1, 2, 1]

The stages, each a pure function in a file of its own: `trace` (expressions to a
`Program`, every function tabulated), `check` (every reason why it cannot be made
exact), `optimise`, `lower` (to heads and neurons over named subspaces),
`schedule` (to layers), `assemble` (to `Weights` and `SourceMap`). `interpret` is
what a program means; `run` executes weights; `hosts` holds the exporters.
`CompiledModel.explain` tells what each stage did, and `write_picture` draws the model.

RASP as text goes through `read_rasp` and `write_rasp`, programs as data through
`from_json` and `to_json`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import rasp
from .check import check
from .compiled_model import CompiledModel, compile_program
from .component_graph import ComponentGraph
from .executor import Run, interchange, run
from .explanation import Explanation
from .input_space import InputSpace
from .interpreter import interpret
from .lower import lower
from .margins import Margins
from .model import Codec, Model, Readout
from .model_picture import write_picture
from .optimise import optimise
from .program import Program
from .program_json import from_json, to_json
from .schedule import schedule
from .scramble import scramble
from .source_map import SourceMap
from .trace import trace
from .values import Domain, Encoding, Value
from .weights import Weights

if TYPE_CHECKING:
    from .rasp_text import RaspSource, read_rasp, write_rasp

# The reader of RASP text needs lark, which is imported when it is first used.
_OF_TEXT = ("RaspSource", "read_rasp", "write_rasp")

__all__ = [
    "Codec",
    "CompiledModel",
    "ComponentGraph",
    "Domain",
    "Encoding",
    "Explanation",
    "InputSpace",
    "Margins",
    "Model",
    "Program",
    "RaspSource",
    "Readout",
    "Run",
    "SourceMap",
    "Value",
    "Weights",
    "check",
    "compile_program",
    "from_json",
    "interchange",
    "interpret",
    "lower",
    "optimise",
    "rasp",
    "read_rasp",
    "run",
    "schedule",
    "scramble",
    "to_json",
    "trace",
    "write_picture",
    "write_rasp",
]


def __getattr__(name: str) -> Any:
    if name not in _OF_TEXT:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(".rasp_text", __name__), name)
    return value
