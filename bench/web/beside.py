"""What an answer of the web process takes here and in another clone of the repository, in turns:
other work of the machine changes both, and not their ratio."""

from __future__ import annotations

from collections.abc import Sequence

from bench.fleet.report import Figure, ratio
from bench.web.rates import Rates


def measure(here: Rates, there: Rates, names: Sequence[str], *, turns: int) -> list[Figure]:
    """CPU of the web for an answer.

    Args:
        names: of `Rates.QUESTIONS`.
    """
    figures: list[Figure] = []
    for name in names:
        asked = [(rates, rates.question(name)) for rates in (here, there)]
        costs: tuple[list[float], list[float]] = ([], [])
        for turn in range(-1, turns):  # the first warms both
            pairs = list(zip(asked, costs, strict=True))
            # Neither has the machine always as the other has left it.
            for (rates, question), found in pairs if turn % 2 else reversed(pairs):
                cost = rates.cost(question)
                if turn >= 0:
                    found.append(cost)
        what = f"{asked[0][1].what}, CPU of the web"
        figures += [
            Figure(f"{what}, here", costs[0], _microseconds),
            Figure(f"{what}, there", costs[1], _microseconds),
            Figure(f"{what}, here / there", [a / b for a, b in zip(*costs, strict=True)], ratio),
        ]
    return figures


def _microseconds(value: float) -> str:
    return f"{value * 1e6:.0f} µs"
