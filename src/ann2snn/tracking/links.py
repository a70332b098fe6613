"""What leads from a run to others: parents, points, inputs and saved views."""

from collections.abc import Mapping
from typing import Any

from ann2snn.tracking.entry import Entry, Point
from ann2snn.tracking.naming import HEADLINES, shown_number

CLASSIC = "workflowType=machine_learning"  # else MLflow opens its pages for language models
CHARTS = "compareRunsMode=CHART"
FRONT = "front"  # the key of the view that an experiment is best opened on
LONGEST = 5000  # of a tag's value, in characters
GAP = "&emsp;"  # MLflow sets the columns of a table without any
Runs = Mapping[str, Any]  # by run key


def links_of(entry: Entry, runs: Runs, by_key: Mapping[str, Entry]) -> dict[str, str]:
    """Tags and a description that lead to the parent, the inputs and the points of a run, as far as
    these have runs."""
    tags: dict[str, str] = {}
    if entry.parent in runs:
        tags["mlflow.parentRunId"] = runs[entry.parent].info.run_id
    for step, key in entry.links.items():
        if key in runs:
            tags[f"{step}_run"] = runs[key].info.run_id
    told = _points(entry, runs) if entry.points else _origin(entry, runs, by_key)
    if told:
        tags["mlflow.note.content"] = told
    return tags


def page_of(run: Any) -> str:
    return f"#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"


def view_key(entry: Entry) -> str:
    """The name of a study's or sweep's view in the page's address: `study-digits-ablation`."""
    kind, _, name = entry.key.split("/", 2)
    return f"{kind}-{name}"


def front_page(experiment: str) -> str:
    """The page that an experiment is best opened on: charts of its studies and runs."""
    return f"#/experiments/{experiment}/runs?{CLASSIC}&viewStateShareKey={FRONT}&{CHARTS}"


def view_page(entry: Entry, experiment: str) -> str:
    """The page that shows all points of a study or a sweep as a table."""
    return f"#/experiments/{experiment}/runs?{CLASSIC}&viewStateShareKey={view_key(entry)}"


def _origin(entry: Entry, runs: Runs, by_key: Mapping[str, Entry]) -> str:
    """What a result is in its first study, all studies that it belongs to, and its inputs."""
    lines = [
        f"- made from the {step} run [{by_key[key].name}]({page_of(runs[key])})"
        for step, key in entry.links.items()
        if key in runs
    ]
    lines += [
        f"- a point of [{by_key[key].name}]({page_of(runs[key])})"
        for key in entry.groups
        if key in runs
    ]
    return "\n".join([entry.tags.get("label", ""), "", *lines]).strip() if lines else ""


def _points(entry: Entry, runs: Runs) -> str:
    """The description of a study or a sweep: its best point, and all points with their values; as
    many as MLflow takes."""
    lines = [entry.tags.get("mlflow.note.content", ""), ""]
    best = next((point for point in entry.points if point.best), None)
    if best is not None:
        lines += [f"Best: {_linked(best, runs)}", ""]
    if entry.key in runs:
        page = view_page(entry, runs[entry.key].info.experiment_id)
        lines += [f"All points: [table]({page}), [charts]({page}&{CHARTS})", ""]
    names = HEADLINES[entry.step]
    head = "".join(f" |{GAP}{name}" for name in names)
    lines += [f"| point{head} |", "|---" * (len(names) + 1) + "|"]
    left, rows = LONGEST - sum(len(line) + 1 for line in lines) - 80, list[str]()
    for point in entry.points:
        values = [f" |{GAP}{shown_number(point.values.get(name))}" for name in names]
        row = f"| {_linked(point, runs)}{''.join(values)} |"
        left -= len(row) + 1
        if left < 0:
            break
        rows.append(row)
    missing = len(entry.points) - len(rows)
    more = ["", f"{missing} more points: see the table."] if missing else []
    return "\n".join([*lines, *rows, *more]).strip()


def _linked(point: Point, runs: Runs) -> str:
    label = point.label.replace("|", "/")
    return f"[{label}]({page_of(runs[point.key])})" if point.key in runs else label
