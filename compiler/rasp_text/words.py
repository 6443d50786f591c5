"""The words of the language, which are not free to be names."""

from .building import INPUTS
from .functions import BUILTINS

KEYWORDS = frozenset(
    "def return for in if else and or not select True False None".split()  # noqa: SIM905
)
# What the language is made of keeps its meaning; the other functions may be defined anew, as
# programs written for RASP alone do.
RESERVED = (
    KEYWORDS
    | (INPUTS.keys() - {"tokens", "length"})
    | {
        "aggregate",
        "indicator",
        "len",
        "range",
        "round",
        "zip",
    }
)
KNOWN = KEYWORDS | INPUTS.keys() | BUILTINS.keys()
