"""Draws docs/benchmark.json as docs/benchmark.svg: `python scripts/picture.py`."""

import json
from collections.abc import Callable, Mapping

import matplotlib
from console import ROOT, Failure, main, say

matplotlib.use("svg")
from matplotlib import pyplot

RESULTS = ROOT / "docs" / "benchmark.json"
PICTURE = RESULTS.with_suffix(".svg")
DEFAULT, OURS, INK, FAINT = "#b9bec7", "#00796b", "#22262b", "#6b727c"
BAR = 0.36
Figures = Mapping[str, float]


def _let_in(figures: Figures) -> float:
    return 1 - figures.get("out_of_scope_file", figures["out_of_scope_held_out"])


# Title, what of a bot's figures is drawn, how it is written. Less is better in every row.
ROWS: tuple[tuple[str, Callable[[Figures], float], str], ...] = (
    ("wrong answers, held-out messages", lambda f: 1 - f["answers"], "{:.1%}"),
    ("out of scope let in, 95 % of ours kept", _let_in, "{:.1%}"),
    ("reply, p95", lambda f: f["p95"], "{:.0f} ms"),
    ("start until it answers", lambda f: f["ready"], "{:.0f} s"),
    ("resident memory", lambda f: f["memory"], "{:.0f} MB"),
    ("training", lambda f: f["training"], "{:.0f} s"),
)


def draw(results: Mapping[str, Figures]) -> None:
    """Draws one row for each measure, the longer bar of a row as long as the picture is wide."""
    matplotlib.rcParams.update(
        {"svg.fonttype": "none", "svg.hashsalt": "backtalk", "font.family": "sans-serif", "font.size": 11}
    )
    figure, axes = pyplot.subplots(figsize=(8.4, 0.72 * len(ROWS) + 0.5))
    for place, (title, value, form) in enumerate(ROWS):
        default, ours = value(results["default"]), value(results["ours"])
        longest = max(default, ours) or 1
        for number, colour, offset, weight in ((default, DEFAULT, -BAR / 2, "normal"), (ours, OURS, BAR / 2, "bold")):
            length, line = number / longest, place + offset
            axes.barh(line, length, height=BAR * 0.92, color=colour)
            axes.text(length + 0.012, line, form.format(number), va="center", color=INK, weight=weight)
        axes.text(-0.015, place, title, ha="right", va="center", color=INK)
    axes.text(0, -0.72, "Rasa's default configuration", color=FAINT)
    axes.text(0.42, -0.72, "Backtalk", color=OURS, weight="bold")
    axes.text(0.56, -0.72, "(shorter is better)", color=FAINT)
    axes.set_xlim(0, 1.18)
    axes.set_ylim(len(ROWS) - 0.45, -1)
    axes.axis("off")
    figure.savefig(PICTURE, bbox_inches="tight", metadata={"Date": None}, facecolor="white")


def work() -> None:
    """Draws. Raises Failure."""
    if not RESULTS.is_file():
        raise Failure(f"{RESULTS.relative_to(ROOT)} is not there: run `make bench` first.")
    draw(json.loads(RESULTS.read_text(encoding="utf-8")))
    say(f"Drawn in {PICTURE.relative_to(ROOT)}")


if __name__ == "__main__":
    main(work)
