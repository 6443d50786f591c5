"""The built-in methods of the `circuit` track."""

from ..method import Method
from .acdc import acdc
from .eap_integrated_gradients import eap_integrated_gradients
from .edge_attribution_patching import edge_attribution_patching
from .edge_pruning import edge_pruning
from .exact_interchange import exact_interchange
from .integrated_activations import integrated_activations
from .interchange_patching import interchange_patching
from .node_attribution_patching import node_attribution_patching
from .path_norm import path_norm
from .subnetwork_probing import subnetwork_probing
from .weight_norm import weight_norm

_SIGNED = "none: magnitudes of signed effects, averaged over pairs"

CIRCUIT_METHODS = (
    Method(
        "interchange",
        interchange_patching,
        "Wang et al. 2022, arXiv:2211.00593; Geiger et al. 2021, arXiv:2106.02997",
        "none: distances",
        "circuit",
    ),
    Method(
        "interchange-exact",
        exact_interchange,
        "Geiger et al. 2021, arXiv:2106.02997",
        "none: shares of interchanges",
        "circuit",
    ),
    Method(
        "attribution-patching",
        node_attribution_patching,
        "Nanda 2023, Attribution Patching; Syed, Rager and Conmy 2023, arXiv:2310.10348",
        _SIGNED,
        "circuit",
    ),
    Method(
        "eap",
        edge_attribution_patching,
        "Syed, Rager and Conmy 2023, arXiv:2310.10348",
        _SIGNED,
        "circuit",
    ),
    Method(
        "eap-ig",
        eap_integrated_gradients,
        "Hanna, Pezzelle and Belinkov 2024, arXiv:2403.17806",
        _SIGNED,
        "circuit",
    ),
    Method(
        "eap-ig-activations",
        integrated_activations,
        "Mueller et al. 2025, arXiv:2504.13151; Marks et al. 2024, arXiv:2403.19647",
        _SIGNED,
        "circuit",
    ),
    Method(
        "acdc",
        acdc,
        "Conmy et al. 2023, arXiv:2304.14997",
        "none: thresholds",
        "circuit",
    ),
    Method(
        "edge-pruning",
        edge_pruning,
        "Bhaskar et al. 2024, arXiv:2406.16778; Cao, Sanh and Rush 2021, arXiv:2104.03514",
        "none: probabilities",
        "circuit",
    ),
    Method(
        "subnetwork-probing",
        subnetwork_probing,
        "Cao, Sanh and Rush 2021, arXiv:2104.03514; Conmy et al. 2023, arXiv:2304.14997",
        "none: probabilities",
        "circuit",
    ),
    Method(
        "path-norm",
        path_norm,
        "Neyshabur, Tomioka and Srebro 2015, arXiv:1503.00036",
        "none: norms",
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
