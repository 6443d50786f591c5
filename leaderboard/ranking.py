"""Ranking: the ranks that a method can have, given what the tasks tell apart.

A method's rank lies between one more than the number of methods told to be better, and as many
as are not told to be worse. Since Holm's correction holds for all pairs at once, so do the
ranges: the chance that any of them misses is at most that of any false difference (Al Mohamad,
Goeman and van Zwet 2022, Biometrics 78:1).
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def rank_ranges(pairwise: "pd.DataFrame", methods: "pd.Series | list[str]") -> "pd.DataFrame":
    """Return one row per method, in the order given.

    Columns: `method, rank_low, rank_high, rank` (`2` where there is one, `1-3` where the method
    is tied).

    Args:
        pairwise: from `pairwise_differences`, or only its rows in which one is better.
        methods: the methods that are ranked.
    """
    import pandas as pd

    names = pd.Index(methods)
    told = pairwise[pairwise["better"] != ""]
    worse_method = told["first"].where(told["better"] == told["second"], told["second"])
    better = worse_method.value_counts().reindex(names, fill_value=0).to_numpy()
    worse = told["better"].value_counts().reindex(names, fill_value=0).to_numpy()
    low, high = 1 + better, len(names) - worse
    texts = [str(a) if a == b else f"{a}-{b}" for a, b in zip(low, high, strict=True)]
    return pd.DataFrame(
        {
            "method": names,
            "rank_low": low,
            "rank_high": high,
            "rank": texts,
        }
    )


def differs(pairwise: "pd.DataFrame", methods: "pd.Series | list[str]") -> np.ndarray:
    """Return a symmetric matrix that says which of the methods, in order, are told apart."""
    import pandas as pd

    places = pd.Series(range(len(methods)), index=pd.Index(methods))
    told = pairwise[pairwise["better"] != ""]
    first, second = places[told["first"]].to_numpy(), places[told["second"]].to_numpy()
    found = np.zeros((len(places), len(places)), dtype=bool)
    found[first, second] = found[second, first] = True
    return found
