"""Saved views: a study's or a sweep's runs, best first, with the columns that matter, by one click.

MLflow shows nested runs folded (unless they are sorted by something else than time) and no column
of numbers. Its 'share view' keeps what the runs page
shows in a tag of the experiment, under a key that goes into the page's address; the experiment's
description links to one view for each study and sweep.
"""

import json
from collections import defaultdict
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
    """What the runs page shows of the study or sweep that `entry` is the parent run of."""
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
    parents: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        found = parents[entry.dataset, entry.step]
        if entry.key in runs and "/" in entry.key:
            found.append(entry)
    for (dataset, step), own in parents.items():
        experiment = client.get_experiment_by_name(experiment_name(dataset, step))
        if experiment is None:
            continue
        lines = [DESCRIPTIONS[step].format(dataset=dataset), ""]
        wanted = {}
        for entry in own:
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
