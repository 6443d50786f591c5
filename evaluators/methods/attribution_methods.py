"""The built-in methods of the `attribution` track."""

from ..method import Method
from .attention_rollout import attention_rollout
from .occlusion import occlusion
from .sampled_shapley import sampled_shapley
from .token_gradients import gradient_x_input, integrated_gradients

ATTRIBUTION_METHODS = (
    Method(
        "occlusion",
        occlusion,
        "Zeiler and Fergus 2014, arXiv:1311.2901; Li, Monroe and Jurafsky 2016, arXiv:1612.08220",
        "none: distances",
        "attribution",
    ),
    Method(
        "gradient-x-input",
        gradient_x_input,
        "Simonyan, Vedaldi and Zisserman 2013, arXiv:1312.6034; Shrikumar et al. 2016, "
        "arXiv:1605.01713",
        "positive: moves the logits from the baseline to where they are",
        "attribution",
    ),
    Method(
        "integrated-gradients",
        integrated_gradients,
        "Sundararajan, Taly and Yan 2017, arXiv:1703.01365",
        "positive: moves the logits from the baseline to where they are",
        "attribution",
    ),
    Method(
        "sampled-shapley",
        sampled_shapley,
        "Castro, Gomez and Tejada 2009, Polynomial calculation of the Shapley value based on "
        "sampling; Strumbelj and Kononenko 2010, JMLR 11",
        "positive: keeps the answer",
        "attribution",
    ),
    Method(
        "attention-rollout",
        attention_rollout,
        "Abnar and Zuidema 2020, arXiv:2005.00928",
        "none: shares of attention",
        "attribution",
    ),
)
