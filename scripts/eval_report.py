"""Draws the figures of `make eval`: a page with pictures, the tables and every error."""

import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot
from matplotlib.patches import Rectangle

if TYPE_CHECKING:
    from evaluate import Figures
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GOOD, POOR, INK, FAINT = "#00796b", "#c0392b", "#22262b", "#e4e8ec"


def write(figures: "Figures", tables: str, path: Path) -> None:
    """Writes the page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    errors = "".join(f"<tr><td>{html.escape(kind)}<td>{html.escape(text)}" for kind, text in sorted(figures.errors))
    path.write_text(
        "<!doctype html><html lang=en><meta charset=utf-8><title>How well messages are understood</title>"
        "<style>body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2em auto;padding:0 1em;color:#22262b}"
        "td{border-top:1px solid #dde2e7;padding:.3em .6em;vertical-align:top}pre{overflow:auto;font-size:13px}"
        "svg{max-width:100%}</style>"
        f"<h1>How well messages are understood</h1>{_flags(figures)}{_matrices(figures)}"
        f"<pre>{html.escape(tables)}</pre>"
        f"<h2>{len(figures.errors)} errors</h2><table>{errors}</table></html>\n",
        encoding="utf-8",
    )


def _flags(figures: "Figures") -> str:
    """For each red flag, how many are set, asked about, and missed."""
    rows = [
        (flag, figures.flags[flag].hits, score.hits, score.hits + score.misses)
        for flag, score in figures.dealt_with.items()
    ]
    rows = sorted((row for row in rows if row[3]), key=lambda row: row[2] / row[3])
    drawing, axes = pyplot.subplots(figsize=(9, 0.3 * len(rows) + 1.2))
    for place, (flag, were_set, dealt_with, wanted) in enumerate(rows):
        axes.barh(place, 1, color=POOR)
        axes.barh(place, dealt_with / wanted, color="#8fc7bf")
        axes.barh(place, min(were_set, dealt_with) / wanted, color=GOOD)
        axes.text(-0.01, place, flag, ha="right", va="center", color=INK)
        axes.text(1.01, place, f"{dealt_with} of {wanted}", va="center", color=INK)
    axes.set_title("Red flags: set (dark), asked about (light), missed (red)", loc="left", color=INK)
    axes.axis("off")
    return _svg(drawing)


def _matrices(figures: "Figures") -> str:
    """The level that was reached against the right one, at once and after the questions."""
    from backtalk.knowledge import load_knowledge

    levels = list(load_knowledge().urgency)
    drawing, both = pyplot.subplots(1, 2, figsize=(9, 3.4))
    titles = ("Level reached at once", "Level when the question asked is answered")
    for axes, title, matrix in zip(both, titles, (figures.matrix, figures.matrix_when_asked), strict=True):
        _matrix(axes, title, matrix, levels)
    drawing.tight_layout()
    return _svg(drawing)


def _matrix(axes: "Axes", title: str, matrix: Mapping[tuple[str, str], int], levels: Sequence[str]) -> None:
    for row, wanted in enumerate(levels):
        whole = sum(matrix[wanted, level] for level in levels) or 1
        for column, level in enumerate(levels):
            number = matrix[wanted, level]
            colour = GOOD if row == column else POOR if column > row else "#d99a2b"
            axes.add_patch(Rectangle((column, -row - 1), 1, 1, color=FAINT))
            axes.add_patch(Rectangle((column, -row - 1), 1, 1, color=colour, alpha=min(1.0, number / whole)))
            axes.text(column + 0.5, -row - 0.5, str(number), ha="center", va="center", color=INK)
        axes.text(-0.08, -row - 0.5, wanted, ha="right", va="center", color=INK)
        axes.text(row + 0.5, 0.08, wanted, ha="center", color=INK, fontsize=8)
    axes.set_xlim(-1, len(levels))
    axes.set_ylim(-len(levels), 0.6)
    axes.set_title(title, loc="left", color=INK, fontsize=11)
    axes.axis("off")


def _svg(drawing: "Figure") -> str:
    stream = io.StringIO()
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "backtalk"})
    drawing.savefig(stream, format="svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(drawing)
    return stream.getvalue()[stream.getvalue().index("<svg") :]
