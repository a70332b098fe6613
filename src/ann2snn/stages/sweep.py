"""Multiruns: the points of a sweep, what of them is done, and the table at the end.

A sweep has a folder `store/sweeps/<name>` with a file for each finished point. Results themselves
lie in the store under their keys, so a sweep that was killed computes only what is missing, and two
sweeps that share points share results.
"""

import dataclasses
import hashlib
import itertools
import json
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from ann2snn.records import Json, Record, write_json
from ann2snn.settings import SettingError
from ann2snn.simulation.settings import available_cores
from ann2snn.stages.chain import Chain
from ann2snn.stages.configuration import Settings, composed, typed
from ann2snn.stages.plan import print_plan

HEADLINES = {"data": "train_images", "ann": "test_accuracy", "simulation": "snn_accuracy"}


def run_multirun(step: str, overrides: list[str], launch: Callable[[], None]) -> int:
    """Runs every point of a sweep through Hydra's launcher, prints its table, sends it to MLflow.

    Returns the exit code: 1 if a point failed.

    Raises:
        SettingError: a point's combination of toggles cannot be.
    """
    own = [line for line in overrides if not line.startswith(("run.", "hydra"))]
    switches = composed([line for line in overrides if line.startswith("run.")]).run
    name = switches.name or hashlib.sha256("\n".join([step, *sorted(own)]).encode()).hexdigest()[:8]
    points = list(points_of(own))
    if switches.plan:
        print_plan(step, points)
        return 0
    if not switches.name:
        sys.argv.append(f"run.name={name}")
    launch()
    content = gathered(step, name, own, points)
    write_json(sweep_folder(name) / "sweep.json", content)
    print_table(step, content)
    draw(step, content)
    if switches.track:
        track()
    missing = [point for point in content["points"] if point["status"] != "done"]
    return 1 if missing else 0


def sweep_folder(name: str) -> Path:
    return Path.cwd() / "store" / "sweeps" / name


def axes_of(overrides: list[str]) -> dict[str, list[str]]:
    """The values of every override, by key, as they are written."""
    parser = OverridesParser.create()
    axes: dict[str, list[str]] = {}
    for line in overrides:
        override = parser.parse_override(line)
        if override.is_sweep_override():
            axes[str(override.key_or_group)] = [
                str(value) for value in override.sweep_string_iterator()
            ]
        else:
            axes[str(override.key_or_group)] = [override.get_value_string()]
    return axes


def points_of(overrides: list[str]) -> Iterator[list[str]]:
    """The override lists of all points, the last axis fastest, as Hydra's sweeper orders them."""
    axes = axes_of(overrides)
    for values in itertools.product(*axes.values()):
        yield [f"{key}={value}" for key, value in zip(axes, values, strict=True)]


def run_point(step: str, config: DictConfig, overrides: list[str]) -> None:
    """Computes one point and writes its file; a failure is written down and goes no further."""
    own = [line for line in overrides if not line.startswith("run.")]
    folder = sweep_folder(str(config.run.name))
    content: Json = {"overrides": own, "status": "failed", "key": None, "error": None}
    try:
        record = Chain(_alone_on_its_cores(typed(config))).record(step)
        content |= {"status": "done", "key": record.key}
        print(f"{' '.join(own)}: {line_of(record)}", flush=True)
    except Exception as error:
        if not isinstance(error, SettingError | ValueError | OSError):
            traceback.print_exc()
        content["error"] = f"{type(error).__name__}: {error}"
        print(f"{' '.join(own)}: failed: {error}", file=sys.stderr, flush=True)
    write_json(folder / "points" / f"{point_id(own)}.json", content)


def _alone_on_its_cores(settings: Settings) -> Settings:
    """The settings with the threads that are this point's where a launcher runs several at once."""
    jobs = int(HydraConfig.get().launcher.get("n_jobs") or 1)
    cores = available_cores()
    share = max(1, cores // (jobs if jobs > 0 else cores))
    threads = settings.simulation.threads or (share if jobs != 1 else 0)
    simulation = dataclasses.replace(settings.simulation, threads=threads)
    return dataclasses.replace(settings, simulation=simulation)


def point_id(overrides: list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(overrides)).encode()).hexdigest()[:16]


def gathered(step: str, name: str, overrides: list[str], points: list[list[str]]) -> Json:
    """All points of a sweep with what became of each."""
    axes = axes_of(overrides)
    varying = [key for key, values in axes.items() if len(values) > 1]
    entries = []
    for point in points:
        path = sweep_folder(name) / "points" / f"{point_id(point)}.json"
        known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        entries.append(
            {
                "label": ", ".join(line for line in point if line.partition("=")[0] in varying),
                "overrides": point,
                "key": known.get("key"),
                "status": known.get("status", "missing"),
                "error": known.get("error"),
            }
        )
    return {"name": name, "step": step, "overrides": overrides, "axes": axes, "points": entries}


def print_table(step: str, content: Json) -> None:
    """A line for each point under the names of what varies; the best is marked."""
    found = headlines(step, content)
    values = [value for value in found if value is not None]
    best = max(values) if values else None
    print(f"\nsweep {content['name']}: {' '.join(content['overrides'])}")
    for point, value in zip(content["points"], found, strict=True):
        shown = point["error"] or point["status"] if value is None else f"{value:.2f}"
        mark = "  best" if value is not None and value == best else ""
        print(f"  {point['label'] or 'the only point'}: {shown}{mark}")


def headlines(step: str, content: Json) -> list[float | None]:
    """The headline metric of every point; None for what is missing, or has none."""
    store = Path.cwd() / "store" / step
    metric = HEADLINES.get(step)
    return [
        Record.read(store / point["key"] / "record.json").metrics[metric]
        if metric and point["status"] == "done"
        else None
        for point in content["points"]
    ]


def draw(step: str, content: Json) -> None:
    """Writes sweep.png, .svg and .csv beside sweep.json: the headline metric over what varies."""
    from ann2snn.report.chart import save_chart
    from ann2snn.report.sweep import SweepResults, sweep_chart

    metric = HEADLINES.get(step)
    found = headlines(step, content)
    if metric is None or not any(value is not None for value in found):
        return
    axes = {key: values for key, values in content["axes"].items() if len(values) > 1}
    places = [
        tuple(
            line.partition("=")[2] for line in point["overrides"] if line.partition("=")[0] in axes
        )
        for point in content["points"]
    ]
    notes = [point["key"] or point["error"] or point["status"] for point in content["points"]]
    fixed = [f"{key}={values[0]}" for key, values in content["axes"].items() if key not in axes]
    results = SweepResults(
        name=content["name"],
        metric=metric,
        evidence=" ".join(fixed) or "all else by default",
        axes=axes,
        found=dict(zip(places, found, strict=True)),
        notes=dict(zip(places, notes, strict=True)),
    )
    save_chart(sweep_chart(results), sweep_folder(content["name"]))


def line_of(record: Record) -> str:
    """One line about a result: where it is and its headline number."""
    headline = HEADLINES.get(record.step)
    words = " ".join(record.description.values())
    if headline and headline in record.metrics:
        words += f", {headline} {record.metrics[headline]:.6g}"
    return f"{record.step} {record.key[:12]} {words}"


def track() -> None:
    """Sends all records to MLflow; if its server is down, they wait in the store."""
    from ann2snn.tracking.sync import sync

    try:
        print(sync(Path.cwd()))
    except OSError as error:
        print(f"not sent to MLflow: {error}; later: python -m ann2snn.tracking", file=sys.stderr)
