"""A search chooses as Optuna does, again and again alike, on validation images alone."""

import json
import shlex
import signal
import subprocess
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ann2snn.config.schema import RunSettings
from ann2snn.records import Json, Record
from ann2snn.sweep import search as searching
from ann2snn.sweep.search_settings import OBJECTIVES, SAMPLERS, SearchSettings
from ann2snn.sweep.search_space import space_of
from ann2snn.sweep.search_table import Trial, front
from tests.pipeline.multirun import require_refused, sweep
from tests.pipeline.project import (
    ROOT,
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
    assert "8 of 8 trials are over" in search(trained, 8, "run.plan=true").stdout
    other = search(trained, 8, "run.plan=true", "hydra.sweeper.seed=1")
    assert "1 points; 2 results to compute" in other.stdout
    assert "0 of 8 trials are over" in other.stdout
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


@pytest.mark.system
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
    while len(list(trained.glob("store/*/*/record.json"))) < before + 3 and process.poll() is None:
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
        ([*QUICK, "experiment=diehl2015,few_steps"], "add ann.final=false"),
        (["simulation.part=validation,test"], "test images choose nothing"),
        ([*QUICK, "simulation.images=20", "simulation.seed=0,1"], "simulation.seed varies"),
        ([*QUICK, "simulation.images=interval(1,100)"], "simulation.images varies"),
        ([*QUICK, "experiment=none,of_mnist"], "must be of one data set"),
        ([*QUICK, "experiment=none,of_few"], "simulation.images varies"),
        ([*QUICK[:2], "experiment=none,on_test"], "test images choose nothing"),
        ([*QUICK, "simulation.engine=event,dense"], "simulation.engine cannot be searched"),
        (
            [*QUICK, "ann.final=false", "ann.weights='',none.file"],
            "ann.weights must be a file, there is",
        ),
        ([*QUICK, OVER[0], "ann.network=nowhere"], "no trial of the search can be"),
        ([*QUICK, OVER[0], "hydra.sweeper.metric=mean_steps"], "add simulation.exit_margin"),
        (
            [*QUICK, "conversion.percentile=int(interval(90,101.5))"],
            "must be in (0, 100], got 101",
        ),
        ([*QUICK, "conversion.percentile=tag(log,range(90,95))"], "only an interval has a tag"),
        ([*QUICK, "conversion.percentile=99,99"], "a search needs a toggle with several values"),
        (["hydra.sweeper.params={run.name: s}"], "write each of them as an override of its own"),
        (["+hydra.sweeper.params.run.name=s"], "is not an override"),
        (["+hydra.sweeper.max_batch_size=2"], "there is no hydra.sweeper.max_batch_size"),
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
    project = make_project(tmp_path / "project")
    for name, content in (
        ("none", "{}"), ("of_few", "{simulation: {images: 30}}"),
        ("on_test", "{simulation: {part: test}}"), ("of_mnist", "{data: {name: mnist}}"),
    ):  # fmt: skip
        file = project / "conf" / "experiment" / f"{name}.yaml"
        file.write_text(f"# @package _global_\n{content}\n", encoding="utf-8")
    monkeypatch.chdir(project)
    assert sweep(monkeypatch, "simulation", *SEARCH[1:], *overrides) == 2
    require_refused(capsys, message)


def test_a_toggle_that_follows_a_searched_one_takes_its_value(trained: Path) -> None:
    """And so in a sweep: the interpolation is each point's own."""
    follows = ["conversion.normalization=squared_error", "conversion.for_steps=${simulation.steps}"]
    over = [*QUICK[:1], QUICK[2], *follows, "simulation.steps=4,6"]
    for name, words in (("i", SEARCH), ("j", SEARCH[::2])):
        done = run_stage(trained, "simulation", *words, f"run.name={name}", *over)
        assert done.returncode == 0, done.stdout + done.stderr
        for label, key, _ in trials_of(trained, name):
            record = Record.read(trained / "store" / "simulation" / str(key) / "record.json")
            steps = int(label.rpartition("=")[2])
            assert record.settings["conversion"]["for_steps"] == steps
            assert record.settings["simulation"]["steps"] == steps


def test_the_command_that_is_printed_tells_the_best_on_test_images(trained: Path) -> None:
    said = search(trained, 8).stdout
    (line,) = [line for line in said.splitlines() if " on test images: " in line]
    words = shlex.split(line.partition("ann2snn simulate ")[2])
    assert words[-2:] == ["simulation.part=test", "simulation.images=0"]
    told = run_stage(trained, "simulation", "run.track=false", *words)
    assert told.returncode == 0, told.stderr
    assert "of 360 images" in told.stdout


def test_a_shorter_search_leaves_the_trials_of_the_longer_one_in_the_table(trained: Path) -> None:
    before = trials_of(trained)
    assert "3 of 3 trials" in search(trained, 3).stdout
    assert trials_of(trained) == before


def test_searches_that_draw_other_trials_have_other_names() -> None:
    other = "conversion.initial_potential=interval(0,0.5)"

    def name(*overrides: str, **settings: Any) -> str:
        space, search = space_of(overrides), SearchSettings(**settings)
        return searching.name_of_search(RunSettings(), space, search)

    assert name(OVER[0], other) == name(other, OVER[0])
    assert name(OVER[0], n_trials=1) == name(OVER[0], n_trials=9)
    different: list[dict[str, Any]] = [
        {}, {"n_jobs": 2}, {"seed": 1}, {"sampler": "gp"}, {"metric": "agreement"},
        {"against": "synops_per_image"},
    ]  # fmt: skip
    names = {name(OVER[0], **settings) for settings in different}
    assert len(names | {name(other), name(OVER[0], other)}) == len(different) + 2


def test_an_accuracy_that_is_not_reached_is_a_value_behind_all_others() -> None:
    late = Trial(1, "", [], "done", metrics={"steps": 8, "steps_to_99": None})
    soon = Trial(2, "", [], "done", metrics={"steps": 8, "steps_to_99": 8})
    assert late.values_of(("steps_to_99",)) == [9.0]
    assert front([late, soon], ("steps_to_99",)) == [soon]
    assert late.values_of(("snn_accuracy",)) is None


def test_the_defaults_of_a_search_stand_alike_in_conf_and_in_code() -> None:
    said = yaml.safe_load((ROOT / "conf" / "hydra" / "sweeper" / "optuna.yaml").read_text())
    assert {name: said[name] for name in asdict(SearchSettings())} == asdict(SearchSettings())
    assert set(said) == {*asdict(SearchSettings()), "_target_", "params"}


def test_other_steps_are_not_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(make_project(tmp_path / "project"))
    assert sweep(monkeypatch, "ann", *SEARCH[1:], "ann.seed=0,1") == 2
    require_refused(capsys, "searches simulations")


def made_trials(
    monkeypatch: pytest.MonkeyPatch, settings: SearchSettings, *others: str
) -> list[Trial]:
    """The trials of a search whose metric is a hill over the percentile, with its top, or ground
    where less is better, at 97."""

    def look_up(trial: Trial, *_: object) -> None:
        place = float(trial.overrides[0].partition("=")[2])
        for metric in settings.metrics:
            sign = -1 if OBJECTIVES[metric] == "maximize" else 1
            trial.metrics[metric] = sign * (place - 97) ** 2
        trial.status = "done"

    monkeypatch.setattr(searching, "_look_up", look_up)
    space = space_of(["conversion.percentile=interval(90,100)", *others])
    batches = searching._batches(settings, space, [], here=True)
    return [own for batch in batches for own in batch]


@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_what_a_search_has_learnt_does_not_depend_on_how_long_it_goes_on(
    sampler: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = ("conversion.spikes=binary,signed", "conversion.initial_potential=range(0,1,0.25)")

    def drawn(n_trials: int) -> list[list[str]]:
        settings = SearchSettings(n_trials=n_trials, n_jobs=size, sampler=sampler)
        return [own.overrides for own in made_trials(monkeypatch, settings, *others)]

    many = 20 if sampler == "gp" else 36
    longer = drawn(many)
    assert drawn(many - 5) == longer[:-5]
    assert drawn(many) == longer


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("metric", ["snn_accuracy", "synops_per_image"])
def test_every_sampler_is_told_which_end_of_a_metric_is_the_better_one(
    sampler: str, metric: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sampler that took the top of the hill for its ground would end at a border. nsgaii crosses
    axes alone, so one axis teaches it as little as a random draw learns."""

    trials = made_trials(monkeypatch, SearchSettings(n_trials=60, sampler=sampler, metric=metric))
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
