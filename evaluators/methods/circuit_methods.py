"""The built-in methods of the `circuit` track."""

from ..method import Method
from .eap_integrated_gradients import eap_integrated_gradients
from .edge_attribution_patching import edge_attribution_patching
from .interchange_patching import interchange_patching
from .weight_norm import weight_norm

CIRCUIT_METHODS = (
    Method(
        "interchange",
        interchange_patching,
        "Wang et al. 2022, arXiv:2211.00593; Geiger et al. 2021, arXiv:2106.02997",
        "none: distances",
        "circuit",
    ),
    Method(
        "eap",
        edge_attribution_patching,
        "Syed, Rager and Conmy 2023, arXiv:2310.10348",
        "none: magnitudes of signed effects, averaged over pairs",
        "circuit",
    ),
    Method(
        "eap-ig",
        eap_integrated_gradients,
        "Hanna, Pezzelle and Belinkov 2024, arXiv:2403.17806",
        "none: magnitudes of signed effects, averaged over pairs",
        "circuit",
    ),
    Method(
        "weight-norm",
        weight_norm,
        "Elhage et al. 2021, A Mathematical Framework for Transformer Circuits",
        "none: norms",
        "circuit",
    ),
)
