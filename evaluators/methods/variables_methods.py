"""The built-in methods of the `variables` track."""

from ..method import Method
from .difference_pca import difference_pca
from .distributed_alignment_search import das, das_from_probe
from .linear_probe import linear_probe

_DAS = "Geiger, Wu, Potts, Icard and Goodman 2024, arXiv:2303.02536"
_SIGN = "none: only spans count"

VARIABLES_METHODS = (
    Method("das", das, _DAS, _SIGN, "variables"),
    Method(
        "das-probe",
        das_from_probe,
        f"{_DAS}; started from a probe, Alain and Bengio 2016, arXiv:1610.01644",
        _SIGN,
        "variables",
    ),
    Method(
        "linear-probe",
        linear_probe,
        "Alain and Bengio 2016, arXiv:1610.01644",
        _SIGN,
        "variables",
    ),
    Method(
        "difference-pca",
        difference_pca,
        "Zou et al. 2023, arXiv:2310.01405; Mueller et al. 2025, arXiv:2504.13151",
        _SIGN,
        "variables",
    ),
)
