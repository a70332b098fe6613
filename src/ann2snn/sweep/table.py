"""The outcome of a sweep: a file per point, a table, a chart."""

from collections.abc import Iterable
from pathlib import Path

from ann2snn.pipeline.application import HEADLINES
from ann2snn.records import Json, known, read_json
from ann2snn.sweep.points import Axes, label_of, point_id, points_of, shown, varying

UNDONE = {
    "missing": "not begun",
    "begun": "begun and not ended: its process was killed, or runs elsewhere",
}


def sweep_folder(name: str) -> Path:
    return Path.cwd() / "store" / "sweeps" / name


def point_file(name: str, point: list[str]) -> Path:
    """The file in which a point writes its outcome."""
    return sweep_folder(name) / "points" / f"{point_id(point)}.json"


def forget(name: str, points: list[list[str]]) -> None:
    """Removes the outcome of an earlier sweep of this name over the same points."""
    drawn = [sweep_folder(name) / f"sweep.{kind}" for kind in ("csv", "png", "svg")]
    for path in [*drawn, *(point_file(name, point) for point in points)]:
        path.unlink(missing_ok=True)


def over_of(files: Iterable[Path]) -> int:
    """How many of the points with these files are over, done or failed."""
    begun = [path for path in files if path.is_file()]
    return sum(read_json(path)["status"] != "begun" for path in begun)


def gathered(step: str, name: str, overrides: list[str], axes: Axes) -> Json:
    """All points of a sweep with their outcomes."""
    entries = []
    for point in points_of(axes):
        path = point_file(name, point)
        found = known(path)
        status = found.get("status", "missing")
        entries.append(
            {
                "label": label_of(point, axes),
                "overrides": point,
                "key": found.get("key"),
                "value": found.get("value"),
                "status": status,
                "error": found.get("error") or UNDONE.get(status),
            }
        )
    return {"name": name, "step": step, "overrides": overrides, "axes": axes, "points": entries}


def print_table(content: Json) -> None:
    """Prints a line per point with the values that vary, and marks the best."""
    points = content["points"]
    values = [point["value"] for point in points if point["value"] is not None]
    best = max(values) if values else None
    print(f"\nsweep {content['name']}: {' '.join(content['overrides'])}")
    for point in points:
        value = point["value"]
        words = point["error"] or point["status"] if value is None else f"{value:.2f}"
        mark = "  best" if value is not None and value == best else ""
        print(f"  {point['label'] or 'the only point'}: {words}{mark}")
    open_points = [point for point in points if point["status"] != "done"]
    if open_points:
        print(
            f"{len(open_points)} of {len(points)} points are not done; the same command goes on"
            " with them",
            flush=True,
        )


def draw(content: Json) -> None:
    """Writes sweep.png, .svg and .csv beside sweep.json: the headline metric over what varies."""
    from ann2snn.report.chart import save_chart
    from ann2snn.report.sweep_chart import SweepResults, sweep_chart

    points = content["points"]
    if all(point["value"] is None for point in points):
        return
    axes = content["axes"]
    fixed = [f"{key}={shown(own[0])}" for key, own in axes.items() if len(own) == 1]
    places = [tuple(varying(point["overrides"], axes).values()) for point in points]
    results = SweepResults(
        name=content["name"],
        metric=HEADLINES[content["step"]],
        evidence=" ".join(fixed) or "all else by default",
        axes={key: [shown(value) for value in own] for key, own in axes.items() if len(own) > 1},
        found={place: point["value"] for place, point in zip(places, points, strict=True)},
        notes={place: p["key"] or p["error"] for place, p in zip(places, points, strict=True)},
    )
    save_chart(sweep_chart(results), sweep_folder(content["name"]))
