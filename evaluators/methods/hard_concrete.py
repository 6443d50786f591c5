"""Hard concrete gates: random gates between 0 and 1, often exactly either, with a gradient.

Louizos, Welling and Kingma 2018, arXiv:1712.01312: a logistic variable of location `log_alpha`,
squashed to 0..1, stretched to -0.1..1.1 and clipped,

    s = sigmoid((logit(u) + log_alpha) / (2/3)),    gate = clip(1.2 s - 0.1, 0, 1)

with `u` uniform. The probability that a gate is open, which is not 0, is smooth in `log_alpha`,
so that a number of open gates can be penalised.
"""

import numpy as np
from jaxtyping import Float

TEMPERATURE = 2 / 3
LOW, HIGH = -0.1, 1.1

Location = Float[np.ndarray, " gate"]
Samples = Float[np.ndarray, "sample gate"]


def sampled(log_alpha: Location, uniform: Samples) -> tuple[Samples, Samples]:
    """Return gates, and the derivative of each with respect to its location.

    Args:
        log_alpha: the locations.
        uniform: numbers drawn between 0 and 1.
    """
    from scipy.special import expit, logit

    squashed = expit((logit(uniform) + log_alpha) / TEMPERATURE)
    stretched = LOW + (HIGH - LOW) * squashed
    inside = (stretched > 0) & (stretched < 1)
    slope = (HIGH - LOW) * squashed * (1 - squashed) / TEMPERATURE
    return stretched.clip(0, 1), slope * inside


def open_probability(log_alpha: Location) -> Location:
    """Return the probability that each gate is not 0."""
    from scipy.special import expit

    return expit(log_alpha - TEMPERATURE * np.log(-LOW / HIGH))
