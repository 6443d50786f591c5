"""Interchange states: what swaps can do, found by trying, the cheap ways first.

A swap is settled by the first of these that applies: an interchange changes an output;
what passes is the same on every input; every distinct interchange of the domain has been
tried; a stated number has. Program and weights must agree throughout.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .circuit_labels import (
    Certificate,
    Constant,
    EdgeLabel,
    EdgeState,
    Exhausted,
    Quiet,
    Searched,
    Witness,
)
from .contributions import distinct_sources, spreads
from .interchange_pairs import Family
from .interchange_search import InterchangeSearch, Tally
from .swap import Swap
from .wiring import ROUNDING_BOUND

EXHAUSTIVE_LIMIT = 400_000
FEW_ROUNDS = range(3)
MORE_ROUNDS = range(3, 9)


@dataclass(frozen=True)
class Settled:
    """What a swap can do, and how that is known.

    Attributes:
        state: `causal`, `positional` or `inert`.
        certificate: why.
        permuted: pairs with permuted positions that were tried without effect.
        same_length: of a causal swap, whether sources of the length of the base show it.
        disagreement: the first pair on which program and weights differ, in words; empty
            if none. Then the rest means nothing.
    """

    state: EdgeState
    certificate: Witness | Quiet
    permuted: int
    same_length: Certificate | None
    disagreement: str

    def label(self, swap: Swap) -> EdgeLabel:
        """Return the label of the swap that was settled."""
        return EdgeLabel(
            edge=swap.name,
            state=self.state,
            variables=swap.carried,
            certificate=self.certificate,
            same_length=self.same_length,
            permuted=self.permuted,
        )


class InterchangeStates:
    """Settles what swaps of one model can do.

    Args:
        search: tries interchanges in the model.
    """

    def __init__(self, search: InterchangeSearch) -> None:
        self._domain = search.domain
        self._runs = search.runs
        self._search = search

    def settle(self, swaps: Sequence[Swap], *, same_length: bool = True) -> dict[str, Settled]:
        """Return what each swap can do, by name.

        Where program and weights differ on a swap, that is all that is said of any: the
        long searches are left out.

        Args:
            swaps: what to interchange, each by itself.
            same_length: whether causal swaps are tried with sources of the base's length too.
        """
        full, quiet = self._settle_full(swaps)
        if any(tally.disagreement for tally in full.values()):
            return {name: _differing(tally) for name, tally in full.items()}
        causal = [swap for swap in swaps if full[swap.name].changed]
        steady = [swap for swap in swaps if not full[swap.name].changed]
        permuted = {swap.name: Tally() for swap in steady}
        self._search.random_pairs(permuted, steady, FEW_ROUNDS, Family.POSITIONS)
        same = {swap.name: Tally() for swap in causal}
        kept = self._same_length(same, causal) if same_length else {}
        settled = {}
        for swap in swaps:
            name = swap.name
            found = [tallies.get(name, Tally()) for tallies in (full, permuted, same)]
            state, certificate = _state(found[0].witness, found[1].witness, quiet[name])
            settled[name] = Settled(
                state,
                certificate,
                found[1].tried if state is EdgeState.INERT else 0,
                kept.get(name),
                next((tally.disagreement for tally in found if tally.disagreement), ""),
            )
        return settled

    def _settle_full(self, swaps: Sequence[Swap]) -> tuple[dict[str, Tally], dict[str, Quiet]]:
        """Return what sources of the domain show of each swap, by name.

        Where program and weights differ on a swap, the long searches are left out.

        Returns:
            The tallies; and the certificate of each swap if it has no effect.
        """
        spread = spreads(self._runs, swaps)
        varying = [swap for swap in swaps if spread[swap.name] > ROUNDING_BOUND]
        tallies = {swap.name: Tally() for swap in swaps}
        self._search.random_pairs(tallies, varying, FEW_ROUNDS, Family.FULL)
        exhausted: dict[str, Exhausted] = {}
        if not any(tally.disagreement for tally in tallies.values()):
            still = [swap for swap in varying if tallies[swap.name].is_open]
            exhausted = self._search_on(tallies, still)
        constant = {swap.name for swap in swaps} - {swap.name for swap in varying}
        return tallies, {
            name: exhausted.get(name) or self._without_effect(None if name in constant else tally)
            for name, tally in tallies.items()
        }

    def _search_on(self, tallies: dict[str, Tally], swaps: list[Swap]) -> dict[str, Exhausted]:
        """Try all interchanges of swaps that had no effect, or many where all are too many.

        Returns:
            The certificates of the swaps of which all were tried.
        """
        n_inputs = len(self._domain.tokens)
        each = distinct_sources(self._runs, swaps)
        few = {
            swap: sources
            for swap in swaps
            if (sources := each[swap.name]) is not None
            and self._domain.exhaustive
            and n_inputs * len(sources) <= EXHAUSTIVE_LIMIT
        }
        for name, tally in self._search.every_base(few).items():
            tallies[name].add(tally)
        others = [swap for swap in swaps if swap not in few]
        self._search.random_pairs(tallies, others, MORE_ROUNDS, Family.FULL)
        for swap in others:
            if tallies[swap.name].is_open:
                found = self._search.distinct_contributions(swap, each[swap.name])
                tallies[swap.name].add(found)
        return {
            swap.name: Exhausted(n_bases=n_inputs, n_contributions=len(sources))
            for swap, sources in few.items()
        }

    def _same_length(self, tallies: dict[str, Tally], swaps: list[Swap]) -> dict[str, Certificate]:
        """Return whether sources as long as the base show what causal swaps do."""
        self._search.random_pairs(tallies, swaps, FEW_ROUNDS, Family.TOKENS)
        quiet = [swap for swap in swaps if not tallies[swap.name].changed]
        spread = spreads(self._runs, quiet, self._domain.length)
        varying = [swap for swap in quiet if spread[swap.name] > ROUNDING_BOUND]
        self._search.random_pairs(tallies, varying, MORE_ROUNDS, Family.TOKENS)
        constant = {swap.name for swap in quiet} - {swap.name for swap in varying}
        return {
            swap.name: tallies[swap.name].witness
            or self._without_effect(None if swap.name in constant else tallies[swap.name])
            for swap in swaps
        }

    def _without_effect(self, tally: Tally | None) -> Quiet:
        """Return the certificate of a swap of which not all was tried, or that is constant."""
        if tally is not None:
            return Searched(n_pairs=tally.tried)
        n_inputs, exhaustive = len(self._domain.tokens), self._domain.exhaustive
        return Constant(n_sources=n_inputs, bound=ROUNDING_BOUND, exhaustive=exhaustive)


def _differing(tally: Tally) -> Settled:
    return Settled(EdgeState.INERT, Searched(n_pairs=0), 0, None, tally.disagreement or "")


def _state(
    full: Witness | None, permuted: Witness | None, quiet: Quiet
) -> tuple[EdgeState, Witness | Quiet]:
    """Return the state that the strongest evidence shows."""
    if full is not None:
        return EdgeState.CAUSAL, full
    if permuted is not None:
        return EdgeState.POSITIONAL, permuted
    return EdgeState.INERT, quiet


def disagreements(settled: Mapping[str, Settled]) -> list[str]:
    """Return on which swaps program and weights differ, in words."""
    return [f"{name}: {one.disagreement}" for name, one in settled.items() if one.disagreement]
