"""What a sweep refuses before it begins, and what it tells when its processes end early.

In this process, over the data step of digits, which takes milliseconds.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from ann2snn.config.schema import composed
from ann2snn.pipeline.application import run
from ann2snn.pipeline.chain import Chain
from ann2snn.records import write_json
from ann2snn.settings import SettingError
from ann2snn.sweep import multirun as sweep
from ann2snn.sweep.table import point_file
from tests.pipeline.project import make_project, result_files

ARGUMENTS = ["run.track=false", "run.name=s"]
NOTHING_KNOWN = ("missing", None, None, "not begun")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make_project(tmp_path / "project")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["stage"])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    return folder


def call(monkeypatch: pytest.MonkeyPatch, step: str, *arguments: str) -> int:
    """Runs a stage in this process; gives its exit code."""
    monkeypatch.setattr(sys, "argv", ["stage", *arguments])
    with pytest.raises(SystemExit) as end:
        run(step)
    return int(str(end.value.code))


def outcome(name: str = "s") -> dict[str, tuple[Any, ...]]:
    """(status, key, value, error) of the points of a sweep, by label."""
    content = json.loads((Path("store/sweeps") / name / "sweep.json").read_text())
    names = ("status", "key", "value", "error")
    return {point["label"]: tuple(point[n] for n in names) for point in content["points"]}


def ends(*ended: str, then: BaseException | None = None) -> Callable[[], None]:
    """A launcher under which the points `ended` are done and what follows is cut off by `then`."""

    def launch() -> None:
        for seed in ended:
            done = {"status": "done", "key": f"key {seed}", "value": 7, "error": None}
            write_json(point_file("s", [f"data.seed={seed}"]), done)
        if then is not None:
            raise then

    return launch


def never() -> None:
    raise AssertionError("nothing may be launched")


def test_values_that_hydra_spells_in_another_way_are_done_and_not_missing(
    monkeypatch: pytest.MonkeyPatch, project: Path
) -> None:
    fixed = ["ann.learning_rate=1e-3", "conversion.percentile=99.90", "ann.weights=a b.file"]
    (project / "a b.file").touch()
    assert call(monkeypatch, "data", "-m", *ARGUMENTS, *fixed, "data.seed=0,1") == 0
    assert [found[0] for found in outcome().values()] == ["done", "done"]


def test_a_sweep_of_the_data_step_ends_with_its_table_and_chart(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "data", "-m", *ARGUMENTS, "data.seed=0,1") == 0
    assert "  data.seed=1: 1437.00" in capsys.readouterr().out
    assert len(result_files(Path.cwd())) == 2
    assert Path("store/sweeps/s/sweep.csv").is_file()


def test_a_sweep_without_a_name_may_be_named_by_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hydra would read `run.name=12345678` as a number, which is no name."""
    digest = SimpleNamespace(hexdigest=lambda: "1234567890")
    monkeypatch.setattr(sweep, "hashlib", SimpleNamespace(sha256=lambda text: digest))
    assert call(monkeypatch, "data", "-m", "run.track=false", "data.seed=0,1") == 0
    assert [found[0] for found in outcome("12345678").values()] == ["done", "done"]


def test_hydras_own_sweeper_parameters_are_points_too(
    monkeypatch: pytest.MonkeyPatch, project: Path
) -> None:
    with (project / "conf" / "config.yaml").open("a", encoding="utf-8") as file:
        file.write("  sweeper:\n    params:\n      data.seed: 0,1\n")
    assert call(monkeypatch, "data", "-m", *ARGUMENTS, "data.validation=100") == 0
    assert list(outcome()) == ["data.seed=0", "data.seed=1"]
    assert [found[0] for found in outcome().values()] == ["done", "done"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["ann.network=cifar10_cnn,cifar10_cn", "conversion.reset=zero"],
            r"^point ann\.network=cifar10_cn: ann\.network must be one of .* got 'cifar10_cn'",
        ),
        (["data=digits,folder"], r"^point data=folder: data\.path must be given"),
        (["ann.weights='',gone.safetensors"], r"^point ann\.weights=gone\.safetensors: .*no"),
        (
            ["ann.network=digits_cnn,nowhere.model:make"],
            r"nowhere\.model:make: .*no module nowhere",
        ),
        (["simulation.device=cpu,cuda"], r"^point simulation\.device=cuda: .*finds no GPU"),
        (["run.track=true,false"], "Ambiguous value"),
        (["run.study=digits-ablation"], "of a single call, not of a sweep"),
        (["hydra/launcher=nowhere"], "Could not find 'hydra/launcher/nowhere'"),
        (["conversion.reset=${nowhere}"], "^Interpolation key 'nowhere' not found"),
        (["run.plan=true", "ann.network=digits_cnn,digits_cn"], "^point ann.network=digits_cn: "),
    ],
)
def test_a_point_that_cannot_be_is_named_before_any_is_run(
    overrides: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SettingError, match=message):
        sweep.run_multirun("simulation", ["run.track=false", *overrides], never)
    assert not Path("store").exists()


def test_more_images_than_there_are_is_told_before_any_point_is_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert call(monkeypatch, "data", "-m", *ARGUMENTS) == 0
    with pytest.raises(SettingError, match=r"point simulation.images=361: .* at most 360"):
        sweep.run_multirun("simulation", [*ARGUMENTS, "simulation.images=60,361"], never)


def test_a_gpu_is_not_asked_for_where_the_points_run_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    launched: list[str] = []
    with pytest.warns(UserWarning, match="submitit_slurm"):
        sweep.run_multirun(
            "simulation",
            [*ARGUMENTS, "simulation.device=cuda", "hydra/launcher=submitit_slurm"],
            lambda: launched.append("once"),
        )
    assert launched == ["once"]


def test_a_launcher_that_fails_takes_neither_table_nor_chart_nor_exit_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An earlier sweep of that name had its point done; it says nothing of this one."""
    overrides = [*ARGUMENTS, "data.seed=0,1,2"]
    assert sweep.run_multirun("data", overrides, ends("0", "1", "2")) == 0
    begun = point_file("s", ["data.seed=2"])

    def killed() -> None:
        ends("0")()
        write_json(begun, {"status": "begun", "key": None, "value": None, "error": None})
        raise RuntimeError("a worker was killed\nand a long story")

    assert sweep.run_multirun("data", overrides, killed) == 1
    assert outcome() == {
        "data.seed=0": ("done", "key 0", 7, None),
        "data.seed=1": NOTHING_KNOWN,
        "data.seed=2": (
            "begun", None, None, "begun and not ended: its process was killed, or runs elsewhere",
        ),
    }  # fmt: skip
    said = capsys.readouterr()
    assert said.err == "the launcher stopped: a worker was killed\n"
    assert "2 of 3 points are not done; the same command goes on with them" in said.out
    assert Path("store/sweeps/s/sweep.png").is_file()


def test_hydras_exit_is_no_end_of_the_sweep() -> None:
    assert sweep.run_multirun("data", [*ARGUMENTS, "data.seed=0,1"], ends(then=SystemExit(1))) == 1
    assert set(outcome().values()) == {NOTHING_KNOWN}


def test_an_interrupted_sweep_writes_down_what_is_done() -> None:
    launch = ends("1", then=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        sweep.run_multirun("data", [*ARGUMENTS, "data.seed=0,1"], launch)
    assert [found[0] for found in outcome().values()] == ["missing", "done"]


def test_where_a_killed_process_takes_joblibs_others_with_it_the_rest_is_launched_again() -> None:
    rounds = [ends("0", then=RuntimeError("killed")), ends("1", then=RuntimeError()), ends("2")]
    arguments = [*ARGUMENTS, "hydra/launcher=joblib", "data.seed=0,1,2"]
    assert sweep.run_multirun("data", arguments, lambda: rounds.pop(0)()) == 0
    assert not rounds


def test_a_launcher_that_begins_nothing_more_is_not_launched_for_ever() -> None:
    calls: list[int] = []

    def launch() -> None:
        calls.append(1)
        raise RuntimeError("no")

    arguments = [*ARGUMENTS, "hydra/launcher=joblib", "data.seed=0,1,2"]
    assert sweep.run_multirun("data", arguments, launch) == 1
    assert len(calls) == 1


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
    ],
)
def test_as_many_points_at_once_as_their_trainings_fit(
    step: str, cores: int, overrides: list[str], jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("given.safetensors").touch()
    monkeypatch.setattr(sweep, "available_cores", lambda: cores)
    arguments = [*ARGUMENTS, "hydra/launcher=joblib", *overrides]
    sweep.run_multirun(step, arguments, ends())
    assert sys.argv[-1] == f"hydra.launcher.n_jobs={jobs}"


def test_a_given_number_of_jobs_stays() -> None:
    arguments = [*ARGUMENTS, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "data.seed=0,1"]
    sweep.run_multirun("data", arguments, ends("0", "1"))
    assert sys.argv == ["stage"]


@pytest.mark.parametrize(
    ("jobs", "given", "threads"), [(None, 0, 0), (1, 0, 0), (3, 0, 2), (-1, 0, 1), (-2, 0, 1),
                                   (20, 0, 1), (3, 7, 7)],
)  # fmt: skip
def test_a_point_takes_its_share_of_the_cores(
    jobs: int | None, given: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher = {} if jobs is None else {"n_jobs": jobs}
    monkeypatch.setattr(sweep, "available_cores", lambda: 8)
    monkeypatch.setattr(
        sweep, "HydraConfig", SimpleNamespace(get=lambda: SimpleNamespace(launcher=launcher))
    )
    settings = composed([f"simulation.threads={given}"])
    assert sweep._alone_on_its_cores(settings).simulation.threads == threads


def test_a_point_that_leaves_the_program_is_a_failed_point(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def leave(chain: Chain, step: str) -> None:
        raise SystemExit(3)

    monkeypatch.setattr(Chain, "record", leave)
    assert call(monkeypatch, "data", "-m", *ARGUMENTS, "data.seed=0,1") == 1
    assert set(outcome().values()) == {("failed", None, None, "SystemExit: 3")}


@pytest.mark.parametrize(
    ("error", "reason"),
    [(ValueError("no such store"), "no such store"), (RuntimeError(), "RuntimeError")],
)
def test_a_finished_sweep_stays_finished_whatever_is_wrong_with_mlflow(
    error: Exception, reason: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def refuse(project: Path) -> None:
        raise error

    monkeypatch.setattr("ann2snn.tracking.sync.sync", refuse)
    assert sweep.run_multirun("data", ["run.name=s", "data.seed=0,1"], ends("0", "1")) == 0
    assert capsys.readouterr().err == (
        f"not sent to MLflow: {reason}; the records wait for python -m ann2snn.tracking\n"
    )


def test_a_store_of_a_kind_that_is_not_known_lets_the_sweep_end_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://someone:secret@host/runs")
    assert call(monkeypatch, "data", "-m", "run.name=s", "data.seed=0,1") == 0
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("not sent to MLflow: the MLflow URI must begin with")
    assert "secret" not in said


def test_the_environment_asks_hydra_to_raise_its_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Hydra ends the program for would end the sweep's table too."""
    monkeypatch.delenv("HYDRA_FULL_ERROR")
    sweep.run_multirun("data", [*ARGUMENTS, "data.seed=0"], ends())
    assert os.environ["HYDRA_FULL_ERROR"] == "1"
