"""Saved views: one click shows the runs of a study or a sweep, best first, with useful columns.

MLflow shows nested runs folded (unless they are sorted by something else than time) and no column
of numbers. Its 'share view' keeps the state of the runs page in a tag of the experiment, under a
key that goes into the page's address. The experiment's description links to one view per study
and sweep.
"""

import json
from typing import Any

from ann2snn.tracking.entry import Entry
from ann2snn.tracking.links import CHARTS, FRONT, front_page, page_of, view_key, view_page
from ann2snn.tracking.naming import CURVES, DESCRIPTIONS, HEADLINES, experiment_name, membership

SHARED = "mlflow.sharedViewState."
TOGGLES = {
    "ann": ("network", "ann.pooling", "ann.output", "bias", "epochs"),
    "conversion": ("input", "reset", "normalization", "percentile", "pooling"),
    "simulation": ("input", "reset", "normalization", "percentile", "pooling"),
}


def view_state(entry: Entry) -> str:
    """The state of the runs page for the study or sweep that `entry` is the parent run of: its
    points, best first."""
    kind = "studies" if entry.key.startswith("study/") else "sweeps"
    name = entry.key.rpartition("/")[2]
    return _state(entry.step, f"tags.{kind} LIKE '%{membership(name)}%'", "")


def front_state(step: str) -> str:
    """The state of the runs page that shows all: parents, and runs that have none, in order."""
    return _state(step, "", "attributes.start_time")


def _state(step: str, wanted: str, order: str) -> str:
    columns = [f"metrics.`{metric}`" for metric in HEADLINES[step]]
    columns += [f"params.`{toggle}`" for toggle in TOGGLES[step]]
    return json.dumps(
        {
            "searchFilter": wanted,
            "orderByKey": order or columns[0],
            "orderByAsc": False,
            "startTime": "ALL",
            "lifecycleFilter": "Active",
            "datasetsFilter": [],
            "modelVersionFilter": "All Runs",
            "selectedColumns": columns,
            "columnOrder": columns,
            "runsHiddenMode": "SHOWALL",
            "compareRunSections": [
                {"uuid": "shown", "name": "Main", "display": True, "isReordered": True},
            ],
            "compareRunCharts": charts(step),
        }
    )


def charts(step: str) -> list[dict[str, Any]]:
    """The charts of a view: bars of the headline metrics, then curves."""
    shared = {"metricSectionId": "shown", "deleted": False, "isGenerated": False}
    bars = [
        {"type": "BAR", "uuid": metric, "metricKey": metric, "runsCountToCompare": 100, **shared}
        for metric in HEADLINES[step]
    ]
    lines = [
        {
            "type": "LINE", "uuid": metric, "metricKey": metric, "selectedMetricKeys": [metric],
            "xAxisKey": "step", "scaleType": "linear", "lineSmoothness": 0,
            "runsCountToCompare": 100, "useGlobalXaxisKey": True, **shared,
        }
        for metric in CURVES[step]
    ]  # fmt: skip
    return bars[:1] + lines + bars[1:]


def send_views(client: Any, entries: list[Entry], runs: dict[str, Any]) -> None:
    """Sets the views and descriptions of all experiments that have runs."""
    for dataset, step in dict.fromkeys((entry.dataset, entry.step) for entry in entries):
        experiment = client.get_experiment_by_name(experiment_name(dataset, step))
        if experiment is None:
            continue
        front = front_page(experiment.experiment_id)
        lines = [f"[Charts]({front}) of all. {DESCRIPTIONS[step].format(dataset=dataset)}", ""]
        wanted = {SHARED + FRONT: front_state(step)}
        for entry in entries:
            here = (entry.dataset, entry.step) == (dataset, step)
            if not here or entry.key not in runs or entry.is_result:
                continue  # another experiment's, or no parent of a study or a sweep
            wanted[SHARED + view_key(entry)] = view_state(entry)
            page = view_page(entry, experiment.experiment_id)
            lines.append(
                f"- [{entry.name}]({page_of(runs[entry.key])}): [table]({page}),"
                f" [charts]({page}&{CHARTS})"
            )
        wanted["mlflow.note.content"] = "\n".join(lines).strip()
        for name, value in wanted.items():
            if experiment.tags.get(name) != value:
                _set_tag(client, experiment.experiment_id, name, value)


def _set_tag(client: Any, experiment: str, name: str, value: str) -> None:
    """Sets a tag of an experiment. Of two clients that make it at once a database refuses one
    (UniqueViolation), whose second call finds it there and writes over it."""
    from mlflow.exceptions import MlflowException

    try:
        client.set_experiment_tag(experiment, name, value)
    except MlflowException:
        client.set_experiment_tag(experiment, name, value)
