"""The command line: Hydra's own flags pass, studies are checked whole before they begin."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from ann2snn.pipeline.application import run
from tests.pipeline.project import environment, make_project


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make_project(tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


def call(monkeypatch: pytest.MonkeyPatch, step: str, *arguments: str) -> int:
    """Runs a stage in this process; gives its exit code."""
    monkeypatch.setattr(sys, "argv", ["stage", *arguments])
    try:
        run(step)
    except SystemExit as end:
        return int(str(end.code or 0))
    return 0


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["--cfg", "job", "conversion.percentile=95"], "percentile: 95"),
        (["--cfg=job", "--package", "conversion", "experiment=cao2015"], "normalization: none"),
        (["-c", "job", "--resolve", "-p", "simulation"], "steps: 300"),
        (["--cfg", "hydra", "--config-name", "config"], "launcher"),
        (["--cfg", "job", "run.study=digits-ablation"], "study: digits-ablation"),
    ],
)
def test_hydras_own_flags_show_and_compute_nothing(
    arguments: list[str], shown: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert call(monkeypatch, "simulation", *arguments) == 0
    assert shown in capsys.readouterr().out
    assert not Path("store").exists()


def test_a_folder_of_choices_beside_conf_may_be_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "mine" / "conversion").mkdir(parents=True)
    (tmp_path / "mine" / "conversion" / "half.yaml").write_text("initial_potential: 0.5\n")
    flags = ["--cfg", "job", "--config-dir", str(tmp_path / "mine")]
    assert call(monkeypatch, "simulation", *flags, "conversion=half") == 0
    assert "initial_potential: 0.5" in capsys.readouterr().out
    assert call(monkeypatch, "simulation", *flags, "conversion=third") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cfg", "job", "conversion.resett=zero"], "no toggle 'conversion.resett'"),
        (["--resolve"], "The --resolve flag can only be used in conjunction with --cfg"),
        (["-m", "--cfg", "job"], "Only one of --run, --multirun, --cfg"),
        (["-m", "--config-name", "other"], "--config-name, -path and -dir are for a single run"),
        (["conversion.percentile=interval(1,3)"], "an interval has no values"),
        (["-m", "conversion.percentile=glob(*)"], "glob goes over the named choices"),
        (["-m", "run.plan=true", "data=digits,folder"], "point data=folder: data.path must be"),
        (["run.plan=true", "data=folder"], "data.path must be given"),
        (["ann.weights=gone.safetensors"], "ann.weights must be a file"),
        (["simulation.device=cuda"], "simulation.device must be cpu here, got 'cuda'"),
        (["conversion.reset=${nowhere}"], "Interpolation key 'nowhere' not found"),
    ],
)
def test_misuse_is_told_in_one_line(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert call(monkeypatch, "simulation", *arguments) in (1, 2)
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("error: ")
    assert message in said
    assert not Path("store").exists()


PROBE = """
import sys
from ann2snn.pipeline.application import run
for line in sys.stdin.read().splitlines():
    sys.argv = ["stage", *line.split()]
    try:
        run("simulation")
    except SystemExit as end:
        print(end.code)
print(sorted({"torch", "pytorch_lightning", "mlflow"} & set(sys.modules)))
"""


def test_what_settings_and_files_tell_is_refused_before_torch_is_imported(project: Path) -> None:
    calls = [
        "-m ann.network=cifar10_cnn,cifar10_cn",
        "-m data=digits,folder conversion.percentile=range(90,99)",
        "-m ann.weights=gone.safetensors,''",
        "ann.weights=gone.safetensors",
        "ann.network=nowhere.model:make",
        "conversion.percentile=glob(*)",
    ]
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        input="\n".join(calls), cwd=project, env=environment(),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["2"] * len(calls) + ["[]"]
    assert len(done.stderr.splitlines()) == len(calls)


def test_a_wrong_flag_is_told_by_hydras_parser(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "simulation", "--cfg", "jobs") == 2
    assert "invalid choice: 'jobs'" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", ["ann.weights=gone.safetensors", "ann.precision=bfloat16"])
def test_the_last_point_of_a_study_is_checked_before_the_first_is_computed(
    wrong: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ann2snn.ann.recipe.autocast_supported", lambda: False)
    content = yaml.safe_load((project / "params.yaml").read_text())
    points = {"good": ["conversion.reset=zero"], "bad": [wrong]}
    content["studies"]["digits-ablation"] |= {"points": points, "labels": {}}
    (project / "params.yaml").write_text(yaml.safe_dump(content))
    assert call(monkeypatch, "simulation", "run.study=digits-ablation") == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(f"error: point digits-ablation/bad: {wrong.partition('=')[0]} must be")
    assert not Path("store").exists()


def test_a_result_stays_made_though_nothing_can_be_sent_to_mlflow(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(project: Path) -> None:
        raise OSError("no process can be started")

    monkeypatch.setattr("ann2snn.tracking.background.sync_in_background", refuse)
    assert call(monkeypatch, "data", "data=digits", "run.progress=false") == 0
    said = capsys.readouterr()
    assert "train_images 1437" in said.out
    assert said.err == (
        "not sent to MLflow: no process can be started;"
        " the records wait for python -m ann2snn.tracking\n"
    )
