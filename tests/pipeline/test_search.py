"""A search chooses as Optuna does, again and again alike, on validation images alone."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ann2snn.pipeline.application import run
from ann2snn.records import Json
from ann2snn.sweep import search as searching
from ann2snn.sweep.search_settings import OBJECTIVES, SAMPLERS, SearchSettings
from ann2snn.sweep.search_space import space_of
from ann2snn.sweep.search_table import Trial, front
from tests.pipeline.project import (
    environment,
    heed_all,
    make_project,
    result_files,
    run_stage,
    stage_command,
)

SEARCH = ["-m", "hydra/sweeper=optuna", "run.track=false"]
QUICK = ["ann.epochs=1", "simulation.steps=8", "simulation.part=validation"]
OVER = ["conversion.percentile=interval(90,100)", "conversion.spikes=binary,signed",
        "conversion.reset=subtract,zero"]  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a search of eight trials."""
    project = make_project(tmp_path_factory.mktemp("searched") / "project")
    done = search(project, 8)
    assert done.returncode == 0, done.stderr
    return project


def search(project: Path, trials: int, *more: str) -> subprocess.CompletedProcess[str]:
    size = f"hydra.sweeper.n_trials={trials}"
    return run_stage(project, "simulation", *SEARCH, "run.name=s", *QUICK, *OVER, size, *more)


def trials_of(project: Path, name: str = "s") -> list[tuple[str, str | None, str]]:
    """(label, key, status) of the trials of a search."""
    content = json.loads((project / "store" / "sweeps" / name / "sweep.json").read_text())
    return [(point["label"], point["key"], point["status"]) for point in content["points"]]


def test_the_same_command_chooses_the_same_trials_and_computes_none_again(trained: Path) -> None:
    before, files = trials_of(trained), result_files(trained)
    assert {status for *_, status in before} == {"done", "refused"}
    again = search(trained, 8)
    assert again.returncode == 0, again.stderr
    done = sum(status == "done" for *_, status in before)
    assert f"8 of 8 trials, {done} of them there before" in again.stdout
    assert (trials_of(trained), result_files(trained)) == (before, files)


def test_toggles_that_do_not_go_together_are_a_refused_trial(trained: Path) -> None:
    for label, key, status in trials_of(trained):
        never = "spikes=signed" in label and "reset=zero" in label
        assert (status == "refused", key is None) == (never, never), label


def test_a_longer_search_begins_with_the_trials_of_the_shorter_one(trained: Path) -> None:
    shorter = trials_of(trained)
    longer = search(trained, 10, "run.name=longer", "hydra.sweeper.n_jobs=3",
                    "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")  # fmt: skip
    assert longer.returncode == 0, longer.stderr
    assert trials_of(trained, "longer")[:8] == shorter
    assert {path.name for path in (trained / "store" / "sweeps" / "longer").glob("sweep.*")} == {
        "sweep.csv", "sweep.json", "sweep.png", "sweep.svg",
    }  # fmt: skip


def test_a_plan_tells_the_next_trials_and_computes_nothing(trained: Path) -> None:
    files = result_files(trained)
    assert "8 of 8 trials are done" in search(trained, 8, "run.plan=true").stdout
    other = search(trained, 8, "run.plan=true", "hydra.sweeper.seed=1")
    assert "1 points; 2 results to compute" in other.stdout
    assert "0 of 8 trials are done" in other.stdout
    assert result_files(trained) == files


def test_values_of_a_range_have_the_keys_of_a_plain_sweep(trained: Path) -> None:
    over = [*QUICK, "conversion.percentile=range(97,99.5,0.5)"]
    found = run_stage(trained, "simulation", *SEARCH, "run.name=r", *over,
                      "hydra.sweeper.sampler=random", "hydra.sweeper.n_trials=25")  # fmt: skip
    assert found.returncode == 0, found.stderr
    files = result_files(trained)
    plain = run_stage(trained, "simulation", "-m", "run.track=false", "run.name=p", *over)
    assert plain.returncode == 0, plain.stderr
    assert "5 points; 0 results to compute" in plain.stdout
    assert result_files(trained) == files
    searched = {key for _, key, _ in trials_of(trained, "r")}
    assert searched == {key for _, key, _ in trials_of(trained, "p")}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["kill", "term"])
def test_a_search_that_was_stopped_goes_on_with_the_same_trials(
    number: signal.Signals, trained: Path
) -> None:
    name = f"run.name=stop{number}"
    seed = ["hydra.sweeper.seed=7", f"simulation.seed={number}"]
    size = "hydra.sweeper.n_trials=6"
    command = stage_command("simulation", *SEARCH, name, *QUICK, *OVER, *seed, size)
    before = len(result_files(trained))
    process = subprocess.Popen(
        command, cwd=trained, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=heed_all, text=True,
    )  # fmt: skip
    while len(result_files(trained)) < before + 3 and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(number)
    process.communicate()
    assert process.returncode == (-9 if number == signal.SIGKILL else 143)
    kept = {path: own for path, own in result_files(trained).items() if ".new/" not in path}
    again = search(trained, 6, name, *seed)
    assert again.returncode == 0, again.stderr
    assert kept.items() <= result_files(trained).items()
    whole = trials_of(trained, f"stop{number}")
    assert search(trained, 6, name, *seed).returncode == 0
    assert trials_of(trained, f"stop{number}") == whole


def test_a_trial_that_fails_ends_the_search_and_is_named(trained: Path) -> None:
    (trained / "broken.safetensors").write_bytes(b"no weights")
    done = run_stage(trained, "simulation", *SEARCH, "run.name=f", *QUICK,
                     "ann.weights=broken.safetensors", OVER[0])  # fmt: skip
    assert done.returncode == 1
    assert "1 of 20 trials, 0 of them there before" in done.stdout
    assert "the search is not over; the same command goes on with it" in done.stdout
    assert [status for *_, status in trials_of(trained, "f")] == ["failed"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["conversion.percentile=99"], "a search needs a toggle with several values"),
        (["conversion.percentile=98,99"], "test images choose nothing: add simulation.part=val"),
        ([*QUICK, "ann.learning_rate=0.1,0.2"], "add ann.final=false"),
        ([*QUICK, "ann=digits_cnn,mnist_cnn"], "add ann.final=false"),
        (["simulation.part=validation,test"], "simulation.part cannot be searched"),
        (["data.seed=0,1"], "data.seed cannot be searched"),
        (["data=digits,mnist"], "data cannot be searched"),
        ([*QUICK, "conversion.percentile=interval(90,101)"], "must be in (0, 100], got 101"),
        ([*QUICK, "conversion.percentile=interval(90,inf)"], "must be in (0, 100], got inf"),
        ([*QUICK, "conversion.percentile=interval(99,98)"], "must end above its start"),
        ([*QUICK, "conversion.percentile=interval(99,99)"], "must end above its start"),
        ([*QUICK, "simulation.exit_margin=tag(log,interval(0,1))"], "must start above 0"),
        ([*QUICK, "conversion.percentile=tag(lg,interval(98,99))"], "the only tag of an interval"),
        ([*QUICK, "simulation.steps=interval(4,8.5)"], "must be a whole number"),
        ([*QUICK, "conversion.reset=interval(0,1)"], "conversion.reset must be text, one of"),
        ([*QUICK, "conversion.percentile=shuffle(98,99)"], "a search draws by its own seed"),
        ([*QUICK, "conversion.percentile=98,101"], "must be in (0, 100], got 101"),
        (["run.study=digits-ablation"], "run.study is of a single call"),
        (["hydra.sweeper.n_trials=0"], "hydra.sweeper.n_trials must be in [1, 100000], got 0"),
        (["hydra.sweeper.n_jobs=1.5"], "hydra.sweeper.n_jobs must be of type int, got 1.5"),
        (["hydra.sweeper.sampler=grid"], "hydra.sweeper.sampler must be one of tpe, gp, nsgaii"),
        (["hydra.sweeper.metric=accuracy"], "hydra.sweeper.metric must be one of snn_accuracy"),
        (["hydra.sweeper.against=snn_accuracy"], "hydra.sweeper.against must be another metric"),
        (["+hydra.sweeper.trials=3"], "no hydra.sweeper.trials; did you mean n_trials?"),
    ],
)
def test_a_search_that_cannot_be_is_refused_before_any_trial(
    overrides: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(make_project(tmp_path / "project"))
    monkeypatch.setattr(sys, "argv", ["stage", *SEARCH, *overrides])
    with pytest.raises(SystemExit) as end:
        run("simulation")
    said = capsys.readouterr()
    assert (end.value.code, said.out) == (2, "")
    (line,) = said.err.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert not Path("store").exists()


def test_other_steps_are_not_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(make_project(tmp_path / "project"))
    monkeypatch.setattr(sys, "argv", ["stage", *SEARCH, "ann.seed=0,1"])
    with pytest.raises(SystemExit) as end:
        run("ann")
    assert end.value.code == 2
    assert "searches simulations" in capsys.readouterr().err


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("metric", ["snn_accuracy", "synops_per_image"])
def test_every_sampler_is_told_which_end_of_a_metric_is_the_better_one(
    sampler: str, metric: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The metric is a hill over the percentile whose top, or ground, is at 97: a sampler that took
    the one for the other would end at a border. nsgaii only crosses axes, so one axis teaches it as
    little as a random draw learns."""

    def trial(number: int, point: list[str], *_: object) -> Trial:
        place = float(point[0].partition("=")[2])
        sign = -1 if OBJECTIVES[metric] == "maximize" else 1
        return Trial(number, "", point, "done", metrics={metric: sign * (place - 97) ** 2})

    monkeypatch.setattr(searching, "_trial", trial)
    settings = SearchSettings(n_trials=60, sampler=sampler, metric=metric)
    space = space_of(["conversion.percentile=interval(90,100)"])
    trials = [own for batch in searching._batches(settings, space, here=True) for own in batch]
    assert [own.number for own in trials] == list(range(1, 61))
    late = [abs(float(own.overrides[0].partition("=")[2]) - 97) for own in trials[-20:]]
    if sampler in ("tpe", "gp"):
        assert sum(late) / len(late) < 1.5
    (best,) = front(trials, (metric,))
    assert best.metrics[metric] == min((own.metrics[metric] for own in trials), key=abs)


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4) | st.none()), min_size=1, max_size=12)
)
def test_the_best_of_two_metrics_are_those_that_optuna_calls_so(
    values: list[tuple[int, int | None]],
) -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    metrics = ("snn_accuracy", "synops_per_image")
    study = optuna.create_study(directions=[OBJECTIVES[metric] for metric in metrics])
    trials = []
    for number, pair in enumerate(values):
        known: Json = dict(zip(metrics, pair, strict=True))
        trials.append(Trial(number, "", [], "done", metrics=known))
        if None not in pair:
            study.add_trial(optuna.create_trial(values=[float(own or 0) for own in pair]))
    theirs: Any = {tuple(own.values) for own in study.best_trials} if study.trials else set()
    ours = [tuple(own.values_of(metrics) or ()) for own in front(trials, metrics)]
    assert len(ours) == len(set(ours))
    assert set(ours) == theirs
