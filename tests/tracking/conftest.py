"""A store is made once and copied: making one takes MLflow five seconds and more."""

import shutil
from pathlib import Path

import pytest

from ann2snn.tracking.server import connect, place_of
from ann2snn.tracking.sync import sync
from tests.tracking.project_with_results import make_project


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """MLflow and what it builds on warn about their own future; that is no error of ours."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.filterwarnings("ignore::DeprecationWarning"))


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty-store")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        place = place_of(folder)
        connect(place)
    assert place.database is not None
    return place.database


@pytest.fixture
def project(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with an empty store and results as git keeps them."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = make_project(tmp_path / "project")
    shutil.copyfile(empty_store, folder / "mlflow.db")
    return folder


@pytest.fixture(scope="session")
def sent_project(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """A project whose results stand in its store; tests read it only."""
    folder = make_project(tmp_path_factory.mktemp("sent") / "project")
    shutil.copyfile(empty_store, folder / "mlflow.db")
    sync(folder, f"sqlite:///{folder / 'mlflow.db'}")
    return folder


@pytest.fixture
def sent_copy(sent_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same in another folder, for tests that change it."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return shutil.copytree(sent_project, tmp_path / "copy")
