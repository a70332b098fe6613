"""One run per key, with any number of clients.

MLflow names its runs itself, so two clients can each start one for a key at the same time. Whoever
sees several keeps the one that was started first and deletes the others; all clients keep the same
one, since the choice depends on nothing else. A client whose run was deleted finds the one that
was kept under the key.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ann2snn.tracking.answers import TrackingUnavailableError
from ann2snn.tracking.naming import experiment_name
from ann2snn.tracking.server import Place

SENDER = "sender"
PAGE = 500


@dataclass(frozen=True)
class Experiments:
    """The experiments of a store, made when they are asked for."""

    client: Any
    place: Place

    def there(self, dataset: str, step: str) -> str | None:
        """The experiment of a step's runs on a data set, if there is one.

        Raises:
            TrackingUnavailableError: it was deleted, which keeps its name from being used.
        """
        name = experiment_name(dataset, step)
        found = self.client.get_experiment_by_name(name)
        if found is None:
            return None
        if found.lifecycle_stage != "active":
            raise TrackingUnavailableError(
                f"the experiment {name!r} was deleted in MLflow at {self.place.uri}: restore it"
                f" (mlflow experiments restore --experiment-id {found.experiment_id}), or remove"
                " it for good (mlflow gc)"
            )
        return str(found.experiment_id)

    def obtained(self, dataset: str, step: str) -> str:
        """The experiment, made if need be: in a sqlite file with artifacts beside it, on a server
        with artifacts where the server keeps them."""
        from mlflow.exceptions import MlflowException

        there = self.there(dataset, step)
        if there is not None:
            return there
        name = experiment_name(dataset, step)
        location = self.place.location(name) if self.place.database is not None else None
        kind = {"mlflow.experimentKind": "custom_model_development"}
        try:
            return str(self.client.create_experiment(name, location, kind))
        except MlflowException:
            there = self.there(dataset, step)  # another client may have been quicker
            if there is None:
                raise
            return there


def runs_by_key(client: Any, experiments: Iterable[str]) -> dict[str, Any]:
    """The runs of some experiments that bear a run key, one for each; others are deleted."""
    wanted, found, token = list(experiments), list[Any](), None
    while wanted:
        page = client.search_runs(wanted, max_results=PAGE, page_token=token)
        found += page
        token = page.token
        if not token:
            break
    return _settled(client, found)


def run_of_key(client: Any, experiment: str, key: str) -> Any | None:
    """The one run of a key, if there is any."""
    found = client.search_runs([experiment], f"tags.run_key = '{key}'")
    return _settled(client, found).get(key)


def start_run(
    client: Any, experiment: str, key: str, name: str, start: int, sender: str | None = None
) -> tuple[Any, bool]:
    """A new run that bears `key`, or the one that another client has started meanwhile; and whether
    no other client has started one.

    `sender` names the client that will fill it; a live training names none, since its run may stay
    open for long.
    """
    tags = {"run_key": key, **({SENDER: sender} if sender else {})}
    made = client.create_run(experiment, start_time=start, tags=tags, run_name=name)
    found = client.search_runs([experiment], f"tags.run_key = '{key}'")
    return _settled(client, found).get(key) or made, len(found) < 2


def _settled(client: Any, runs: Iterable[Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for run in sorted(runs, key=lambda run: (run.info.start_time, run.info.run_id)):
        key = run.data.tags.get("run_key")
        if key is not None and kept.setdefault(key, run) is not run:
            client.delete_run(run.info.run_id)
    return kept
