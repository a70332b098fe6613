import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ann2snn
from ann2snn.spec import SpikingSpec
from ann2snn.tracking.logged_models import MODEL
from ann2snn.tracking.served_network import answered, default_steps
from ann2snn.tracking.server import connect, place_of
from ann2snn.tracking.sync import Summary, sync
from tests.tracking.converted_network import RECORD, real_images, small_spec, store_network
from tests.tracking.project_with_results import runs_of

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # of MLflow's about its types
RUNS = 21
IMAGES = real_images(20)


@pytest.fixture(scope="module")
def spec() -> SpikingSpec:
    return small_spec()


@pytest.fixture
def logged(sent_copy: Path) -> Path:
    """A project whose one stored network is a logged model."""
    store_network(sent_copy)
    sync(sent_copy)
    return sent_copy


def models_of(project: Path) -> list[Any]:
    client = connect(place_of(project))
    homes = [experiment.experiment_id for experiment in client.search_experiments()]
    return list(client.search_logged_models(homes))


def versions_of(project: Path) -> list[Any]:
    return list(connect(place_of(project)).search_model_versions("name = 'digits_cnn'"))


def test_a_network_whose_spec_is_at_hand_is_logged_once_however_often_it_is_sent(
    sent_copy: Path,
) -> None:
    assert sync(sent_copy) == Summary(0, 0, RUNS, sync(sent_copy).uri, 0, 8)
    store_network(sent_copy)
    first, second = sync(sent_copy), sync(sent_copy)
    assert (first.updated, first.models, first.no_models) == (1, 1, 7)
    assert (second.updated, second.models, second.no_models) == (0, 1, 7)
    assert "; logged models: 1; networks without a model: 7, since" in str(second)
    (model,), (version,) = models_of(sent_copy), versions_of(sent_copy)
    run = runs_of(sent_copy)[RECORD.key]
    assert model.tags["run_key"] == version.tags["run_key"] == RECORD.key
    assert model.source_run_id == version.run_id == run.info.run_id
    assert run.data.tags[MODEL] == model.model_id
    assert str(model.status) == "READY"
    assert model.params["reset"] == "subtract"
    registered = json.loads(model.tags["mlflow.modelVersions"])
    assert registered == [{"name": "digits_cnn", "version": version.version}]


@pytest.mark.timed
def test_a_sync_with_models_and_nothing_to_do_takes_a_tenth_of_a_second(logged: Path) -> None:
    started = time.perf_counter()
    sync(logged)
    assert time.perf_counter() - started < 0.1


def test_a_model_that_a_kill_left_half_is_completed_and_not_logged_again(logged: Path) -> None:
    client, (before,) = connect(place_of(logged)), models_of(logged)
    client.delete_tag(runs_of(logged)[RECORD.key].info.run_id, MODEL)
    client.delete_model_version("digits_cnn", "1")
    client.finalize_logged_model(before.model_id, "FAILED")
    assert sync(logged).models == 1
    (after,), (version,) = models_of(logged), versions_of(logged)
    assert (after.model_id, str(after.status)) == (before.model_id, "READY")
    assert version.source == after.artifact_location


def test_a_second_model_of_one_key_goes(logged: Path) -> None:
    client, (first,) = connect(place_of(logged)), models_of(logged)
    client.create_logged_model(first.experiment_id, "other", tags={"run_key": RECORD.key})
    client.delete_tag(runs_of(logged)[RECORD.key].info.run_id, MODEL)
    sync(logged)
    assert [model.model_id for model in models_of(logged)] == [first.model_id]
    assert len(versions_of(logged)) == 1


def test_a_loaded_model_answers_as_simulate_does(
    logged: Path, spec: SpikingSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow.pyfunc

    monkeypatch.setenv("MLFLOW_TRACKING_URI", place_of(logged).uri)
    model = mlflow.pyfunc.load_model(versions_of(logged)[0].source)
    wanted = ann2snn.simulate(spec, IMAGES, steps=40, exit_margin=1.5)
    got = model.predict(IMAGES.astype(float), params={"steps": 40, "exit_margin": 1.5})
    assert wanted.taken is not None
    assert got["answer"].tolist() == wanted.answers.tolist()
    assert got["steps"].tolist() == wanted.taken.tolist()
    assert len(set(got["steps"])) > 1
    parameters = {
        parameter.name: parameter.default for parameter in model.metadata.signature.params
    }
    assert parameters == {"steps": 300, "exit_margin": 0.0}
    assert np.array_equal(model.input_example, IMAGES[:1])


def test_the_files_of_a_model_hold_no_pickle_and_no_path_of_this_machine(logged: Path) -> None:
    (model,) = models_of(logged)
    folder = Path(model.artifact_location.removeprefix("file://"))
    files = {
        path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
    }
    assert {"MLmodel", "model_code.py", "artifacts/spec.safetensors"} <= set(files)
    assert not [name for name in files if name.endswith((".pkl", ".pickle"))]
    told = (folder / "MLmodel").read_text(encoding="utf-8")
    assert "model_code_path: model_code.py" in told
    assert str(Path(ann2snn.__file__).parent) not in told
    assert str(logged) + "/store" not in told


def test_pixels_that_are_no_whole_numbers_are_refused(spec: SpikingSpec) -> None:
    with pytest.raises(ValueError, match=r"whole numbers k in \[0, 16\].*k / 16, got 0\.5"):
        answered(spec, np.full((1, 1, 8, 8), 0.5), {})
    with pytest.raises(ValueError, match="got 17"):
        answered(spec, np.full((1, 1, 8, 8), 17.0), {})


def test_without_early_exit_every_image_takes_all_steps(spec: SpikingSpec) -> None:
    got = answered(spec, IMAGES.astype(float), {"steps": 7, "exit_margin": 0.0})
    assert got["steps"].tolist() == [7] * len(IMAGES)
    assert default_steps(spec) == 300
