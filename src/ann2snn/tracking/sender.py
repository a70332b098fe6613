"""Entries into a store that other clients may fill at the same time, until it shows them all."""

import json
import random
import time
import uuid
from collections import Counter
from typing import Any

from ann2snn.progress import Progress
from ann2snn.tracking.answers import TrackingUnavailableError, require_answer
from ann2snn.tracking.artifacts import require_driver, send_files
from ann2snn.tracking.entry import Entry
from ann2snn.tracking.keyed_runs import SENDER, Experiments, run_of_key, runs_by_key, start_run
from ann2snn.tracking.links import LONGEST, links_of
from ann2snn.tracking.logged_models import MODEL, log_network
from ann2snn.tracking.server import Place, tell
from ann2snn.tracking.views import send_views

NUMBERS = 800  # metrics in a batch, of which MLflow takes 1000 items
WORDS = 100  # tags, and parameters
STATE = "content"
ATTEMPTS = 4  # at one run, while the server answers
PATIENCE = 8.0  # seconds in which another client is to finish one of its runs


class Sender:
    """Sends what a store does not show, and looks again, until it shows every entry.

    A run that another client has begun is left to it, unless that client stands still. Nothing
    depends on who fills a run: two clients that fill one write the same values once.
    """

    def __init__(self, client: Any, place: Place, entries: list[Entry]) -> None:
        self.client, self.place, self.entries = client, place, entries
        self.by_key = {entry.key: entry for entry in entries}
        self.experiments = Experiments(client, place)
        self.homes: dict[str, str] = {}  # experiments' numbers by their names
        self.runs: dict[str, Any] = {}
        self.places = {entry.key: place for place, entry in enumerate(entries)}
        self.started: set[str] = set()
        self.sent: dict[str, tuple[str, dict[str, str]]] = {}  # runs and links, by key
        self.attempts: Counter[str] = Counter()
        self.others = False  # clients, that were seen at work
        self.name = uuid.uuid4().hex
        self.begun = round(1000 * time.time())

    def send(self, shown: Progress) -> None:
        """Returns when every entry has one run that shows it.

        Raises:
            TrackingUnavailableError: the store does not show what it was sent.
        """
        left, since, takes_over, told = -1, time.monotonic(), False, False
        while missing := self._missing():
            if len(missing) != left:
                left, since = len(missing), time.monotonic()
            own = [entry for entry in missing if takes_over or not self._another_sends(entry)]
            if own:
                self._send_all(own, shown)
                takes_over = False
                continue
            takes_over = time.monotonic() - since > PATIENCE
            if not told:
                tell(f"waits for another client that sends {len(missing)} of these runs")
                told = True
            time.sleep(1)
        send_views(self.client, self.entries, self.runs)

    def models(self) -> dict[str, str]:
        """The logged models of the runs that the last look found, by key."""
        found = {key: run.data.tags.get(MODEL, "") for key, run in self.runs.items()}
        return {key: model for key, model in found.items() if model}

    def _missing(self) -> list[Entry]:
        """The entries that the store does not show, by a new look into it."""
        for entry in {entry.experiment: entry for entry in self.entries}.values():
            if entry.experiment not in self.homes:
                there = self.experiments.there(entry.dataset, entry.step)
                if there is not None:
                    self.homes[entry.experiment] = there
        self.runs = runs_by_key(self.client, set(self.homes.values()))
        return [entry for entry in self.entries if not self._shows(entry)]

    def _shows(self, entry: Entry) -> bool:
        """Whether the run of an entry is whole. What was sent from here may be another clone's by
        now, with other words about the same result: that is no reason to send it again."""
        run, links = self.runs.get(entry.key), self._links(entry)
        if run is None or run.info.status != "FINISHED":
            return False
        if entry.network is not None and MODEL not in run.data.tags:
            return False
        if entry.key in self.sent:
            return self.sent[entry.key] == (run.info.run_id, links)
        wanted = {**links, STATE: entry.content}
        return all(run.data.tags.get(name) == value for name, value in wanted.items())

    def _another_sends(self, entry: Entry) -> bool:
        """Whether a run was begun by another client; a sqlite file has one at a time."""
        run = self.runs.get(entry.key)
        if run is None or run.info.status == "FINISHED" or self.place.database is not None:
            return False
        return bool(run.data.tags.get(SENDER, self.name) != self.name)

    def _send_all(self, entries: list[Entry], shown: Progress) -> None:
        """Sends entries, on a server from any of them on: so several clients do not meet. No run is
        started if artifacts could not be sent from here."""
        for entry in {entry.experiment: entry for entry in entries}.values():
            if entry.experiment not in self.homes:
                self.homes[entry.experiment] = self.experiments.obtained(entry.dataset, entry.step)
            home = self.client.get_experiment(self.homes[entry.experiment])
            require_driver(self.place, home.artifact_location)
        first = random.randrange(len(entries)) if self.place.database is None else 0  # noqa: S311
        for done, entry in enumerate(entries[first:] + entries[:first]):
            shown.count(len(self.entries) - len(entries) + done)
            self._try(entry)

    def _try(self, entry: Entry) -> None:
        """Sends an entry. A failure while the server answers may come of another client that fills
        or deletes the same run at this moment: the next look tells."""
        from mlflow.exceptions import MlflowException

        self.attempts[entry.key] += 1
        try:
            self._send(entry)
        except MlflowException:
            if self.place.database is not None or self.attempts[entry.key] >= ATTEMPTS:
                raise
            require_answer(self.place.uri)
        if self.attempts[entry.key] > ATTEMPTS:
            raise TrackingUnavailableError(
                f"MLflow at {self.place.uri} does not keep the run {entry.name!r}, sent"
                f" {ATTEMPTS} times"
            )

    def _send(self, entry: Entry) -> None:
        known = self.runs.get(entry.key)
        if known is not None and entry.key not in self.sent and _is_outdated(known, entry):
            self.client.delete_run(self.runs.pop(entry.key).info.run_id)
            known = None
        run = self._started(entry) if known is None else known
        if known is None and self._another_sends(entry):
            return  # another client was quicker
        points = [point.key for point in entry.points]
        for key in (entry.parent, *entry.links.values(), *entry.groups, *points):
            if key in self.by_key and key not in self.runs:
                self._started(self.by_key[key])
        if known is None and self._shows(entry):
            return  # another client was quicker, and has ended
        fresh = known is None and entry.key in self.started
        send_files(self.place, run, entry.files)
        if entry.manifest:
            self.client.log_inputs(run.info.run_id, datasets=[data_set_input(entry)])
        links = self._links(entry)
        self._send_values(entry, run, links, fresh)
        if entry.network is not None:
            log_network(self.client, self.place, run, entry, entry.network)
        if entry.seconds:
            end = run.info.start_time + round(1000 * entry.seconds)
            self.client.set_terminated(run.info.run_id, "FINISHED", end)
        else:  # nobody knows how long it took: a run without an end, not one of 0 ms
            self.client.update_run(run.info.run_id, "FINISHED")
        self.sent[entry.key] = (run.info.run_id, links)

    def _started(self, entry: Entry) -> Any:
        """The run of an entry that had none, from now on known. Later entries start later, so that
        MLflow lists them first."""
        start = self.begun + self.places[entry.key]
        home = self.homes[entry.experiment]
        there = run_of_key(self.client, home, entry.key) if self.others else None
        if there is None:
            there, alone = start_run(self.client, home, entry.key, entry.name, start, self.name)
            self.others |= not alone
        self.runs[entry.key] = there
        if there.data.tags.get(SENDER) == self.name:
            self.started.add(entry.key)
        else:
            self.others = True
        return there

    def _send_values(self, entry: Entry, run: Any, links: dict[str, str], fresh: bool) -> None:
        from mlflow.entities import Metric, Param, RunTag

        wanted = {**entry.tags, **links, "mlflow.runName": entry.name}
        wanted[STATE] = entry.content
        there = set() if fresh else points_there(self.client, run)
        known, info = run.data, run.info
        tags = [RunTag(n, v[:LONGEST]) for n, v in wanted.items() if known.tags.get(n) != v]
        params = [Param(n, v) for n, v in entry.parameters.items() if n not in known.params]
        metrics = [
            Metric(name, value, info.start_time, step)
            for name, value, step in entry.metrics
            if (name, step) not in there
        ]
        longest = max(len(tags), len(params), len(metrics) * WORDS // NUMBERS)
        for at in range(0, longest + 1, WORDS):
            numbers = slice(at // WORDS * NUMBERS, (at // WORDS + 1) * NUMBERS)
            words = slice(at, at + WORDS)
            batch = {"metrics": metrics[numbers], "params": params[words], "tags": tags[words]}
            if any(batch.values()):
                self.client.log_batch(info.run_id, **batch)

    def _links(self, entry: Entry) -> dict[str, str]:
        return links_of(entry, self.runs, self.by_key)


def _is_outdated(run: Any, entry: Entry) -> bool:
    """Whether the run of a study or a sweep shows numbers that its points have no more, and that
    MLflow does not take back."""
    last = {name: value for name, value, _ in entry.metrics}
    shown = run.data.metrics
    return bool(entry.points and any(last.get(name) != value for name, value in shown.items()))


def points_there(client: Any, run: Any) -> set[tuple[str, int]]:
    """(name, step) of all metrics that a run has, such as a live training or a killed sync left."""
    return {
        (name, point.step)
        for name in run.data.metrics
        for point in client.get_metric_history(run.info.run_id, name)
    }


def data_set_input(entry: Entry) -> Any:
    """The data set as MLflow shows inputs: name, hash, source and counts, without its images."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    manifest = entry.manifest
    dataset = Dataset(
        name=manifest["name"],
        digest=manifest["sha256"]["test_images"][:8],
        source_type="manifest",
        source=json.dumps({"source": manifest.get("source", "")}),
        profile=json.dumps({**manifest.get("counts", {}), "shape": manifest.get("shape")}),
    )
    context = "training" if entry.step == "ann" else "testing"
    return DatasetInput(dataset, [InputTag("mlflow.data.context", context)])
