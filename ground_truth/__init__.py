"""Certified labels: what is true of a compiled model, with proofs and witnesses.

`load` gives a task: a program compiled under its regimes, with the state of every
edge predicted from the program, measured on the weights, and the two compared.
`verify` replays every certificate. Nothing here knows of tools or scores.
"""

from .certify import certify
from .circuit_labels import CircuitLabels, EdgeLabel, EdgeState
from .interchange_pairs import Pairs, TaskDomain
from .prediction import Predictor
from .task import Task, build_model, edge_positives, load, load_suite, node_positives
from .verify import verify

__all__ = [
    "CircuitLabels",
    "EdgeLabel",
    "EdgeState",
    "Pairs",
    "Predictor",
    "Task",
    "TaskDomain",
    "build_model",
    "certify",
    "edge_positives",
    "load",
    "load_suite",
    "node_positives",
    "verify",
]
