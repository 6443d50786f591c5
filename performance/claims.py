"""Every figure that the project claims of itself, by the command that measures it.

A target is what was asked for before anything was measured; `claimed` is what documents or the
changelog told of the figure before, on some other day and machine.
"""

from claim import TOOK, Claim, Figure
from claims_beside_tracr import TRACR

SPEED = (
    Claim(
        "import-time",
        "performance/import_time.py",
        (
            Figure("seconds", "`import glassbench`", "at most 0.3 s"),
            Figure("heavy", "heavy packages that it imports", "exactly 0"),
        ),
    ),
    Claim(
        "quickstart",
        "-m glassbench quickstart -o {folder}/quickstart",
        (Figure(TOOK, "`glassbench quickstart`, installed", "at most 60 s", claimed="15 s"),),
    ),
    Claim(
        "certification",
        "performance/certification.py --suite quick",
        (
            Figure("seconds", "certifying the suite quick", unit="s", claimed="13.7 s"),
            Figure("most of a task", "the task that takes longest", unit="s"),
            Figure("verify", "verifying it", unit="s", claimed="14.7 s"),
            Figure("problems", "problems that verifying finds", "exactly 0"),
        ),
    ),
    Claim(
        "build-core",
        "performance/build_suite.py --suite core --jobs 2",
        (
            Figure("seconds", "bundles of core from nothing", "at most 180 s", claimed="79 s"),
            Figure("processor", "of processors", unit="s", claimed="152 s"),
            Figure("peak", "memory of a process", unit="MB", claimed="1,529 MB"),
            Figure("size", "bundles together", unit="MB", claimed="245 MB"),
        ),
        quick="--suite quick --jobs 1",
    ),
    Claim(
        "fresh-tasks",
        "performance/fresh_tasks.py --n 100 --seed 1 --jobs 2",
        (
            Figure("seconds", "100 fresh tasks, certified", "at most 120 s", claimed="75.8 s"),
            Figure("taken", "share of candidates that is taken", claimed="0.42"),
            Figure("circuits", "share of tasks with a circuit of their own", claimed="1"),
            Figure("differences", "tasks where program and weights differ", "exactly 0"),
        ),
        quick="--n 10 --seed 1 --jobs 1",
    ),
    Claim(
        "shapley",
        "performance/shapley_cost.py --sizes 2/12,2/16,4/5,4/8,4/10",
        (
            Figure(
                "values 4/10", "exact Shapley values, 2^20 sequences", unit="s", claimed="0.43 s"
            ),
            Figure("answers 4/10", "the answers that they need", unit="s", claimed="1.8 s"),
            Figure(
                "coalition by coalition 2/12",
                "beside coalition by coalition, 2^12 sequences",
                unit="times faster",
                claimed="63 times",
            ),
            Figure("difference", "largest difference to other ways", "at most 0.000001"),
        ),
        quick="--sizes 2/12,4/5,4/8",
    ),
)
"""What is built, and how long it takes."""

METHODS = (
    Claim(
        "circuit-methods",
        "performance/circuit_methods.py --suite core --peer-every 6 "
        "--methods interchange-exact,interchange,eap,weight-norm",
        (
            Figure(
                "seconds of interchange-exact",
                "the exact circuits of core",
                "at most 60 s",
                "",
                "1.9 s",
            ),
            Figure("score of interchange-exact", "their score", "exactly 1", claimed="1"),
            Figure("score of interchange", "score of interchange", claimed="1.00"),
            Figure("score of eap", "score of EAP", claimed="0.26"),
            Figure("score of weight-norm", "score of weight norm", claimed="-0.01"),
            Figure(
                "interchange beside its peer",
                "interchange beside edge by edge",
                unit="times faster",
            ),
            Figure("eap beside its peer", "EAP beside gradients by jax", unit="times faster"),
            Figure(
                "prior", "what a prior earns, from random to oracle", "at most 0.15", "", "0.143"
            ),
        ),
        quick="--suite quick --peer-every 3 "
        "--methods interchange-exact,interchange,eap,weight-norm",
    ),
    Claim(
        "methods-vs-peers",
        "performance/methods_vs_peers.py --suite quick --every 3",
        (
            Figure(
                "interchange", "interchange beside peers", "at least 10 times faster", "", "281"
            ),
            Figure("eap", "EAP beside peers", "at least 10 times faster", claimed="27 times"),
            Figure("acdc", "ACDC beside auto-circuit", "at least 10 times faster", "", "1,316"),
            Figure(
                "attribution",
                "attribution patching of nodes",
                unit="times faster",
                claimed="219 times",
            ),
            Figure("apart", "largest difference of scores", "at most 0.0001", "", "7e-14"),
        ),
        quick="--suite quick --every 6",
        needs=("auto-circuit", "torch"),
    ),
    Claim(
        "faithfulness",
        "performance/faithfulness.py --suite core -o {folder}/faithfulness.csv",
        (
            Figure("cpr_interchange", "CPR under interchange against the truth", claimed="0.85"),
            Figure("kl_interchange", "KL under interchange", claimed="0.86"),
            Figure("cpr_mean", "CPR under mean ablation", claimed="0.78"),
            Figure("cpr_zero", "CPR under zero ablation", claimed="0.21"),
        ),
        quick="--suite core --every 7 -o {folder}/faithfulness.csv",
    ),
    Claim(
        "variable-floors",
        "performance/variable_floors.py --suite quick",
        (
            Figure("variables", "variables of quick that are asked about", claimed="28"),
            Figure("floor", "what can be had without finding one", claimed="0.53"),
            Figure("ceiling", "what their own subspaces earn", claimed="1"),
            Figure("settled", "variables of which nothing is told without the bound", claimed="2"),
        ),
    ),
    Claim(
        "program-synthesis",
        "performance/program_synthesis.py",
        (
            Figure("found", "share of the library that is found"),
            Figure("same route", "by the route of the library"),
            Figure("earned", "of what attention adds, in the mean"),
        ),
        quick="--seconds 3 --programs histogram,sort,reverse,frac_prevs,parity,membership",
    ),
    Claim(
        "features",
        "performance/features_arms.py --seeds 3 --programs count,count_so_far,frac_prevs,histogram,"
        "length,membership,occurs_once,pair_balance",
        (
            Figure("scrambled", "best matched cosine of a program, scrambled", claimed="0.37"),
            Figure("scrambled, independent", "its features made independent", claimed="0.95"),
            Figure("narrowest", "compressed", claimed="0.26"),
            Figure("narrowest, independent", "compressed and independent", claimed="0.78"),
        ),
        quick="--seeds 1 --programs frac_prevs,histogram --methods pca,ica,dictionary-learning",
    ),
)
"""What methods find, and what they take."""

SUPERPOSITION = (
    Claim(
        "superposition",
        "performance/superposition.py frac_prevs --d 8,7,6 --seeds 10",
        (
            Figure(
                "pass at d=6",
                "frac_prevs in 6 dimensions: seeds that pass",
                "at least 8 of 10",
                "",
                "0",
            ),
            Figure("seconds at d=6", "ten seeds at 6", "at most 120 s"),
            Figure("pass at d=7", "in 7 dimensions", unit="of 10", claimed="10"),
            Figure("seconds at d=7", "ten seeds at 7", unit="s", claimed="75 s"),
            Figure("pass at d=8", "in 8 dimensions", unit="of 10", claimed="10"),
            Figure("seconds at d=8", "ten seeds at 8", unit="s", claimed="42 s"),
        ),
        quick="frac_prevs --d 8,7,6 --seeds 2",
    ),
    Claim(
        "superposition-suite",
        "performance/superposition.py --suite superposition --seeds 3",
        (
            Figure("share that passes", "compressions of the suite that pass", claimed="1"),
            Figure("least cosine", "least cosine of a component", claimed="1.000"),
            Figure(TOOK, "all of them", unit="s", claimed="14 minutes"),
        ),
        quick="--suite superposition --seeds 1",
    ),
    Claim(
        "toy-superposition",
        "performance/toy_superposition.py",
        (
            Figure("phases n=2, d=1", "settings of two features as the theory says", claimed="1"),
            Figure("phases n=3, d=2", "of three features"),
            Figure(TOOK, "all toy models", unit="s", claimed="2 minutes"),
        ),
    ),
)
"""Compressed models and toy models."""

LEADERBOARD = (
    Claim(
        "statistics",
        "performance/leaderboard_statistics.py",
        (
            Figure(
                "least coverage",
                "least coverage of 95% intervals, 12 tasks and more",
                "",
                "",
                "0.93",
            ),
            Figure("coverage of rare failures", "of a mean over 42, where one in fifty fails"),
            Figure("false differences", "most false differences, any law of the null"),
            Figure("false differences, exchangeable", "where methods are alike", "at most 0.07"),
        ),
        quick="--repeats 100",
    ),
    Claim(
        "statistics-costs",
        "performance/statistics_costs.py --shape 1000x1000x1",
        (
            Figure(
                "1000x1000x1: differences of all pairs, CPU",
                "tests of 499,500 pairs",
                unit="s of processor",
                claimed="67 to 129 s of processor",
            ),
            Figure(
                "1000x1000x1: all, CPU", "all statistics", unit="s of processor", claimed="87 s"
            ),
            Figure("1000x1000x1: memory", "memory", unit="MiB", claimed="1,470 MiB"),
        ),
    ),
    Claim(
        "site",
        "performance/leaderboard_site.py",
        (
            Figure(
                "seconds",
                "the site of 100,000 results, the slowest cut",
                "at most 30 s",
            ),
            Figure("CPU seconds", "the same, of the processor", unit="s"),
        ),
        quick="--runs 10000",
    ),
    Claim(
        "million-rows",
        "performance/sweep_of_a_million.py",
        (
            Figure(
                "a result and its answer, written and flushed",
                "a million results with answers written, by a sample",
                unit="s of processor",
                claimed="2,569 s",
            ),
            Figure(
                "names of all rows",
                "names of a million rows",
                unit="s of processor",
                claimed="4.9 s",
            ),
            Figure(
                "a look at what is there, as on resuming",
                "a look at what is there, to resume",
                unit="s of processor",
                claimed="1.4 s",
            ),
            Figure(
                "results read, checked and held, as for a ranking",
                "a million results read, by a sample",
                unit="s of processor",
                claimed="152 s",
            ),
            Figure("peak", "memory", unit="MiB", claimed="1,425 MiB"),
        ),
        quick="--methods 100 --tasks 100",
    ),
)
"""What a leaderboard says, and what it costs."""

TRAINED = (
    Claim(
        "trained-suite",
        "performance/trained_suite.py --jobs 2 --place {folder}/weights.safetensors",
        (
            Figure("pass", "models of the suite trained that pass", "at least 20"),
            Figure(
                "minutes",
                "training all of them",
                "at most 40 minutes",
                claimed="60 minutes, of single runs",
            ),
        ),
    ),
    Claim(
        "trained-vs-torch",
        "performance/trained_vs_torch.py shift count occurs_once --limit 40 "
        "--rate 0.003 --rate 0.001 --batch 64 --batch 256",
        (
            Figure(
                "least ratio",
                "training beside a loop in PyTorch, the least, or a bound of it from below",
                unit="times faster",
            ),
            Figure("median ratio", "the median of the tasks", unit="times faster"),
        ),
        quick="frac_prevs --limit 60 --rate 0.003 --batch 256",
        needs=("torch",),
    ),
)
"""Trained models."""

CLAIMS = (*SPEED, *TRACR, *METHODS, *SUPERPOSITION, *LEADERBOARD, *TRAINED)
