"""Tracr's own versions of the programs that both libraries have."""

from typing import Any

from tracr.compiler import lib
from tracr.rasp import rasp

BOS = "compiler_bos"


def expression(program: str, length: int) -> Any:
    """Return Tracr's own version of a program of the library."""
    match program:
        case "histogram":
            return lib.make_hist()
        case "count":
            return lib.make_count(rasp.tokens, "a")
        case "length":
            return lib.make_length()
        case "sort":
            return lib.make_sort(rasp.tokens, rasp.tokens, max_seq_len=length, min_key=1)
        case "sort_unique":
            return lib.make_sort_unique(rasp.tokens, rasp.tokens)
        case "sort_by_frequency":
            return lib.make_sort_freq(max_seq_len=length)
        case "reverse":
            return lib.make_reverse(rasp.tokens)
        case "frac_prevs":
            return lib.make_frac_prevs(rasp.tokens == "a")
        case "pair_balance":
            return lib.make_pair_balance(rasp.tokens, "(", ")")
        case "shuffle_dyck1":
            return lib.make_shuffle_dyck(pairs=["()"])
        case "shuffle_dyck2":
            return lib.make_shuffle_dyck2()
        case "detect_pattern":
            return lib.detect_pattern(rasp.tokens, "abc")
    raise ValueError(f"Tracr's library has no program for {program!r}; add it to {__file__}")
