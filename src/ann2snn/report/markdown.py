"""Cells and tables of the page, as Markdown."""

from collections.abc import Sequence

from ann2snn.report.results import Point, Results

WIDEST = 7  # columns: more do not fit a page


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    assert len(columns) <= WIDEST, columns
    lines = [" | ".join(cell.replace("|", "\\|") for cell in line) for line in (columns, *rows)]
    first, *others = [f"| {line} |" for line in lines]
    return "\n".join([first, "|" + "---|" * len(columns), *others])


def run_link(point: Point, artifacts: str) -> str:
    """The first digits of a point's run key, as a link to its record."""
    return linked(point, f"`{point.simulation.key[:10]}`", artifacts)


def linked(point: Point, words: str, artifacts: str) -> str:
    """`words` as a link to a point's record."""
    return f"[{words}]({artifacts}/{point.path.as_posix()})"


def ann_link(results: Results, point: Point, words: str, artifacts: str) -> str:
    """`words` as a link to the record of the point's trained network, where its weights lie."""
    path = results.trained.get(point.simulation.parents["ann"])
    return f"[{words}]({artifacts}/{path.as_posix()})" if path else words


def hundredths(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def interval(low: float, high: float) -> str:
    return f"{low:.2f} to {high:.2f}"


def step_or_never(step: int | None) -> str:
    return "never" if step is None else str(step)


def three_digits(value: float) -> str:
    """Operations with three significant digits: 20.4 M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.3g}"


def spread(values: Sequence[float]) -> str:
    """The mean of some trainings, with the smallest and the largest."""
    mean = f"{sum(values) / len(values):.2f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.2f} to {max(values):.2f})"
