"""A sweep on a Ray cluster, which is stopped and goes on where it was.

    pip install 'glassbench[ray]'
    python ray_sweep.py FOLDER             # a cluster of two processes, here
    python ray_sweep.py FOLDER 10.0.0.1:6379    # one that runs: ray start --head --port=6379

From the shell, with a cluster that runs:

    glassbench score eap acdc --suite quick --backend ray --address 127.0.0.1:6379 -o FOLDER
"""

import sys
from pathlib import Path

import ray

import glassbench as gb

METHODS = ("weight-norm", "path-norm", "eap")
TASKS = ("histogram", "reverse[vocab=3,length=4]", "frac_prevs/scrambled")


def main(folder, address="local"):
    """Sweep in two parts; return the report of the second, which has everything."""
    here = {"num_cpus": 2, "include_dashboard": False} if address == "local" else {}
    ray.init(address=address, log_to_driver=False, logging_level="ERROR", **here)
    try:
        first = gb.sweep(METHODS[:2], TASKS, folder, seeds=2, backend="ray", with_priors=False)
        print(f"{len(first.names)} rows of {METHODS[:2]}, {first.before} of them were there before")
        report = gb.sweep(METHODS, TASKS, folder, seeds=2, backend="ray", with_priors=False)
        print(f"{len(report.names)} rows of {METHODS}, {report.before} of them were there before")
    finally:
        ray.shutdown()
    for method in METHODS:
        scores = [
            result.metrics[result.primary].normalised
            for result in report.results()
            if result.tool == method
        ]
        print(f"{method:14}{sum(scores) / len(scores):6.2f} over {len(scores)} rows")
    print(f"Rank them:  glassbench leaderboard {folder}")
    return report


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), *sys.argv[2:])
