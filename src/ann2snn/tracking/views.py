"""Saved views: one click shows the runs of a study or a sweep, best first, with useful columns.

MLflow shows nested runs folded (unless they are sorted by something else than time) and no column
of numbers. Its 'share view' keeps the state of the runs page in a tag of the experiment, under a
key that goes into the page's address. The experiment's description links to one view per study
and sweep.
"""

import json
from typing import Any

from ann2snn.tracking.naming import DESCRIPTIONS, experiment_name
from ann2snn.tracking.runs import Entry

SHARED = "mlflow.sharedViewState."
CLASSIC = "workflowType=machine_learning"  # else MLflow opens its pages for language models
HEADLINES = {
    "ann": ("test_accuracy", "parameters"),
    "conversion": ("neurons", "macs_per_image"),
    "simulation": ("snn_accuracy", "ann_accuracy", "steps_to_99", "spikes_per_neuron"),
}
CURVES = {
    "ann": ("train_loss", "train_accuracy"),
    "conversion": (),
    "simulation": ("accuracy", "spikes", "synops"),
}
TOGGLES = {
    "ann": ("network", "ann.pooling", "ann.output", "bias", "epochs"),
    "conversion": ("input", "reset", "normalization", "percentile", "pooling"),
    "simulation": ("input", "reset", "normalization", "percentile", "pooling"),
}


def view_state(entry: Entry) -> str:
    """The state of the runs page for the study or sweep that `entry` is the parent run of."""
    kind = "studies" if entry.key.startswith("study/") else "sweeps"
    name = entry.key.rpartition("/")[2]
    columns = [f"metrics.`{metric}`" for metric in HEADLINES[entry.step]]
    columns += [f"params.`{toggle}`" for toggle in TOGGLES[entry.step]]
    return json.dumps(
        {
            "searchFilter": f"tags.{kind} LIKE '%{name}%'",
            "orderByKey": columns[0],
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
            "compareRunCharts": charts(entry.step),
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


def view_key(entry: Entry) -> str:
    """The view's name in the page's address: `study-digits-ablation`."""
    kind, _, name = entry.key.split("/", 2)
    return f"{kind}-{name}"


def send_views(client: Any, entries: list[Entry], runs: dict[str, Any]) -> None:
    """Sets the views and descriptions of all experiments that have runs."""
    for dataset, step in dict.fromkeys((entry.dataset, entry.step) for entry in entries):
        experiment = client.get_experiment_by_name(experiment_name(dataset, step))
        if experiment is None:
            continue
        lines = [DESCRIPTIONS[step].format(dataset=dataset), ""]
        wanted = {}
        for entry in entries:
            here = (entry.dataset, entry.step) == (dataset, step)
            if not here or entry.key not in runs or entry.is_result:
                continue  # another experiment's, or no parent of a study or a sweep
            info = runs[entry.key].info
            wanted[SHARED + view_key(entry)] = view_state(entry)
            page = f"#/experiments/{experiment.experiment_id}/runs"
            address = f"{page}?{CLASSIC}&viewStateShareKey={view_key(entry)}"
            lines.append(
                f"- {entry.name}: [table]({address}), [charts]({address}&compareRunsMode=CHART),"
                f" [files]({page}/{info.run_id}/artifacts)"
            )
        wanted["mlflow.note.content"] = "\n".join(lines).strip()
        for name, value in wanted.items():
            if experiment.tags.get(name) != value:
                client.set_experiment_tag(experiment.experiment_id, name, value)
