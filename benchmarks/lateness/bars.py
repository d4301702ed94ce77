"""The bars: what the figures have to keep, so that they cannot rot unseen."""

from typing import NamedTuple

from . import outstanding, single
from .outstanding import AT_ONCE, COUNTS, DATED, PLAIN
from .policies import BACKOFF, PRICES, adaptive
from .results import ADAPTIVE, Results
from .single import SETTINGS
from .worlds import BEATING

_WARM, _COLD, _OF_BACKOFF = 1.10, 1.30, 0.5
_MOST = {
    AT_ONCE.name: (13.5, 6.6, 3.4, 1.8, 2.1),
    DATED.name: (10.0, 3.2, 1.5, 0.8, 1.2),
    PLAIN.name: (12.5, 4.1, 1.6, 0.8, 1.2),
}
"""The most that 1, 5, 20, 100 and 1,000 tasks outstanding may cost each."""


class Bar(NamedTuple):
    """One figure, and the most it may be."""

    what: str
    measured: float
    most: float

    @property
    def kept(self) -> bool:
        """It is no more than that."""
        return self.measured <= self.most

    def __str__(self) -> str:
        return f"{self.what}: {self.measured:.3g}, at most {self.most:.3g}"


def bars(results: Results) -> list[Bar]:
    """All of them."""
    return [*_single(results.single), *_outstanding(results.outstanding)]


def _single(rows: list[single.Row]) -> list[Bar]:
    """Those of the worlds that stay as they are and have no beat."""
    found = []
    for setting in SETTINGS:
        if setting.later is None and setting.world is not BEATING:
            known = {(row.policy, row.tasks): row for row in rows if row.world == setting.name}
            for price in PRICES:
                found += _at(setting.name, price, known)
    return found


def _at(world: str, price: float, rows: dict[tuple[str, str], single.Row]) -> list[Bar]:
    key, name = f"{price:g}", adaptive(price).name
    warm, cold = rows[name, "warm"], rows[name, "cold"]
    fixed = min(row.costs[key] for (policy, _), row in rows.items() if "Fixed" in policy)
    backoff = rows[BACKOFF.name, "all"].costs[key]
    found = [
        Bar(f"{world}, {name}: warm, times the optimum", warm.over[key], _WARM),
        Bar(f"{world}, {name}: cold, times the optimum", cold.over[key], _COLD),
    ]
    if "σ" in world:
        found.append(Bar(f"{world}, {name}: times the best fixed interval", warm.costs[key] / fixed, 1.0))
    if "σ 0.2" in world or "σ 0.35" in world:
        found.append(Bar(f"{world}, {name}: times {BACKOFF.name}", warm.costs[key] / backoff, _OF_BACKOFF))
    return found


def _outstanding(rows: list[outstanding.Row]) -> list[Bar]:
    costs = {(row.place, row.outstanding): row.cost for row in rows if row.policy == ADAPTIVE}
    return [
        Bar(f"{place}, {count:,} outstanding: cost", costs[place, count], most)
        for place, limits in _MOST.items()
        for count, most in zip(COUNTS, limits, strict=True)
    ]
