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
    from the record. If MLflow fails, the training is told once and goes on.
    """
    record = Record("ann", key, {}, settings, description, {}, {}, {})
    log = _Log(project, record, uri)
    log.guard(log.open)
    yield lambda epoch, metrics: log.guard(lambda: log.write(epoch, metrics))


class _Log:
    def __init__(self, project: Path, record: Record, uri: str | None) -> None:
        self.project = project
        self.record = record
        self.uri = uri
        self.client: Any = None
        self.run: Any = None
        self.there: set[tuple[str, int]] = set()
        self.failed = False

    def guard(self, action: Callable[[], None]) -> None:
        """Does `action`, unless MLflow has failed before: a training outlives its tracker."""
        if self.failed:
            return
        try:
            action()
        except Exception as error:
            reason = reason_of(error)
            print(
                f"no live curves in MLflow: {reason}; the training's record brings them later",
                file=sys.stderr,
                flush=True,
            )
            self.failed = True

    def open(self) -> None:
        place = place_of(self.project, self.uri)
        with place.alone():
            self.client = connect(place)
            self.run = runs_by_key(self.client).get(self.record.key)
            if self.run is None:
                self._start()
        self.there = points_there(self.client, self.run)

    def _start(self) -> None:
        from mlflow.entities import Param, RunTag

        dataset = self.record.description["dataset"]
        name = run_name(self.record, [])
        self.run = start_run(self.client, dataset, self.record.step, self.record.key, name)
        tags = {"step": self.record.step, "dataset": dataset}
        self.client.log_batch(
            self.run.info.run_id,
            params=[Param(name, value) for name, value in parameters(self.record).items()],
            tags=[RunTag(name, value) for name, value in tags.items()],
        )

    def write(self, epoch: int, metrics: Mapping[str, float]) -> None:
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
