"""What a sweep refuses before it begins, and what it tells when its processes end early.

In this process, over the data step of digits, which takes milliseconds.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hydra.core.plugins import Plugins
from omegaconf import DictConfig, OmegaConf

from ann2snn.pipeline.application import run
from ann2snn.pipeline.chain import Chain
from ann2snn.records import write_json
from ann2snn.sweep import asked, grid, launchers
from ann2snn.sweep.table import point_file
from tests.pipeline.multirun import require_refused, sweep
from tests.pipeline.project import make_project, result_files

Launch = Callable[[DictConfig, dict[Path, list[str]], object], None]

ARGUMENTS = ["run.track=false", "run.name=s"]
NOTHING_KNOWN = ("missing", None, None, "not begun")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make_project(tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


def launched_by(monkeypatch: pytest.MonkeyPatch, launch: Launch) -> None:
    """Puts `launch` in the place of Hydra's launcher."""
    monkeypatch.setattr(launchers, "launch", launch)


def outcome(name: str = "s") -> dict[str, tuple[Any, ...]]:
    """(status, key, value, error) of the points of a sweep, by label."""
    content = json.loads((Path("store/sweeps") / name / "sweep.json").read_text())
    names = ("status", "key", "value", "error")
    return {point["label"]: tuple(point[n] for n in names) for point in content["points"]}


def ends(*ended: str, then: BaseException | None = None) -> Launch:
    """A launcher under which the points `ended` are done and what follows is cut off by `then`."""

    def launch(*_: object) -> None:
        for seed in ended:
            done = {"status": "done", "key": f"key {seed}", "value": 7, "error": None}
            write_json(point_file("s", [f"data.seed={seed}"]), done)
        if then is not None:
            raise then

    return launch


def test_values_that_hydra_spells_in_another_way_are_done_and_not_missing(
    monkeypatch: pytest.MonkeyPatch, project: Path
) -> None:
    fixed = ["ann.learning_rate=1e-3", "conversion.percentile=99.90", "ann.weights=a b.file"]
    (project / "a b.file").touch()
    assert sweep(monkeypatch, "data", *ARGUMENTS, *fixed, "data.seed=0,1") == 0
    assert [found[0] for found in outcome().values()] == ["done", "done"]


def test_a_sweep_of_the_data_step_ends_with_its_table_and_chart(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep(monkeypatch, "data", *ARGUMENTS, "data.seed=0,1") == 0
    assert "  data.seed=1: 1437.00" in capsys.readouterr().out
    assert len(result_files(Path.cwd())) == 2
    assert Path("store/sweeps/s/sweep.csv").is_file()


def test_a_sweep_without_a_name_may_be_named_by_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = SimpleNamespace(hexdigest=lambda: "1234567890")
    monkeypatch.setattr(asked, "hashlib", SimpleNamespace(sha256=lambda text: digest))
    assert sweep(monkeypatch, "data", "run.track=false", "data.seed=0,1") == 0
    assert [found[0] for found in outcome("12345678").values()] == ["done", "done"]


def test_hydras_own_sweeper_parameters_are_points_too(
    monkeypatch: pytest.MonkeyPatch, project: Path
) -> None:
    with (project / "conf" / "config.yaml").open("a", encoding="utf-8") as file:
        file.write("  sweeper:\n    params:\n      data.seed: 0,1\n")
    assert sweep(monkeypatch, "data", *ARGUMENTS, "data.validation=100") == 0
    assert list(outcome()) == ["data.seed=0", "data.seed=1"]
    assert [found[0] for found in outcome().values()] == ["done", "done"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["conversion.pooling=${conversion.reset}", "conversion.reset=subtract,zero"],
            "point conversion.reset=subtract: conversion.pooling must be one of",
        ),
        (["data=digits,folder"], "point data=folder: data.path must be given"),
        (["ann.weights='',gone.safetensors"], "point ann.weights=gone.safetensors: ann.weights"),
        (["ann.network=digits_cnn,nowhere.model:make"], "there is no module nowhere"),
        (["simulation.device=cpu,cuda"], "point simulation.device=cuda: simulation.device must be"),
        (["run.track=true,false"], "Ambiguous value"),
        (["run.study=digits-ablation"], "run.study is of a single call, not of a sweep"),
        (["hydra/launcher=nowhere"], "Could not find 'hydra/launcher/nowhere'"),
        (["conversion.reset=${nowhere}"], "Interpolation key 'nowhere' not found"),
        (["run.plan=true", "data=digits,folder"], "point data=folder: data.path must be given"),
        (
            ["data.seed=0,1", "hydra.sweeper.max_batch_size=-1"],
            "must be null or at least 1, got -1",
        ),
        (["hydra.sweeper.params={data.seed: 1}"], "write each of them as an override of its own"),
        (["run.plan=true", "data.seed=0,1", "run.name=4"], "run.name must be text, got 4"),
        (["data.seed=0,1", "run.name=a/b"], "run.name must be of letters, digits and ._+-"),
        (["data.seed=0,1", "run.name=.."], "run.name must be of letters, digits and ._+-"),
        (["data.seed=0,1", 'run.name="it\'s"'], "run.name must be of letters, digits and ._+-"),
    ],
)
def test_a_point_that_cannot_be_is_named_before_any_is_run(
    overrides: list[str], message: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert sweep(monkeypatch, "simulation", *overrides) == 2
    require_refused(capsys, message)


def test_a_sweeper_of_another_package_is_refused(
    monkeypatch: pytest.MonkeyPatch, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (project / "conf" / "config.yaml").open("a", encoding="utf-8") as file:
        file.write("  sweeper:\n    _target_: hydra_plugins.optuna.OptunaSweeper\n")
    assert sweep(monkeypatch, "data", "data.seed=0,1") == 2
    assert "hydra/sweeper must be one of basic, optuna" in capsys.readouterr().err


def test_more_images_than_there_are_is_told_before_any_point_is_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep(monkeypatch, "data", *ARGUMENTS) == 0
    assert sweep(monkeypatch, "simulation", *ARGUMENTS, "simulation.images=60,361") == 2
    said = capsys.readouterr().err
    assert "point simulation.images=361: simulation.images must be at most 360" in said


@pytest.mark.parametrize("sweeper", ["basic", "optuna"])
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["data.calibration=100000"], "calibration"),
        (["data.validation=1437"], "validation"),
        (["simulation.images=201"], "must be at most 200, the validation images"),
        (["simulation.images=301", "data.validation=300"], "must be at most 300, the validation"),
    ],
)
def test_what_only_the_data_can_tell_is_told_once_and_nothing_is_kept(
    wrong: list[str], message: str, sweeper: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Where nobody knows the data yet: a search, a sweep and a single run learn them at first."""
    wrong = [*wrong, "simulation.part=validation"]
    over = [*ARGUMENTS, *wrong, "conversion.percentile=98,99", f"hydra/sweeper={sweeper}"]
    assert sweep(monkeypatch, "simulation", *over) in (1, 2)
    monkeypatch.setattr(sys, "argv", ["stage", ARGUMENTS[0], *wrong])
    with pytest.raises(SystemExit):
        run("simulation")
    several, single = capsys.readouterr().err.splitlines()
    for line in (several, single):
        assert line.startswith("error: ")
        assert message in line
    assert result_files(Path()) == {}
    assert not Path("store/sweeps").exists()


def test_points_of_a_study_learn_unknown_data_before_the_first_is_run(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    params = OmegaConf.load(project / "params.yaml")
    params.studies["digits-ablation"].points["subtraction"].append("simulation.images=361")
    OmegaConf.save(params, project / "params.yaml")
    arguments = ["stage", ARGUMENTS[0], "run.study=digits-ablation"]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit):
        run("simulation")
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert "point digits-ablation/subtraction: simulation.images must be at most 360" in line
    assert result_files(project) == {}


def test_a_gpu_is_not_asked_for_where_the_points_run_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    launched: list[list[list[str]]] = []
    launched_by(monkeypatch, lambda config, points, task: launched.append([*points.values()]))
    arguments = ["run.track=false", "simulation.device=cuda", "hydra/launcher=submitit_slurm"]
    assert sweep(monkeypatch, "simulation", *arguments) == 1
    assert launched == [[["simulation.device=cuda", "run.track=false"]]]


def test_a_launcher_that_fails_takes_neither_table_nor_chart_nor_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An earlier sweep of that name had its point done; it says nothing of this one."""
    overrides = [*ARGUMENTS, "data.seed=0,1,2"]
    launched_by(monkeypatch, ends("0", "1", "2"))
    assert sweep(monkeypatch, "data", *overrides) == 0
    begun = point_file("s", ["data.seed=2"])

    def killed(*_: object) -> None:
        ends("0")(OmegaConf.create(), {}, None)
        write_json(begun, {"status": "begun", "key": None, "value": None, "error": None})
        raise RuntimeError("a worker was killed\nand a long story")

    launched_by(monkeypatch, killed)
    assert sweep(monkeypatch, "data", *overrides) == 1
    assert outcome() == {
        "data.seed=0": ("done", "key 0", 7, None),
        "data.seed=1": NOTHING_KNOWN,
        "data.seed=2": (
            "begun", None, None, "begun and not ended: its process was killed, or runs elsewhere",
        ),
    }  # fmt: skip
    said = capsys.readouterr()
    assert said.err == "error: the launcher stopped: a worker was killed\n"
    assert "2 of 3 points are not done; the same command goes on with them" in said.out
    assert Path("store/sweeps/s/sweep.png").is_file()


def test_a_launchers_exit_is_no_end_of_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    launched_by(monkeypatch, ends(then=SystemExit(1)))
    assert sweep(monkeypatch, "data", *ARGUMENTS, "data.seed=0,1") == 1
    assert set(outcome().values()) == {NOTHING_KNOWN}


def test_an_interrupted_sweep_writes_down_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    launched_by(monkeypatch, ends("1", then=KeyboardInterrupt()))
    monkeypatch.setattr(sys, "argv", ["stage", "-m", *ARGUMENTS, "data.seed=0,1"])
    with pytest.raises(KeyboardInterrupt):
        run("data")
    assert [found[0] for found in outcome().values()] == ["missing", "done"]


def test_where_a_killed_process_takes_joblibs_others_with_it_the_rest_is_launched_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rounds = [ends("0", then=RuntimeError("killed")), ends("1", then=RuntimeError()), ends("2")]
    launched: list[int] = []

    def launch(config: DictConfig, points: dict[Path, list[str]], task: object) -> None:
        launched.append(len(points))
        rounds.pop(0)(config, points, task)

    launched_by(monkeypatch, launch)
    arguments = [*ARGUMENTS, "hydra/launcher=joblib", "data.seed=0,1,2"]
    assert sweep(monkeypatch, "data", *arguments) == 0
    assert launched == [3, 2, 1]


def test_a_launcher_that_begins_nothing_more_is_not_launched_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[int] = []

    def launch(*_: object) -> None:
        calls.append(1)
        raise RuntimeError("no")

    launched_by(monkeypatch, launch)
    arguments = [*ARGUMENTS, "hydra/launcher=joblib", "data.seed=0,1,2"]
    assert sweep(monkeypatch, "data", *arguments) == 1
    assert len(calls) == 1


def test_the_sweepers_batches_are_launched_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batches: list[tuple[int, int]] = []
    fake = SimpleNamespace(
        launch=lambda points, initial_job_idx: batches.append((len(points), initial_job_idx))
    )
    monkeypatch.setattr(Plugins, "instantiate_launcher", lambda *_: fake)
    arguments = [*ARGUMENTS, "hydra.sweeper.max_batch_size=2", "data.seed=0,1,2"]
    assert sweep(monkeypatch, "data", *arguments) == 1
    assert batches == [(2, 0), (1, 2)]


@pytest.mark.parametrize(
    ("step", "cores", "overrides", "jobs"),
    [
        ("simulation", 16, ["ann.seed=range(0,12)"], 8),
        ("simulation", 16, ["ann.seed=range(0,3)"], 3),
        ("simulation", 16, ["ann.seed=range(0,12)", "ann.threads=5"], 3),
        ("simulation", 2, ["ann.seed=range(0,12)"], 1),
        ("simulation", 1, ["ann.seed=range(0,12)"], 1),
        ("ann", 4, ["ann.seed=range(0,12)"], 2),
        ("data", 4, ["data.seed=range(0,12)"], 4),
        ("simulation", 4, ["ann.seed=range(0,12)", "ann.weights=given.safetensors"], 4),
        ("data", 4, ["data.seed=range(0,12)", "hydra.launcher.n_jobs=2"], 2),
    ],
)
def test_as_many_points_at_once_as_their_trainings_fit_unless_a_number_is_given(
    step: str, cores: int, overrides: list[str], jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("given.safetensors").touch()
    found: list[int] = []
    monkeypatch.setattr(launchers, "available_cores", lambda: cores)
    launched_by(monkeypatch, lambda config, *_: found.append(config.hydra.launcher.n_jobs))
    assert sweep(monkeypatch, step, *ARGUMENTS, "hydra/launcher=joblib", *overrides) == 1
    assert found == [jobs]


@pytest.mark.parametrize(
    ("jobs", "threads"), [(None, 0), (1, 0), (3, 2), (-1, 1), (-2, 1), (20, 1)]
)
def test_a_point_takes_its_share_of_the_cores(
    jobs: int | None, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher = {"_target_": "a.Launcher"} | ({} if jobs is None else {"n_jobs": jobs})
    monkeypatch.setattr(launchers, "available_cores", lambda: 8)
    config = OmegaConf.create({"hydra": {"launcher": launcher}})
    assert launchers.share_cores("simulation", config, []) == threads


@pytest.mark.parametrize(("given", "threads"), [(0, 3), (7, 7)])
def test_a_simulations_own_threads_go_before_its_share(
    given: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[int] = []
    monkeypatch.setattr(grid, "share_cores", lambda *_: 3)
    monkeypatch.setattr(
        Chain, "record", lambda chain, step: found.append(chain.settings.simulation.threads)
    )
    sweep(monkeypatch, "data", *ARGUMENTS, f"simulation.threads={given}")
    assert found == [threads]


def test_a_point_that_leaves_the_program_is_a_failed_point(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def leave(chain: Chain, step: str) -> None:
        raise SystemExit(3)

    monkeypatch.setattr(Chain, "record", leave)
    assert sweep(monkeypatch, "data", *ARGUMENTS, "data.seed=0,1") == 1
    assert set(outcome().values()) == {("failed", None, None, "SystemExit: 3")}


@pytest.mark.parametrize(
    ("error", "reason"),
    [(ValueError("no such store"), "no such store"), (RuntimeError(), "RuntimeError")],
)
def test_a_finished_sweep_stays_finished_whatever_is_wrong_with_mlflow(
    error: Exception, reason: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def refuse(project: Path, *, progress: bool) -> None:
        raise error

    monkeypatch.setattr("ann2snn.tracking.sync.sync", refuse)
    launched_by(monkeypatch, ends("0", "1"))
    assert sweep(monkeypatch, "data", "run.name=s", "data.seed=0,1") == 0
    assert capsys.readouterr().err == (
        f"not sent to MLflow: {reason}; the records wait for python -m ann2snn.tracking\n"
    )


def test_a_store_of_a_kind_that_is_not_known_lets_the_sweep_end_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://someone:secret@host/runs")
    assert sweep(monkeypatch, "data", "run.name=s", "data.seed=0,1") == 0
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("not sent to MLflow: the MLflow URI must begin with")
    assert "secret" not in said


def test_an_error_of_the_callback_itself_ends_the_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Hydra alone would warn, and run every point without a check."""

    def fail(*_: object) -> None:
        raise KeyError("a fault")

    monkeypatch.setattr(grid, "forget", fail)
    assert sweep(monkeypatch, "data", *ARGUMENTS, "data.seed=0,1") == 1
    assert "KeyError: 'a fault'" in capsys.readouterr().err
    assert not Path("store").exists()
