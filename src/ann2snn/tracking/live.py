"""Curves of a training while it runs, in the run that its record will complete."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ann2snn.records import Json, Record
from ann2snn.tracking.naming import parameters, run_name
from ann2snn.tracking.server import connect, place_of, reason_of
from ann2snn.tracking.sync import points_there, runs_by_key, start_run

OnEpoch = Callable[[int, Mapping[str, float]], None]


@contextlib.contextmanager
def live_training(
    project: Path, key: str, description: dict[str, str], settings: Json, uri: str | None = None
) -> Iterator[OnEpoch]:
    """Gives `on_epoch(epoch, metrics)`, which logs to the run of `key`; epochs count from 1.

    A run that a killed training left is taken up again. The run stays open: `sync` completes it
    from the record. If MLflow fails, one line tells so and the training goes on.
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
        try:
            if not self.failed:
                action()
        except Exception as error:  # MLflow and what it builds on raise errors of all kinds
            self.failed = True
            print(
                f"no live curves in MLflow: {reason_of(error)}; the training's record brings them"
                " later",
                file=sys.stderr,
                flush=True,
            )

    def open(self) -> None:
        """Finds the run of the training, or starts it."""
        place = place_of(self.project, self.uri)
        with place.alone():
            self.client = connect(place)
            self.run = runs_by_key(self.client).get(self.record.key) or self._started()
        self.there = points_there(self.client, self.run)

    def _started(self) -> Any:
        from mlflow.entities import Param, RunTag

        dataset, step = self.record.description["dataset"], self.record.step
        run = start_run(self.client, dataset, step, self.record.key, run_name(self.record, []))
        self.client.log_batch(
            run.info.run_id,
            params=[Param(name, value) for name, value in parameters(self.record).items()],
            tags=[RunTag("step", step), RunTag("dataset", dataset)],
        )
        return run

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
