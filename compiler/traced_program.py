"""Traced program: RASP expressions -> a program in which every aggregate is decided.

Whether an aggregate of numbers without annotation is a mean or the one value that all
selected positions share is seen by running it: it is a mean if it ever selects two.
"""

from collections.abc import Callable, Sequence

from . import rasp
from .check import Checked, check
from .effort import Effort
from .program import ancestors
from .trace import Traced, trace
from .values import Value


def traced_program(
    outputs: Sequence[rasp.SOp],
    vocabulary: Sequence[Value],
    max_length: int,
    *,
    causal: bool = False,
    beside: Sequence[rasp.SOp] = (),
    effort: Effort | None = None,
    label: Callable[[rasp.RASPExpr], str] = lambda expression: expression.name,
) -> tuple[Traced, Checked]:
    """Trace and check, until every aggregate that selects different numbers is a mean.

    Args:
        outputs: the expressions that are read out.
        vocabulary: the tokens, in any order.
        max_length: the longest input, at least 1.
        causal: whether selectors see only keys up to the query's position.
        beside: expressions that are computed and not read out.
        effort: what that may take; without end by default.
        label: how problems call an expression.

    Returns:
        The program, and what is still wrong with it on some inputs.

    Raises:
        ProgramError: the program is malformed; every problem is listed.
        EffortError: it takes more work than it may.
    """
    effort = effort or Effort()
    means: set[int] = set()
    while True:
        traced = trace(
            outputs,
            vocabulary,
            max_length,
            causal=causal,
            beside=beside,
            means=means,
            effort=effort,
            label=label,
        )
        checked = check(traced.program)
        wrong = {reason.place for reason in checked.reasons}
        found = {
            traced.open[place]
            for place in wrong & traced.open.keys()
            if not (ancestors(traced.program, place) - {place}) & wrong
        }
        if not found:
            return traced, checked
        means |= found
