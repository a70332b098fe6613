"""Parents: one run for each study and sweep, which shows its best point and lists all."""

import csv
import io
import math

from ann2snn.records import Json, Record
from ann2snn.tracking.entry import Entry, Point
from ann2snn.tracking.naming import (
    CURVES,
    HEADLINES,
    metric_points,
    parameters,
    varying_parameters,
)
from ann2snn.tracking.studies_and_sweeps import Group


def parent_entry(group: Group, records: list[Record], seconds: float, colour: str) -> Entry:
    """The run of a study or a sweep over the results that are there, which took so many seconds."""
    dataset, named = records[0].description["dataset"], group.best
    if named is None:
        best = best_of(records)
    else:
        best = next((record for record in records if record.key in named), None)
    return Entry(
        key=group.key,
        step=group.step,
        dataset=dataset,
        name=group.title,
        parameters={},
        metrics=_metrics(records, best),
        tags={
            "run_key": group.key,
            "step": group.step,
            "dataset": dataset,
            group.kind: group.name,
            "mlflow.note.content": group.description,
            "mlflow.runColor": colour,
            **({"best_point": group.label(best.key)} if best else {}),
        },
        files={"points.csv": table(_rows(group, records)), **group.files},
        seconds=seconds,
        points=tuple(
            Point(record.key, group.label(record.key), record.metrics, record is best)
            for record in records
        ),
    )


def best_of(records: list[Record]) -> Record | None:
    """The point with the highest accuracy, of equals the one that is there in the fewest steps, of
    equals the first; a conversion has none."""
    headline = HEADLINES[records[0].step][0]
    if not headline.endswith("accuracy"):
        return None

    def rank(record: Record) -> tuple[float, float]:
        accuracy, steps = record.metrics.get(headline), record.metrics.get("steps_to_99")
        return (
            -math.inf if accuracy is None else accuracy,
            -math.inf if steps is None else -steps,
        )

    return max(records, key=rank)


def _metrics(records: list[Record], best: Record | None) -> list[tuple[str, float, int]]:
    """Headline numbers and curves of the best point; where none is best, those that all share."""
    step = records[0].step
    wanted = {*HEADLINES[step], *CURVES[step]}
    own = [point for point in metric_points(best or records[0]) if point[0] in wanted]
    if best is None:
        shared = set(own).intersection(*(metric_points(record) for record in records))
        own = [point for point in own if point in shared]
    return [*own, ("points", float(len(records)), 0)]


def _rows(group: Group, records: list[Record]) -> list[Json]:
    varying = varying_parameters(records)
    return [
        {
            "point": group.label(record.key),
            **{name: parameters(record).get(name, "") for name in varying},
            **record.metrics,
            "run_key": record.key,
        }
        for record in records
    ]


def table(rows: list[Json]) -> bytes:
    """Rows as CSV; the columns are those of all rows, in order of appearance."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
