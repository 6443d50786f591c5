"""Figures of compiled models beside Tracr's; scaling is told of a Haiku model at level 0."""

from claim import Claim, Figure

TRACR = (
    Claim(
        "compile-vs-tracr",
        "performance/compile_vs_tracr.py --repetitions 1",
        (
            Figure(
                "cold",
                "compiling, cold, beside Tracr",
                "at least 30 times faster",
                "",
                "1,053 times",
            ),
            Figure("warm", "warm", "at least 3 times faster", claimed="14.5 times"),
            Figure("wider", "programs wider than Tracr's", "exactly 0"),
            Figure("deeper", "programs deeper than Tracr's", "exactly 0"),
            Figure("wrong", "inputs decoded wrongly, of all", "exactly 0"),
        ),
        quick="--repetitions 1 --warm 3 --programs histogram,sort,reverse",
        needs=("tracr",),
    ),
    Claim(
        "compile-scaling",
        "performance/compile_scaling.py --repetitions 1 --warm 3 -o {folder}/compile_scaling",
        (
            Figure(
                "cold", "cold, the least of all sizes", "at least 100 times faster", "", "74 times"
            ),
            Figure(
                "cold, stopped",
                "where Tracr was stopped after 120 s, the least bound",
                unit="times faster",
            ),
            Figure(
                "warm 4/5", "warm, the least at 4/5", "at least 5 times faster", "", "5.7 times"
            ),
            Figure(
                "warm 32/32",
                "warm, the least at 32/32",
                "at least 100 times faster",
                "",
                "106 times",
            ),
            Figure("seconds 64/64", "the longest at 64/64, below 4 GB", "at most 5 s", "", "2.0 s"),
            Figure("wrong", "inputs decoded wrongly", "exactly 0"),
        ),
        quick="--repetitions 1 --warm 3 --sizes 4/5,8/8 --programs histogram,sort,reverse "
        "-o {folder}/compile_scaling",
        needs=("tracr",),
    ),
    Claim(
        "forward-pass",
        "performance/forward_pass.py -o {folder}/forward_pass",
        (
            Figure(
                "values, batch, 4/5",
                "values in a batch beside Tracr's `apply`, 4/5, least",
                unit="times",
                claimed="1,136 times",
            ),
            Figure("values, batch, 16/16", "at 16/16, least", unit="times", claimed="109 times"),
            Figure(
                "values, one by one, 16/16",
                "one by one, at 16/16, least",
                unit="times",
                claimed="44 times",
            ),
            Figure("different", "sequences that our hosts decode otherwise", "exactly 0"),
        ),
        quick="--repetitions 2 --programs histogram,sort --sizes 4/5 -o {folder}/forward_pass",
        needs=("tracr", "torch"),
    ),
)
