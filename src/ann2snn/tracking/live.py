"""Curves of a training while it runs, in the run that its record will complete."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ann2snn.records import Json, Record
from ann2snn.stopping import stops_stay_stops
from ann2snn.tracking.answers import Bounded, reason_of, told_of
from ann2snn.tracking.keyed_runs import Experiments, run_of_key, start_run
from ann2snn.tracking.naming import parameters, run_name
from ann2snn.tracking.sender import points_there
from ann2snn.tracking.server import connect, place_of

OnEpoch = Callable[[int, Mapping[str, float]], None]
LIVE_WITHIN = 10.0  # seconds that a training waits for a call, once


@contextlib.contextmanager
def live_training(
    project: Path, key: str, description: dict[str, str], settings: Json, uri: str | None = None
) -> Iterator[OnEpoch]:
    """Gives `on_epoch(epoch, metrics)`, which logs to the run of `key`; epochs count from 1.

    A run that a killed training left is taken up again. The run stays open: `sync` completes it
    from the record. If MLflow fails, one line tells so and the training goes on. Nobody else's
    sync holds it up: a run is started by its key, which needs no lock.
    """
    curves = _Curves(project, Record("ann", key, {}, settings, description, {}, {}, {}), uri)
    curves.unless_failed(curves.open)
    yield lambda epoch, metrics: curves.unless_failed(lambda: curves.write(epoch, metrics))


class _Curves:
    def __init__(self, project: Path, record: Record, uri: str | None) -> None:
        self.project, self.record, self.uri = project, record, uri
        self.client: Any = None
        self.run: Any = None
        self.there: set[tuple[str, int]] = set()
        self.failed = False

    def unless_failed(self, action: Callable[[], None]) -> None:
        """Does `action`, unless MLflow has failed before: a training outlives its tracker."""
        if self.failed:
            return
        try:
            with stops_stay_stops(), place_of(self.project, self.uri).signed_in():
                action()
        except Exception as error:  # MLflow and what it builds on raise errors of all kinds
            self.failed = True
            print(
                f"no live curves in MLflow: {self._told(error)}; the training's record brings them"
                " later",
                file=sys.stderr,
                flush=True,
            )

    def _told(self, error: Exception) -> str:
        if self.client is None or isinstance(error, OSError | ValueError):
            return reason_of(error)
        return reason_of(told_of(place_of(self.project, self.uri).uri, error))

    def open(self) -> None:
        """Finds the run of the training, or starts it."""
        place = place_of(self.project, self.uri)
        client = connect(place)
        self.client = client.with_seconds(LIVE_WITHIN) if isinstance(client, Bounded) else client
        dataset, step = self.record.description["dataset"], self.record.step
        home = Experiments(self.client, place).obtained(dataset, step)
        name, now = run_name(self.record, []), round(1000 * time.time())
        there = run_of_key(self.client, home, self.record.key)
        self.run = there or start_run(self.client, home, self.record.key, name, now)[0]
        self._describe()
        self.there = points_there(self.client, self.run)

    def _describe(self) -> None:
        from mlflow.entities import Param, RunTag

        known, own = self.run.data, parameters(self.record)
        wanted = {"step": self.record.step, "dataset": self.record.description["dataset"]}
        self.client.log_batch(
            self.run.info.run_id,
            params=[Param(name, value) for name, value in own.items() if name not in known.params],
            tags=[RunTag(name, value) for name, value in wanted.items() if name not in known.tags],
        )

    def write(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Logs those metrics of an epoch that the run does not have."""
        from mlflow.entities import Metric

        now = round(1000 * time.time())
        new = [
            Metric(name, float(value), now, epoch)
            for name, value in metrics.items()
            if (name, epoch) not in self.there
        ]
        self.there |= {(metric.key, epoch) for metric in new}
        if new and self.run.info.status == "RUNNING":
            self.client.log_batch(self.run.info.run_id, metrics=new)
