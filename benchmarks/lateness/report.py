"""The report: the tables, as Markdown."""

from collections.abc import Iterable, Sequence

from . import outstanding, single
from .bars import Bar
from .outstanding import PRICE
from .policies import BACKOFF, PEERS, PRICES, adaptive
from .results import Results
from .single import AT_THE_END, COLD, SETTINGS, WARM

_KEYS = [f"{price:g}" for price in PRICES]
_INTRODUCTION = """\
# Requests against lateness

What waiting costs: requests for each task, and how much later than it could be seen an end is seen, in seconds. The
cost is price x requests + mean lateness, where the price of a request is so many seconds. Written by
`{command}`: virtual time, {seeds} seeds. What each world and each policy is: `benchmarks/lateness/`.

"""
_SINGLE = f"""\
## One task at a time

Each cost is given with its multiple of the optimum that dynamic programming finds for the true distribution. Our
default learns: cold are its first {len(COLD)} tasks, warm are {len(WARM)} tasks after {WARM.start}; the last third of
those is {len(AT_THE_END)} tasks. Songs take 100 s (median, log-normal), lyrics 12 s. Those that fail early take 3 to
20 s. Behind a beat, the optimum is that of who does not know when the rounds are.

"""
_OUTSTANDING = f"""\
## Many tasks outstanding

The engine itself over a gateway in memory, 100 ids in a request, songs of which 10 % fail early; each is followed by
the next one as soon as its end is seen. Cost: requests + mean lateness (price {PRICE:g}). A beat: rounds of 15 s of
sleep, up to 1 s of work and 1.4 ms a row, rows in the order of their insertion; lateness counts from when the row shows
the end.

"""


def report(results: Results, found: Sequence[Bar], command: str) -> str:
    """All tables."""
    parts = [_INTRODUCTION.format(command=command, seeds=results.seeds), "## In short\n\n", _short(results.single)]
    parts += ["\n", _grid(results.outstanding), "\n", _SINGLE]
    for setting in SETTINGS:
        parts += [f"### {setting.name}\n\n", _world([row for row in results.single if row.world == setting.name]), "\n"]
    parts += [_OUTSTANDING, _many(results.outstanding), "\n## Bars\n\n", _kept(found)]
    return "".join(parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _short(rows: list[single.Row]) -> str:
    """At a price of 1: what each costs in each world, as a multiple of the optimum."""
    ours, key, table = adaptive(PRICE).name, f"{PRICE:g}", []
    names = {peer.name for peer in PEERS}
    for setting in SETTINGS:
        here = [row for row in rows if row.world == setting.name]
        by_policy = {row.policy: row for row in here}
        peer = min((row for row in here if row.policy in names), key=lambda row: row.costs[key])
        table.append(
            [
                setting.name,
                f"{by_policy[f'the optimum for {key}'].costs[key]:.1f}",
                *(f"{row.over[key]:.2f} ({row.tasks})" for row in here if row.policy == ours),
                f"{min(row.over[key] for row in here if 'Fixed' in row.policy):.2f}",
                f"{by_policy[BACKOFF.name].over[key]:.2f}",
                f"{peer.over[key]:.2f} ({peer.policy})",
            ]
        )
    head = ["price 1", "optimum", ours, ours, "best fixed interval", BACKOFF.name, "cheapest of the other libraries"]
    return _table(head, table)


def _grid(rows: list[outstanding.Row]) -> str:
    """The cost by how many are outstanding."""
    counts = list(dict.fromkeys(row.outstanding for row in rows))
    lines: dict[tuple[str, str], dict[int, float]] = {}
    for row in rows:
        lines.setdefault((row.place, row.policy), {})[row.outstanding] = row.cost
    table = []
    for (place, policy), costs in lines.items():
        cells = [f"{costs[count]:.2f}" if count in costs else "-" for count in counts]
        table.append([place, policy, *cells])
    return _table(["cost, outstanding:", "", *(f"{count:,}" for count in counts)], table)


def _world(rows: list[single.Row]) -> str:
    head = ["policy", "tasks", "requests", "late, mean", "95 %", *(f"price {key}" for key in _KEYS)]
    return _table(head, (_line(row) for row in rows))


def _line(row: single.Row) -> list[str]:
    costs = [f"{row.costs[key]:.2f} ({row.over[key]:.2f})" for key in _KEYS]
    own = row.policy.removeprefix("Adaptive(price=").rstrip(")")
    if own in _KEYS:
        costs[_KEYS.index(own)] = f"**{costs[_KEYS.index(own)]}**"
    return [row.policy, row.tasks, f"{row.requests:.2f}", f"{row.late:.2f}", f"{row.late95:.2f}", *costs]


def _many(rows: list[outstanding.Row]) -> str:
    head = ["place", "policy", "outstanding", "seeds", "requests", "late, mean", "95 %", "cost"]
    return _table(
        head,
        (
            [
                row.place,
                row.policy,
                f"{row.outstanding:,}",
                f"{row.seeds}",
                *(f"{figure:.2f}" for figure in (row.requests, row.late, row.late95, row.cost)),
            ]
            for row in rows
        ),
    )


def _kept(found: Sequence[Bar]) -> str:
    return _table(
        ["what", "measured", "at most", "kept"],
        ([bar.what, f"{bar.measured:.3f}", f"{bar.most:g}", "yes" if bar.kept else "**no**"] for bar in found),
    )
