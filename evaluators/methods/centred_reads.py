"""Centred reads: the part of a LayerNorm that is linear, folded into the matrices after it.

A LayerNorm takes from the stream its mean, which is linear, and divides by its standard deviation,
which is one number for each position. What its readers get has the mean zero, so that the mean of
each column of their matrices does nothing, and weights are the more telling without it (Elhage et
al. 2021, "A Mathematical Framework for Transformer Circuits"). The division is the same for all
that a reader reads at a position, and depends on the input: methods that look at no input leave
it out, and do not know which readers get more of the stream than others.
"""

from ...compiler.weights import READS, Weights


def with_centred_reads(weights: Weights) -> Weights:
    """Return the same model with nothing in its matrices that a LayerNorm hides.

    Without a LayerNorm it is the model itself.
    """
    if not weights.layer_norm:
        return weights
    arrays = {name: getattr(weights, name) for name in READS}
    return weights.with_arrays(
        {name: array - array.mean(axis=-2, keepdims=True) for name, array in arrays.items()}
    )
