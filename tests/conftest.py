"""Settings that must be in force before the package, JAX or NumPy is imported."""

import os

# One thread: the models are small, and threads of several libraries would only wait for each
# other. A value set outside wins, so that the tests can also be run on an accelerator.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
)
# Nothing in the tests may reach for a model hub.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("WANDB_MODE", "disabled")

from jaxtyping import install_import_hook

# Every annotation of the package, array shapes included, is checked at every call.
install_import_hook("glassbench", "beartype.beartype")
