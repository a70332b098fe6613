"""Sweeps over the real chain on digits: what is done is not done again, whatever was killed."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.project import (
    QUICK,
    ROOT,
    environment,
    make_project,
    result_files,
    run_stage,
    stage_command,
)

GRID = [
    "conversion.reset=subtract,zero",
    "conversion.input=analog,poisson",
    "conversion.percentile=90,95,98,99,99.9,100",
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which the quick network is trained."""
    project = make_project(tmp_path_factory.mktemp("trained") / "project")
    done = run_stage(project, "ann", "run.track=false", *QUICK)
    assert done.returncode == 0, done.stderr
    return project


@pytest.fixture
def project(trained: Path, tmp_path: Path) -> Iterator[Path]:
    copy = tmp_path / "project"
    shutil.copytree(trained, copy)
    yield copy
    shutil.rmtree(copy)


def test_a_sweep_trains_once_and_reports_every_point(project: Path) -> None:
    done = run_stage(
        project, "simulation", "-m", "run.track=false", "run.name=s", *QUICK, GRID[0], GRID[1]
    )
    assert done.returncode == 0, done.stderr
    content = json.loads((project / "store" / "sweeps" / "s" / "sweep.json").read_text())
    assert [point["status"] for point in content["points"]] == ["done"] * 4
    assert len({point["key"] for point in content["points"]}) == 4
    steps = [path.split("/")[0] for path in result_files(project)]
    assert (steps.count("ann"), steps.count("statistics"), steps.count("simulation")) == (1, 1, 4)
    assert "conversion.reset=zero, conversion.input=poisson" in done.stdout
    folder = project / "store" / "sweeps" / "s"
    assert {path.name for path in folder.glob("sweep.*")} == {
        "sweep.csv", "sweep.json", "sweep.png", "sweep.svg",
    }  # fmt: skip
    again = run_stage(project, "simulation", "-m", "run.plan=true", *QUICK, GRID[0], GRID[1])
    assert "4 points; 0 results to compute" in again.stdout


@pytest.mark.parametrize(
    ("overrides", "points"), [(["run.study=digits-ablation"], 5), (["data=digits"], 1)]
)
def test_a_plan_of_a_study_or_a_single_run_computes_nothing(
    overrides: list[str], points: int, tmp_path: Path
) -> None:
    project = make_project(tmp_path / "project")
    for state, loaded in (
        ("not known", set()),
        ("open: ann, statistics, conversion, simulation", {"data"}),
    ):
        if loaded:
            run_stage(project, "data", "data=digits", "run.track=false")
        done = run_stage(project, "simulation", "run.plan=true", *overrides)
        assert done.returncode == 0, done.stderr
        assert f"{points} points; " in done.stdout
        assert done.stdout.count(f": {state}\n") == points
        assert {path.split("/")[0] for path in result_files(project)} == loaded


@pytest.mark.parametrize(
    "launcher", [["joblib", "hydra.launcher.n_jobs=2"], ["submitit_local"]], ids=lambda own: own[0]
)
def test_points_on_other_processes_give_the_records_of_a_plain_sweep(
    project: Path, tmp_path: Path, launcher: list[str]
) -> None:
    plain = tmp_path / "plain"
    shutil.copytree(project, plain)
    name, *more = launcher
    arguments = ["-m", "run.track=false", "run.name=s", *QUICK, GRID[0]]
    for folder, chosen in ((plain, []), (project, [f"hydra/launcher={name}", *more])):
        done = run_stage(folder, "simulation", *arguments, *chosen)
        assert done.returncode == 0, done.stderr
    assert result_files(project) == result_files(plain)
    content = json.loads((project / "store" / "sweeps" / "s" / "sweep.json").read_text())
    assert [point["status"] for point in content["points"]] == ["done", "done"]


def test_two_spellings_of_one_value_are_one_result(project: Path) -> None:
    overrides = ["-m", "run.track=false", *QUICK, "conversion.percentile=100,100.0"]
    done = run_stage(project, "simulation", *overrides)
    assert done.returncode == 0, done.stderr
    assert sum(path.startswith("simulation/") for path in result_files(project)) == 1


def test_a_failing_point_is_reported_and_stops_no_other(project: Path) -> None:
    (project / "broken.safetensors").write_bytes(b"no weights")
    done = run_stage(
        project, "simulation", "-m", "run.track=false", "run.name=f", *QUICK,
        "ann.weights=broken.safetensors,''",
    )  # fmt: skip
    assert done.returncode == 1
    assert "ann.weights=broken.safetensors: failed: " in done.stderr
    content = json.loads((project / "store" / "sweeps" / "f" / "sweep.json").read_text())
    assert [point["status"] for point in content["points"]] == ["failed", "done"]


@pytest.mark.system
def test_a_killed_process_takes_the_rest_of_a_joblib_sweep_with_it_no_more(project: Path) -> None:
    (project / "killer.py").write_text(
        "import os, signal\ndef make(shape, classes):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        stage_command(
            "ann", "-m", "run.track=false", "run.name=j", "ann.epochs=1", "ann.seed=0,1,2",
            "ann.network=killer:make,digits_cnn", "hydra/launcher=joblib",
            "hydra.launcher.n_jobs=2",
        ),
        cwd=project, capture_output=True, text=True, check=False,
        env={**environment(), "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{project}"},
    )  # fmt: skip
    assert done.returncode == 1
    content = json.loads((project / "store" / "sweeps" / "j" / "sweep.json").read_text())
    states = {point["label"]: point["status"] for point in content["points"]}
    assert {states[f"ann.seed={seed}, ann.network=killer:make"] for seed in (0, 1, 2)} == {"begun"}
    assert "missing" not in states.values()
    assert "Traceback" not in done.stderr
    assert done.stderr.count("the launcher stopped: A worker process") >= 1


@pytest.fixture(scope="module")
def calm(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which a sweep over the grid ran undisturbed."""
    copy = tmp_path_factory.mktemp("calm") / "project"
    shutil.copytree(trained, copy)
    done = run_stage(copy, "simulation", "-m", "run.name=k", *QUICK, *GRID)
    assert done.returncode == 0, done.stderr
    return copy


def started_sweep(project: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        stage_command("simulation", "-m", *QUICK, *arguments),
        cwd=project, env=environment(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def finished(project: Path) -> int:
    """The number of simulations in the project's store."""
    return len(list(project.glob("store/simulation/*/record.json")))


def assert_same_results(project: Path, calm: Path) -> None:
    """Every record of the undisturbed sweep, byte for byte, and its 24 runs once each."""
    mine, undisturbed = result_files(project), result_files(calm)
    assert set(mine) == set(undisturbed)
    for path, content in undisturbed.items():
        assert mine[path] == content, path
    assert len(logged_simulations(calm)) == 24
    assert logged_simulations(project) == logged_simulations(calm)


@pytest.mark.system
def test_a_sweep_killed_ten_times_ends_as_an_undisturbed_one(calm: Path, project: Path) -> None:
    draw = random.Random(0)
    for _ in range(10):
        process = started_sweep(project, "run.name=k", *GRID)
        # at most two more points each time: ten times do not suffice for all 24, however fast
        most, end = finished(project) + 2, time.monotonic() + draw.uniform(1, 10)
        while time.monotonic() < end and finished(project) < most:
            time.sleep(0.02)
        assert process.poll() is None, "the sweep ended before its tenth kill"
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    done = run_stage(project, "simulation", "-m", "run.name=k", *QUICK, *GRID)
    assert done.returncode == 0, done.stderr
    assert_same_results(project, calm)


@pytest.mark.system
def test_two_sweeps_over_the_same_points_at_once_share_their_results(
    calm: Path, project: Path
) -> None:
    """The second goes through the percentiles in the other direction."""
    backwards = GRID[2].split("=")[1].split(",")[::-1]
    other = [*GRID[:2], f"conversion.percentile={','.join(backwards)}"]
    pair = [
        started_sweep(project, "run.name=k", *GRID), started_sweep(project, "run.name=o", *other)
    ]  # fmt: skip
    assert [process.wait() for process in pair] == [0, 0]
    assert_same_results(project, calm)


@pytest.mark.system
def test_the_runs_of_a_multirun_stand_in_mlflow_under_one_parent(project: Path) -> None:
    done = run_stage(project, "simulation", "-m", "run.name=resets", *QUICK, GRID[0])
    assert done.returncode == 0, done.stderr
    assert len(logged_simulations(project)) == 2
    parents = {tags["mlflow.parentRunId"] for tags in tags_of_simulations(project)}
    assert len(parents) == 1


def logged_simulations(project: Path) -> list[str]:
    """The run keys of all simulations in the project's MLflow, with repetitions."""
    return sorted(tags["run_key"] for tags in tags_of_simulations(project))


def tags_of_simulations(project: Path) -> list[dict[str, str]]:
    """The tags of every run in the project's MLflow that is a simulation's result."""
    code = (
        "import json\n"
        "from pathlib import Path\n"
        "from ann2snn.tracking.server import connect, place_of\n"
        "client = connect(place_of(Path.cwd()))\n"
        "ids = [e.experiment_id for e in client.search_experiments()]\n"
        "runs = client.search_runs(ids, \"tags.step = 'simulation'\", max_results=1000)\n"
        "print('TAGS', json.dumps([run.data.tags for run in runs]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project, env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: list[dict[str, str]] = json.loads(done.stdout.split("TAGS ")[1])
    return [tags for tags in found if len(tags.get("run_key", "")) == 64]
