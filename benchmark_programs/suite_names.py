"""Suite names: what a program that does not exist may have been taken for."""

SUITE_NAMES = (
    "quick",
    "core",
    "full",
    "superposition",
    "relevance",
    "trained",
    "paired",
    "controls",
    "toys",
)
"""Those of `SUITES` and `TOY_SUITES`, which are made of programs and so cannot be asked by them."""
