"""The outcome of a search: its trials in their order, the best of them, a table and a chart."""

import shlex
from dataclasses import asdict, dataclass, field

from ann2snn.records import Json, Record, known, write_json
from ann2snn.sweep.search_settings import OBJECTIVES, SearchSettings
from ann2snn.sweep.search_space import Space
from ann2snn.sweep.table import UNDONE, sweep_folder

OVER = ("done", "refused")
IMAGES = ("simulation.part=", "simulation.images=")
ON_TEST_IMAGES = "simulation.part=test simulation.images=0"


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

    @classmethod
    def of(cls, number: int, point: list[str], space: Space) -> "Trial":
        """The trial of a point, of which nothing is known yet."""
        label = ", ".join(f"{key}={value}" for key, value in space.drawn(point).items())
        return cls(number, label, point)

    @property
    def is_open(self) -> bool:
        return self.status == "missing"

    def take(self, record: Record, there: bool = False) -> None:
        """Notes the result."""
        self.status, self.key, self.metrics, self.there = "done", record.key, record.metrics, there

    def ended(self, status: str, error: str | None) -> None:
        """Notes that there is no result, and why."""
        self.status, self.error = status, error or UNDONE.get(status)

    def values_of(self, metrics: tuple[str, ...]) -> list[float] | None:
        """The values of these metrics; None if one is not known. An accuracy that is not reached
        counts as reached one step after the last."""
        late = {"steps_to_99": self.metrics["steps"] + 1} if "steps" in self.metrics else {}
        there = {name: value for name, value in self.metrics.items() if value is not None}
        found = {**late, **there}
        return [float(found[name]) for name in metrics] if found.keys() >= set(metrics) else None


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


@dataclass(frozen=True)
class Table:
    """Where the trials of a search are written, printed and drawn."""

    name: str
    search: SearchSettings
    overrides: list[str]
    space: Space

    def write(self, trials: list[Trial]) -> list[Trial]:
        """Writes sweep.json, which MLflow and `ann2snn gc` read; gives the best trials.

        Trials that a longer search of the same kind has there stay behind these, with which it
        begins.
        """
        kind = {**asdict(self.search), "n_trials": 0, "space": repr(self.space)}
        points = [self._point(trial) for trial in trials]
        path = sweep_folder(self.name) / "sweep.json"
        before = known(path)
        if before.get("search") == kind:
            points += before["points"][len(points) :]
        best = front(trials, self.search.metrics)
        content = {
            "name": self.name, "step": "simulation", "overrides": self.overrides, "search": kind,
            "points": points, "best": [trial.key for trial in best],
        }  # fmt: skip
        write_json(path, content)
        return best

    def _point(self, trial: Trial) -> Json:
        return {
            "label": f"{trial.number}: {trial.label}",
            "overrides": trial.overrides,
            "key": trial.key,
            "value": trial.metrics.get(self.search.metric),
            "status": trial.status,
            "error": trial.error,
        }

    def close(self, trials: list[Trial]) -> None:
        """Writes and prints the trials, and draws the chart."""
        best = self.write(trials)
        self._print(trials, best)
        self._draw(trials, best)

    def _print(self, trials: list[Trial], best: list[Trial]) -> None:
        print(f"\nsearch {self.name}: {' '.join(self.overrides)}")
        for trial in trials:
            values = trial.values_of(self.search.metrics)
            told = [f"{m} {v:.6g}" for m, v in zip(self.search.metrics, values or [], strict=False)]
            words = ", ".join(told) or ("no value" if trial.status == "done" else trial.status)
            reason = f": {trial.error}" if trial.error else ""
            mark = "  best" if trial in best else ""
            print(f"  {trial.number}: {trial.label}: {words}{reason}{mark}")
        there = sum(trial.there for trial in trials)
        print(f"{len(trials)} of {self.search.n_trials} trials, {there} of them there before")
        for trial in best:
            words = shlex.join(word for word in trial.overrides if not word.startswith(IMAGES))
            print(f"trial {trial.number} on test images: ann2snn simulate {words} {ON_TEST_IMAGES}")
        if not best:
            print(f"no trial has a value of {' and '.join(self.search.metrics)}")
        over = all(trial.status in OVER for trial in trials)
        if not over or len(trials) < self.search.n_trials:
            print("the search is not over; the same command goes on with it", flush=True)

    def _draw(self, trials: list[Trial], best: list[Trial]) -> None:
        from ann2snn.report.chart import save_chart
        from ann2snn.report.search_chart import SearchResults, search_chart

        drawn = [self.space.drawn(trial.overrides) for trial in trials]
        values = [trial.values_of(self.search.metrics) for trial in trials]
        results = SearchResults(
            name=self.name,
            drawn={axis.key: [own[axis.key] for own in drawn] for axis in self.space.axes},
            logarithmic=frozenset(axis.key for axis in self.space.axes if axis.log),
            values={
                metric: [own[place] if own else None for own in values]
                for place, metric in enumerate(self.search.metrics)
            },
            best=[trials.index(trial) for trial in best],
            notes=[trial.key or trial.error for trial in trials],
        )
        save_chart(search_chart(results), sweep_folder(self.name))
