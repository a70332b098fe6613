"""Cells and tables of the page, as Markdown."""

from collections.abc import Iterator, Sequence

from ann2snn.report.results import Point, Results


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The lines of a table."""
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def run_link(point: Point, artifacts: str) -> str:
    """The first digits of a point's run key, as a link to its record."""
    return f"[`{point.simulation.key[:10]}`]({artifacts}/{point.path.as_posix()})"


def ann_link(results: Results, point: Point, words: str, artifacts: str) -> str:
    """`words` as a link to the record of the point's trained network, where its weights lie."""
    path = results.trained.get(point.simulation.parents["ann"])
    return f"[{words}]({artifacts}/{path.as_posix()})" if path else words


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
