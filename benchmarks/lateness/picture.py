"""The picture: requests against lateness, one curve for each policy."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from .results import Point

_STYLES = {
    "optimum": ("black", "--", ""),
    "Adaptive": ("C0", "-", "o"),
    "Fixed": ("C1", "-", "s"),
    "Backoff": ("C2", "-", "^"),
}
_NAMES = {
    "optimum": "the optimum, true distribution known",
    "Adaptive": "Adaptive, price 0.03 to 30",
    "Fixed": "Fixed, every 0.5 to 60 s",
    "Backoff": "Backoff, 1 s x 1.5 up to 2 to 90 s",
}


def pyplot() -> Any:
    """matplotlib, which only this needs."""
    try:
        matplotlib = import_module("matplotlib")
    except ImportError:
        sys.exit("the picture needs matplotlib: pip install 'suno-async[bench]'")
    matplotlib.use("svg")
    # the same figures give the same file
    matplotlib.rcParams["svg.hashsalt"] = "lateness"
    return import_module("matplotlib.pyplot")


def draw(points: list[Point], path: Path) -> None:
    """Writes it, as SVG."""
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(8, 5.5))
    for name, (colour, line, marker) in _STYLES.items():
        curve = [point for point in points if point.policy == name]
        x, y = [point.requests for point in curve], [point.late for point in curve]
        axes.plot(x, y, color=colour, linestyle=line, marker=marker, markersize=4, label=_NAMES[name])
    for point in points:
        if point.policy not in _STYLES:
            axes.plot([point.requests], [point.late], "x", color="C3")
            axes.annotate(point.policy, (point.requests, point.late), (5, 5), textcoords="offset points", fontsize=8)
    axes.set(xscale="log", yscale="log", xlabel="requests for each task", ylabel="mean lateness in seconds")
    axes.set_title("Songs of 100 s, of which 10 % fail early, one at a time", fontsize=10)
    axes.margins(x=0.15)
    axes.grid(which="both", alpha=0.2)
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, format="svg", metadata={"Date": None})
