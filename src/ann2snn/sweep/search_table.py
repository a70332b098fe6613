"""The outcome of a search: its trials in their order, the best of them, a table and a chart."""

import shlex
from dataclasses import dataclass, field

from ann2snn.records import Json, Record, write_json
from ann2snn.sweep.search_settings import OBJECTIVES, SearchSettings
from ann2snn.sweep.search_space import MEASURING, Space
from ann2snn.sweep.table import UNDONE, sweep_folder

OVER = ("done", "refused")


@dataclass
class Trial:
    """A trial and what became of it; `there` if its result was in the store before."""

    number: int
    label: str
    overrides: list[str]
    status: str = "missing"
    key: str | None = None
    metrics: Json = field(default_factory=dict)
    error: str | None = None
    there: bool = False

    @property
    def is_open(self) -> bool:
        return self.status == "missing"

    def take(self, record: Record, there: bool = False) -> "Trial":
        """Notes the result."""
        self.status, self.key, self.metrics, self.there = "done", record.key, record.metrics, there
        return self

    def ended(self, status: str, error: str | None) -> "Trial":
        """Notes that there is no result, and why."""
        self.status, self.error = status, error or UNDONE.get(status)
        return self

    def values_of(self, metrics: tuple[str, ...]) -> list[float] | None:
        """The values of these metrics; None if one is not known, as the steps to an accuracy that
        is not reached."""
        found = [self.metrics.get(metric) for metric in metrics]
        known = [float(value) for value in found if value is not None]
        return known if len(known) == len(found) else None


def front(trials: list[Trial], metrics: tuple[str, ...]) -> list[Trial]:
    """The trials that no other one beats: not worse in any metric and better in one. Of one metric
    these are the best; of trials with equal values the first one stands for all."""
    signs = [1 if OBJECTIVES[metric] == "maximize" else -1 for metric in metrics]
    scores: dict[tuple[float, ...], Trial] = {}
    for trial in trials:
        values = trial.values_of(metrics)
        if values is not None:
            score = tuple(sign * value for sign, value in zip(signs, values, strict=True))
            scores.setdefault(score, trial)
    return [
        trial
        for score, trial in scores.items()
        if not any(
            other != score and all(b >= a for a, b in zip(score, other, strict=True))
            for other in scores
        )
    ]


def close(
    name: str, search: SearchSettings, overrides: list[str], space: Space, trials: list[Trial]
) -> None:
    """Writes sweep.json, which MLflow and `ann2snn gc` read, prints the trials, draws the chart."""
    points = [
        {
            "label": f"{trial.number}: {trial.label}",
            "overrides": trial.overrides,
            "key": trial.key,
            "value": trial.metrics.get(search.metric),
            "status": trial.status,
            "error": trial.error,
        }
        for trial in trials
    ]
    content = {"name": name, "step": "simulation", "overrides": overrides, "points": points}
    write_json(sweep_folder(name) / "sweep.json", content)
    best = front(trials, search.metrics)
    _print(name, search, overrides, trials, best)
    _draw(name, search, space, trials, best)


def _print(
    name: str, search: SearchSettings, overrides: list[str], trials: list[Trial], best: list[Trial]
) -> None:
    print(f"\nsearch {name}: {' '.join(overrides)}")
    for trial in trials:
        told = ", ".join(
            f"{metric} {trial.metrics[metric]:.6g}"
            for metric in search.metrics
            if trial.metrics.get(metric) is not None
        )
        words = told or ("no value" if trial.status == "done" else trial.status)
        reason = f": {trial.error}" if trial.error else ""
        mark = "  best" if trial in best else ""
        print(f"  {trial.number}: {trial.label}: {words}{reason}{mark}")
    there = sum(trial.there for trial in trials)
    print(f"{len(trials)} of {search.n_trials} trials, {there} of them there before")
    for trial in best:
        told_anew = [w for w in trial.overrides if w.partition("=")[0] not in MEASURING]
        print(f"trial {trial.number} on test images: ann2snn simulate {shlex.join(told_anew)}")
    if len(trials) < search.n_trials or any(trial.status not in OVER for trial in trials):
        print("the search is not over; the same command goes on with it", flush=True)


def _draw(
    name: str, search: SearchSettings, space: Space, trials: list[Trial], best: list[Trial]
) -> None:
    from ann2snn.report.chart import save_chart
    from ann2snn.report.search_chart import SearchResults, search_chart

    drawn = [space.drawn(trial.overrides) for trial in trials]
    results = SearchResults(
        name=name,
        drawn={axis.key: [own[axis.key] for own in drawn] for axis in space.axes},
        values={m: [trial.metrics.get(m) for trial in trials] for m in search.metrics},
        best=[trials.index(trial) for trial in best],
        notes=[trial.key or trial.error for trial in trials],
    )
    save_chart(search_chart(results), sweep_folder(name))
