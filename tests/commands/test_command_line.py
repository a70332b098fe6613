"""The command `ann2snn`: help from the rules, words refused by name, completion in a real bash."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from ann2snn.commands.command_line import COMMANDS, main, overview
from ann2snn.commands.completion import BASH, candidates
from ann2snn.config.schema import GROUPS
from ann2snn.config.toggle_table import told_toggles
from tests.pipeline.project import ROOT, environment, make_project


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make_project(tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


def call(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["ann2snn", *words])
    try:
        main()
    except SystemExit as end:
        return int(str(end.code or 0))
    return 0


def test_every_command_is_listed_and_its_function_is_there() -> None:
    asked = [
        "demo",
        "train",
        "convert",
        "simulate",
        "sweep",
        "plan",
        "ui",
        "sync",
        "toggles",
        "report",
        "verify",
        "reproduce",
    ]
    assert set(asked) <= set(COMMANDS)
    for name, command in COMMANDS.items():
        module, _, function = command.function.partition(":")
        assert callable(getattr(importlib.import_module(module), function))
        assert f"ann2snn {name}" in overview()


@pytest.mark.parametrize(
    ("command", "groups"),
    [
        ("data", {"data", "run"}),
        ("train", {"data", "ann", "run"}),
        ("convert", {"data", "ann", "conversion", "run"}),
        ("simulate", {"data", "ann", "conversion", "simulation", "run"}),
    ],
)
def test_help_shows_meaning_default_and_range_of_every_toggle_that_counts(
    command: str, groups: set[str], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert call(monkeypatch, command, "--help") == 0
    said = " ".join(capsys.readouterr().out.split())
    for group in GROUPS:
        for told in told_toggles(group):
            line = " ".join(f"{told.key}={told.default} {told.allowed} {told.meaning}".split())
            assert (line in said) == (group in groups), told.key
    choices = sorted(path.stem for path in (ROOT / "conf" / "data").glob("*.yaml"))
    assert f"data=NAME takes a named choice: {', '.join(choices)}" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["simulat"], "no command 'simulat'; did you mean simulate?"),
        (["verify", "now"], "ann2snn verify takes no arguments, got 'now'"),
        (["simulate", "conversion.resett=zero"], "no toggle 'conversion.resett'"),
        (["plan", "conversion.reset=zer"], "conversion.reset must be one of subtract, zero"),
    ],
)
def test_a_wrong_word_is_refused_by_name(
    words: list[str], message: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert call(monkeypatch, *words) == 2
    assert message in capsys.readouterr().err
    assert not Path("store").exists()


def test_a_plan_of_a_sweep_and_of_a_study_needs_no_word_but_theirs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "plan", "conversion.percentile=99,99.9") == 0
    assert "2 points; of 2 on digits nothing is known until" in capsys.readouterr().out
    assert call(monkeypatch, "plan", "run.study=digits-ablation") == 0
    assert "5 points; " in capsys.readouterr().out


def test_a_line_goes_on_with_commands_keys_choices_and_values() -> None:
    assert candidates("ann2snn si") == ["simulate "]
    assert candidates("ann2snn simulate conversion.res") == ["conversion.reset="]
    assert candidates("ann2snn simulate conversion.reset=") == [
        "conversion.reset=subtract ",
        "conversion.reset=zero ",
    ]
    assert candidates("ann2snn sweep conversion.reset=zero,su") == [
        "conversion.reset=zero,subtract "
    ]
    assert candidates("ann2snn train data=m") == ["data=mnist "]
    assert candidates("ann2snn train ann.bias=t") == ["ann.bias=true "]
    assert candidates("ann2snn verify ") == []


@pytest.mark.parametrize(("typed", "offered"), [("pl", "plan "), ("simulate ann.bias=f", "false ")])
def test_bash_offers_what_the_program_says(typed: str, offered: str, tmp_path: Path) -> None:
    (tmp_path / "ann2snn").write_text(f'#!/bin/sh\nexec {sys.executable} -m ann2snn "$@"\n')
    (tmp_path / "ann2snn").chmod(0o755)
    line = f"ann2snn {typed}"
    script = f"""
        PATH={tmp_path}:$PATH
        {BASH}
        COMP_WORDBREAKS=' ="' COMP_LINE='{line}' COMP_POINT={len(line)}
        _ann2snn
        printf '<%s>' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "-c", script], env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == f"<{offered}>"


def test_the_network_and_recipe_of_a_data_set_are_its_own_where_none_is_named() -> None:
    from ann2snn.config.composition import composed

    for data in ("digits", "mnist", "cifar10"):
        assert composed([f"data={data}"]).ann == composed([f"ann={data}_cnn"]).ann
        assert composed([f"data={data}"]).ann.network == f"{data}_cnn"
    assert composed(["data=mnist", "ann=digits_cnn"]).ann.network == "digits_cnn"
    assert composed(["ann=cifar10_cnn", "data=mnist"]).ann == composed(["data=cifar10"]).ann
    assert composed(["data=mnist", "experiment=diehl2015"]).ann.network == "mnist_cnn"


def test_python_m_ann2snn_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ann2snn"], env=environment(), capture_output=True, text=True,
        check=True, cwd=ROOT,
    )  # fmt: skip
    assert done.stdout.strip() == overview()
