"""Converted networks as MLflow's logged models: one for each run key, registered under the name of
its network.

As with runs, two clients can make one at the same time: whoever sees several keeps the first.
"""

import json
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ann2snn.tracking.artifacts import put_files
from ann2snn.tracking.entry import Entry
from ann2snn.tracking.model_files import Network, model_files
from ann2snn.tracking.server import Place

MODEL = "logged_model"  # the tag of a run that names the model which was made of its network
NOT_IN_NAMES = str.maketrans(dict.fromkeys("/:.%\"'", "-"))
READY = "READY"
VERSIONS = "mlflow.modelVersions"  # a model's tag, by which MLflow's pages know its versions


def log_network(client: Any, place: Place, run: Any, entry: Entry, network: Network) -> None:
    """Logs and registers the network of a conversion's run, unless that is done.

    A model that a killed sync left half is completed.
    """
    model = _model(client, run, entry)
    if str(model.status) != READY:
        with tempfile.TemporaryDirectory() as scratch:
            files = model_files(network, model, Path(scratch))
            put_files(place, model.artifact_location, files)
        client.finalize_logged_model(model.model_id, READY)
    _register(client, entry, network, model)
    client.set_tag(run.info.run_id, MODEL, model.model_id)


def _model(client: Any, run: Any, entry: Entry) -> Any:
    """The one model of a run's key, made if there is none."""
    home, key = run.info.experiment_id, entry.key

    def kept() -> Any:
        found = client.search_logged_models([home], f"tags.run_key = '{key}'")
        return _first(
            found,
            lambda model: (model.creation_timestamp, model.model_id),
            lambda model: client.delete_logged_model(model.model_id),
        )

    there = kept()
    if there is not None:
        return there
    made = client.create_logged_model(
        home, entry.name.translate(NOT_IN_NAMES), run.info.run_id, {"run_key": key},
        entry.parameters, "spiking network",
    )  # fmt: skip
    return kept() or made


def _register(client: Any, entry: Entry, network: Network, model: Any) -> None:
    """Makes the model a version of its network's registered model, once."""
    from mlflow.exceptions import MlflowException

    name, key = network.name.translate(NOT_IN_NAMES), entry.key

    def kept() -> Any:
        return _first(
            client.search_model_versions(f"name = '{name}' and tags.run_key = '{key}'"),
            lambda version: int(version.version),
            lambda version: client.delete_model_version(name, version.version),
        )

    version = kept()
    if version is None:
        try:
            client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        client.create_model_version(
            name, model.artifact_location, model.source_run_id, {"run_key": key},
            description=entry.name, await_creation_for=0, model_id=model.model_id,
        )  # fmt: skip
        version = kept()
    told = json.dumps([{"name": name, "version": version.version}])
    client.set_logged_model_tags(model.model_id, {VERSIONS: told})


def _first(
    found: Iterable[Any], order: Callable[[Any], Any], remove: Callable[[Any], None]
) -> Any | None:
    """The first of what was found, alone from then on; None if nothing was."""
    first, *others = sorted(found, key=order) or [None]
    for other in others:
        remove(other)
    return first
