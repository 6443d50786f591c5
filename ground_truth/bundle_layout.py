"""Bundle layout: which files there are, and which of them a tool may see."""

README, CROISSANT = "README.md", "croissant.json"
CONFIG, WEIGHTS = "model/config.json", "model/weights.safetensors"
INPUTS = "data/inputs.safetensors"
RASP, PROGRAM = "program.rasp", "program.json"
SOURCE_MAP, CIRCUIT = "labels/source_map.json", "labels/circuit.json"
SUBSPACES, POSITIONS = "labels/subspaces.json", "labels/positions.json"
VARIABLES, VARIABLE_VALUES = "labels/variables.json", "labels/variables.safetensors"
FEATURES, FEATURE_ARRAYS = "labels/features.json", "labels/features.safetensors"
COMPRESSION, COMPRESSION_ARRAYS = "labels/compression.json", "labels/compression.safetensors"
TRAINING = "labels/training.json"
RELEVANCE, RELEVANCE_ARRAYS = "labels/relevance.json", "labels/relevance.safetensors"
SHEET = "labels/README.md"
MANIFEST, LABELS_MANIFEST = "manifest.json", "labels/manifest.json"

PUBLIC = frozenset((README, CROISSANT, CONFIG, WEIGHTS, INPUTS))
"""What a tool may see, beside the manifest."""

PRIVATE = frozenset(
    (
        RASP,
        PROGRAM,
        SOURCE_MAP,
        CIRCUIT,
        SUBSPACES,
        POSITIONS,
        VARIABLES,
        VARIABLE_VALUES,
        FEATURES,
        FEATURE_ARRAYS,
        RELEVANCE,
        RELEVANCE_ARRAYS,
        COMPRESSION,
        COMPRESSION_ARRAYS,
        TRAINING,
        SHEET,
    )
)
"""The labels, and what tells of them, beside the manifest of the labels."""

OF_SUPERPOSED = frozenset((COMPRESSION, COMPRESSION_ARRAYS))
"""What bundles of superposed tasks have, and no others."""

OF_TRAINED = frozenset((TRAINING,))
"""What bundles of trained tasks have, and no others."""

OF_DIRECTIONS = frozenset(
    (SUBSPACES, POSITIONS, VARIABLES, VARIABLE_VALUES, FEATURES, FEATURE_ARRAYS)
)
"""What tells of directions and positions: bundles of trained tasks have none of it."""

OPTIONAL = frozenset((RASP,)) | OF_SUPERPOSED | OF_TRAINED | OF_DIRECTIONS
"""What not every bundle has: a program may have no text."""
