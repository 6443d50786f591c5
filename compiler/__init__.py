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
"""

from . import rasp
from .check import check
from .compiled_model import CompiledModel, compile_program
from .component_graph import ComponentGraph
from .executor import Run, interchange, run
from .input_space import InputSpace
from .interpreter import interpret
from .lower import lower
from .model import Codec, Model
from .optimise import optimise
from .program import Program
from .schedule import schedule
from .scramble import scramble
from .source_map import SourceMap
from .trace import trace
from .values import Domain, Encoding, Value
from .weights import Weights

__all__ = [
    "Codec",
    "CompiledModel",
    "ComponentGraph",
    "Domain",
    "Encoding",
    "InputSpace",
    "Model",
    "Program",
    "Run",
    "SourceMap",
    "Value",
    "Weights",
    "check",
    "compile_program",
    "interchange",
    "interpret",
    "lower",
    "optimise",
    "rasp",
    "run",
    "schedule",
    "scramble",
    "trace",
]
