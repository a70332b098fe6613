"""Names in MLflow: of runs and experiments, of parameters and metrics."""

from collections.abc import Iterable

from ann2snn.mechanisms.normalizations import NORMALIZATIONS
from ann2snn.records import Json, Record

# Where two steps have toggles of one name, the toggle that people sweep keeps the short name. Every
# toggle has one name in all experiments.
QUALIFIED = {
    ("data", "name"): "data",
    ("data", "seed"): "data.seed",
    ("data", "calibration"): "data.calibration",
    ("ann", "seed"): "ann.seed",
    ("ann", "pooling"): "ann.pooling",
    ("ann", "output"): "ann.output",
}
DESCRIPTIONS = {
    "ann": (
        "Analog networks trained on {dataset}: parameters are the recipe, curves are against"
        " epochs. `weights.safetensors` is among the artifacts."
    ),
    "conversion": (
        "Spiking networks made from the analog ones of {dataset}: one run per choice of"
        " toggles; `layers.csv` lists layers, scales and sizes. Where the store has the spec, the"
        " network is a logged model, registered under its name; git keeps records alone."
    ),
    "simulation": (
        "Spiking networks over images of {dataset}: `snn_accuracy` beside `ann_accuracy`"
        " in percent; `accuracy`, `spikes` and `synops` (both per image) are curves against time"
        " steps. Studies and sweeps are parents; the tags `studies` and `sweeps` name every one"
        " that a run belongs to."
    ),
}


def experiment_name(dataset: str, step: str) -> str:
    """The experiment of a step's runs on a data set: `MNIST simulation`."""
    return f"{dataset} {step}"


def folder_name(experiment: str) -> str:
    """The folder of an experiment's artifacts: `MNIST-simulation`."""
    return "".join(letter if letter.isalnum() else "-" for letter in experiment)


def parameters(record: Record) -> dict[str, str]:
    """The toggles of a record and of the steps before it, under short names."""
    named = {"network": record.description.get("network", "")}
    for step, settings in record.settings.items():
        for toggle, value in settings.items():
            named[QUALIFIED.get((step, toggle), toggle)] = spelled(value)
    return named


def spelled(value: object) -> str:
    """A toggle's value as people write it: 99.9, true."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def normalization_name(conversion: Json) -> str:
    """The normalization of a conversion in a word: `p99.9`, `max`, `none`, `channel p99.9`."""
    kind = str(conversion.get("normalization", ""))
    if kind in NORMALIZATIONS and "percentile" not in NORMALIZATIONS[kind].uses:
        return kind
    percentile = f"p{spelled(conversion.get('percentile', ''))}"
    return percentile if kind == "percentile" else f"{kind} {percentile}"


def run_name(record: Record, varying: Iterable[str]) -> str:
    """A run's name, with the values of the toggles that vary among its neighbours.

    Examples: `subtract · analog · p99.9 · MNIST`, `digits_cnn · ann.seed 1 · digits`.
    """
    conversion = record.settings.get("conversion")
    told = {"data", "network"}
    if conversion is None:
        words = [record.description.get("network", "")]
    else:
        words = [conversion["reset"], conversion["input"], normalization_name(conversion)]
        told |= {"reset", "input", "normalization", "percentile"}
    own = parameters(record)
    words += [f"{name} {own[name]}" for name in sorted(varying) if name in own and name not in told]
    return " · ".join([*words, record.description["dataset"]])


def varying_parameters(records: Iterable[Record]) -> list[str]:
    """Names of the parameters that do not have one value in all of `records`."""
    values: dict[str, set[str]] = {}
    for record in records:
        for name, value in parameters(record).items():
            values.setdefault(name, set()).add(value)
    return sorted(name for name, found in values.items() if len(found) > 1)


def metric_points(record: Record) -> list[tuple[str, float, int]]:
    """(name, value, step) of all that a record measured.

    Curves count time steps or epochs from 1. A single number stands at step 0, unless a curve of
    that name ends with it. Names of curves per layer get a dot for their slash, since MLflow shows
    slashes as sections above all else. Early exit is a curve against margins, not steps, so it
    stays in the record.
    """
    points = [
        (name.replace("/", "."), float(value), step)
        for name, curve in record.curves.items()
        if not name.startswith("early_exit_")
        for step, value in enumerate(curve, start=1)
    ]
    points += [
        (name, float(value), 0)
        for name, value in record.metrics.items()
        if value is not None and name not in record.curves
    ]
    return points
