"""The built-in methods of the `program` track."""

from ..method import Method
from .program_synthesis import synthesise
from .token_position_table import token_position_table

PROGRAM_METHODS = (
    Method(
        "synthesis",
        synthesise,
        "Udupa et al. 2013, TRANSIT; Albarghouthi, Gulwani and Kincaid 2013",
        "none: a program",
        "program",
    ),
    Method(
        "token-position-table",
        token_position_table,
        "none: a floor, 2026",
        "none: a program",
        "program",
    ),
)
