"""The environments of their own that tools need, by name."""

from .own_environment import OwnEnvironment

AUTO_CIRCUIT = OwnEnvironment(
    "auto-circuit",
    (
        "auto-circuit==1.0.1",
        "attrs==26.1.0",  # imported by what it asks for, and not asked for
        "datasets==5.0.1",  # else one is taken that newer versions of pyarrow break
        "numpy==2.4.6",
        "safetensors==0.8.0",
        "torch==2.13.0",
        "transformer-lens==2.15.4",
        "transformers==4.57.6",
    ),
)

SAE_LENS = OwnEnvironment(
    "sae-lens",
    (
        "sae-lens==6.54.0",
        "numpy==2.4.6",
        "safetensors==0.8.0",
        "torch==2.13.0",
        "transformer-lens==3.9.0",  # it works with versions before 4 alone
        "transformers==5.24.0",
    ),
)

ENVIRONMENTS = {environment.name: environment for environment in (AUTO_CIRCUIT, SAE_LENS)}
"""Each environment by its name."""
