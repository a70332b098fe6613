"""Names in MLflow: of runs and experiments, of parameters and metrics."""

from collections.abc import Iterable, Sequence

from ann2snn.mechanisms.normalizations import NORMALIZATIONS
from ann2snn.mechanisms.outputs import OUTPUTS
from ann2snn.records import Json, Record

WHOLE = 1000  # numbers from here on are shown without their fraction
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


def membership(name: str) -> str:
    """A study or a sweep as it stands in the tags of its runs. No name has brackets, so that a name
    within another's is not found in its place."""
    return f"({name})"


def experiment_name(dataset: str, step: str) -> str:
    """The experiment of a step's runs on a data set: `MNIST simulation`."""
    return f"{dataset} {step}"


def folder_name(experiment: str) -> str:
    """The folder of an experiment's artifacts: `MNIST-simulation`."""
    return "".join(letter if letter.isalnum() else "-" for letter in experiment)


def parameters(record: Record) -> dict[str, str]:
    """The toggles of a record and of the steps before it that matter there, under short names."""
    named = {"network": record.description.get("network", "")}
    for step, settings in record.settings.items():
        for toggle, value in settings.items():
            if step != "conversion" or _matters(toggle, settings):
                named[QUALIFIED.get((step, toggle), toggle)] = spelled(value)
    return named


def _matters(toggle: str, conversion: Json) -> bool:
    """Whether a toggle of a conversion does anything beside the others."""
    kind, output = conversion.get("normalization"), conversion.get("output")
    if toggle in ("percentile", "population") and kind in NORMALIZATIONS:
        return toggle in NORMALIZATIONS[str(kind)].uses
    if toggle == "output_from" and output in OUTPUTS:
        return OUTPUTS[str(output)].from_step
    return toggle != "for_steps" or bool(conversion[toggle])


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


def shown_number(value: object) -> str:
    """A number as a table shows it: 99.44, 1,234,567; a dash for none."""
    if not isinstance(value, int | float):
        return "–"
    return f"{value:,.0f}" if abs(value) >= WHOLE else f"{value:.4g}"


def run_name(record: Record, varying: Sequence[str]) -> str:
    """A run's name: first the values of the toggles that vary among its neighbours, in the order of
    `varying`, then those that all runs of its kind tell.

    Examples: `p99.9 · subtract · analog · MNIST`, `ann.seed 1 · digits_cnn · digits`.
    """
    own, conversion = parameters(record), record.settings.get("conversion")
    if conversion is None:
        words = [({"network"}, record.description.get("network", ""))]
    else:
        words = [
            ({"reset"}, conversion["reset"]),
            ({"input"}, conversion["input"]),
            ({"normalization", "percentile"}, normalization_name(conversion)),
        ]
    told = {"data", "network"}.union(*(names for names, _ in words))
    words += [
        ({name}, f"{name} {own[name]}") for name in varying if name in own and name not in told
    ]
    places = {name: place for place, name in enumerate(varying)}
    words.sort(key=lambda word: min(places.get(name, len(places)) for name in word[0]))
    return " · ".join([*(word for _, word in words), record.description["dataset"]])


def varying_parameters(records: Iterable[Record]) -> list[str]:
    """Names of the parameters that do not have one value in all of `records`, those with the most
    values first."""
    values: dict[str, set[str]] = {}
    for record in records:
        for name, value in parameters(record).items():
            values.setdefault(name, set()).add(value)
    varying = [name for name, found in values.items() if len(found) > 1]
    return sorted(varying, key=lambda name: (-len(values[name]), name))


def charted_steps(steps: int) -> list[int]:
    """The steps of a curve that a chart needs: each up to 31, then every second up to 63, every
    fourth up to 127 and so on, and the last; 83 of 300."""
    return [
        step
        for step in range(1, steps + 1)
        if step == steps or step % (1 << max(0, step.bit_length() - 5)) == 0
    ]


def metric_points(record: Record) -> list[tuple[str, float, int]]:
    """(name, value, step) of all that a record measured.

    Curves count time steps or epochs from 1. Those of simulations are thinned, since MLflow keeps
    each point as a row of its database; the record has every step. A single number stands at step
    0, unless a curve of that name ends with it. Names of curves per layer get a dot for their
    slash, since MLflow shows slashes as sections above all else. Early exit is a curve against
    margins, not steps, so it stays in the record.
    """
    thinned = record.step == "simulation"
    points = [
        (name.replace("/", "."), float(curve[step - 1]), step)
        for name, curve in record.curves.items()
        if not name.startswith("early_exit_")
        for step in (charted_steps(len(curve)) if thinned else range(1, len(curve) + 1))
    ]
    points += [
        (name, float(value), 0)
        for name, value in record.metrics.items()
        if value is not None and name not in record.curves
    ]
    return points
