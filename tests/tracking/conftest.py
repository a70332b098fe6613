"""A store is made once and copied: making one takes MLflow five seconds and more."""

import shutil
from pathlib import Path

import pytest
from project_with_results import make_project

from ann2snn.tracking.server import connect, place_of


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty-store")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        connect(place_of(folder))
    return folder / "mlflow.db"


@pytest.fixture
def project(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with an empty store and results as git keeps them."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = make_project(tmp_path / "project")
    shutil.copyfile(empty_store, folder / "mlflow.db")
    return folder
