"""RASP, the language in which programs for transformers are written.

    from glassbench.compiler import rasp

    same_token = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.EQ)
    histogram = rasp.SelectorWidth(same_token)
    histogram("abac")   # [2, 1, 2, 1]

The names are those of Tracr's `rasp` module (Lindner et al. 2023,
arXiv:2301.05062). Programs written for it run after a change of the import, with
these differences:

* the meaning of `None` is defined (see `rasp_evaluation`) where Tracr raises;
* the mean of values that are not numbers is the value on which they agree;
* operators, `LinearSequenceMap` and means work on fractions and round once, so
  that `2/3 - 1/3` equals `1/3` (see `rational_arithmetic`);
* comparisons between two SOps work position by position;
* labels are names: they are not numbered;
* an expression asked for a truth value raises.
"""

from .rasp_evaluation import evaluate, evaluate_every, topological_order
from .rasp_expressions import RASPExpr, Selector, SelectorValue, SOp, annotate
from .rasp_selectors import (
    Comparison,
    ConstantSelector,
    Predicate,
    Select,
    SelectorAnd,
    SelectorNot,
    SelectorOr,
    selector_and,
    selector_not,
    selector_or,
)
from .rasp_sops import (
    Aggregate,
    ConstantSOp,
    Full,
    IndicesType,
    LengthType,
    LinearSequenceMap,
    Map,
    SelectorWidth,
    SequenceMap,
    TokensType,
    categorical,
    get_encoding,
    indices,
    is_annotated,
    is_categorical,
    is_numerical,
    length,
    numerical,
    sop_not,
    tokens,
)
from .values import Encoding, Value

__all__ = [
    "Aggregate",
    "Comparison",
    "ConstantSOp",
    "ConstantSelector",
    "Encoding",
    "Full",
    "IndicesType",
    "LengthType",
    "LinearSequenceMap",
    "Map",
    "Predicate",
    "RASPExpr",
    "SOp",
    "Select",
    "Selector",
    "SelectorAnd",
    "SelectorNot",
    "SelectorOr",
    "SelectorValue",
    "SelectorWidth",
    "SequenceMap",
    "TokensType",
    "Value",
    "annotate",
    "categorical",
    "evaluate",
    "evaluate_every",
    "get_encoding",
    "indices",
    "is_annotated",
    "is_categorical",
    "is_numerical",
    "length",
    "numerical",
    "selector_and",
    "selector_not",
    "selector_or",
    "sop_not",
    "tokens",
    "topological_order",
]
