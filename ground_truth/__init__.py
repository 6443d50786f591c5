"""Certified labels: what is true of a compiled model, with proofs and witnesses.

`load` gives a task: a program compiled under its regimes, with the state of every
edge predicted from the program, measured on the weights, and the two compared.
`make_task` makes one of a program of one's own, `sample_tasks` draws random ones, and
`holdout` commits to such in advance. `verify` replays every certificate, and
`write_bundle` writes a task for readers in any language. Nothing here knows of tools
or scores.
"""

from .bundle import Bundle, read_bundle
from .bundle_files import bundle_files
from .bundle_folder import check_bundle_folder, write_bundle
from .bundle_labels import BundleLabels
from .bundle_task import is_bundle, load_bundle
from .bundle_verify import verify_bundle
from .certify import certify
from .circuit_labels import CircuitLabels, EdgeLabel, EdgeState
from .downloading import download
from .feature_data import (
    FeatureData,
    FeatureKey,
    FeatureRows,
    FeaturesTask,
    feature_data,
    features_digest,
)
from .features import FeatureLabels, activations, features, independent_rows
from .high_level_model import Counterfactual, HighLevelModel
from .interchange_pairs import Pairs, TaskDomain
from .loading import load, load_suite
from .measure import measure
from .own_task import compile_own, make_task
from .own_task_id import OwnTaskId
from .position_labels import PositionLabels, position_labels
from .prediction import Predictor
from .registry import Registry, RegistryEntry
from .relevance import Relevance, relevance
from .splicing import Spliced, splice
from .subspace_labels import SubspaceLabels, subspace_labels
from .task import Task, edge_positives, node_positives
from .task_building import build_model, certified
from .task_conformance import check_task
from .task_sampling import Sample, SampleReport, sample_tasks
from .toy_superposition_task import ToyTask
from .training_gate import TrainingGate
from .training_history import TrainingHistory
from .universes import coarse_edges, neuron_states, node_states, variable_states
from .variables import VariableLabels, variables
from .verify import verify

__all__ = [
    "Bundle",
    "BundleLabels",
    "CircuitLabels",
    "Counterfactual",
    "EdgeLabel",
    "EdgeState",
    "FeatureData",
    "FeatureKey",
    "FeatureLabels",
    "FeatureRows",
    "FeaturesTask",
    "HighLevelModel",
    "OwnTaskId",
    "Pairs",
    "PositionLabels",
    "Predictor",
    "Registry",
    "RegistryEntry",
    "Relevance",
    "Sample",
    "SampleReport",
    "Spliced",
    "SubspaceLabels",
    "Task",
    "TaskDomain",
    "ToyTask",
    "TrainingGate",
    "TrainingHistory",
    "VariableLabels",
    "activations",
    "build_model",
    "bundle_files",
    "certified",
    "certify",
    "check_bundle_folder",
    "check_task",
    "coarse_edges",
    "compile_own",
    "download",
    "edge_positives",
    "feature_data",
    "features",
    "features_digest",
    "independent_rows",
    "is_bundle",
    "load",
    "load_bundle",
    "load_suite",
    "make_task",
    "measure",
    "neuron_states",
    "node_positives",
    "node_states",
    "position_labels",
    "read_bundle",
    "relevance",
    "sample_tasks",
    "splice",
    "subspace_labels",
    "variable_states",
    "variables",
    "verify",
    "verify_bundle",
    "write_bundle",
]
