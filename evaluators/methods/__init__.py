"""Built-in methods of the `circuit` track, by name.

A method is a function from a problem to an answer. Each file holds one, with the
paper that it comes from and what the sign of its scores means.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ..circuit_problem import Answer, CircuitProblem
from .eap_integrated_gradients import eap_integrated_gradients
from .edge_attribution_patching import edge_attribution_patching
from .interchange_patching import interchange_patching
from .weight_norm import weight_norm

MethodFunction = Callable[[CircuitProblem], Answer]


@dataclass(frozen=True)
class Method:
    """A method with what one must know of it.

    Attributes:
        name: how tables call it.
        function: from a problem to an answer.
        citation: where it comes from.
        sign: what the sign of its scores means; rankings read magnitudes.
    """

    name: str
    function: MethodFunction
    citation: str
    sign: str


BUILT_IN: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            "interchange",
            interchange_patching,
            "Wang et al. 2022, arXiv:2211.00593; Geiger et al. 2021, arXiv:2106.02997",
            "none: distances",
        ),
        Method(
            "eap",
            edge_attribution_patching,
            "Syed, Rager and Conmy 2023, arXiv:2310.10348",
            "none: magnitudes of signed effects, averaged over pairs",
        ),
        Method(
            "eap-ig",
            eap_integrated_gradients,
            "Hanna, Pezzelle and Belinkov 2024, arXiv:2403.17806",
            "none: magnitudes of signed effects, averaged over pairs",
        ),
        Method(
            "weight-norm",
            weight_norm,
            "Elhage et al. 2021, A Mathematical Framework for Transformer Circuits",
            "none: norms",
        ),
    )
}

__all__ = ["BUILT_IN", "Method", "MethodFunction"]
