"""Superposed widths: to which widths programs are compressed, for the suite `superposition`.

Each of these models passes the quality gate: answers, outputs of components and the measured
state of every edge are the original's. Their matrices are stored with the package. The suite
holds those that are worth ranking on by what was measured of their features.
"""

from collections.abc import Mapping

WIDTHS: Mapping[str, tuple[int, ...]] = {
    "binary_window": (17, 16, 15),
    "count": (10, 9),
    "count_so_far": (10, 9),
    "frac_prevs": (10, 8, 7),
    "histogram": (10, 9),
    "length": (9, 8, 7, 5),
    "match_two": (14, 12),
    "membership": (13, 12),
    "occurs_once": (11, 9),
    "pair_balance": (14, 13),
    "running_mean": (7, 6, 5),
    "shift": (19, 18, 17),
    "sum_mod": (15, 14, 13),
}
"""The widths of each program, the widest first."""
