"""Overrides are checked before anything heavy loads; named choices compose."""

import dataclasses
import itertools
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir

from ann2snn.config.checks import check_overrides
from ann2snn.config.composition import composed, register_schema, typed
from ann2snn.config.overrides import choices_of
from ann2snn.config.schema import GROUPS
from ann2snn.conversion.settings import ConversionSettings
from ann2snn.records import run_key
from ann2snn.settings import SettingError, rule_of, shaping_values

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def named_choices() -> list[str]:
    groups = [folder for folder in (ROOT / "conf").iterdir() if folder.is_dir()]
    return sorted(f"{path.parent.name}={path.stem}" for g in groups for path in g.glob("*.yaml"))


@pytest.mark.parametrize("choice", named_choices())
def test_every_named_choice_composes(choice: str) -> None:
    overrides = [choice]
    if choice == "data=folder":
        overrides.append("data.path=somewhere")
    composed(overrides)


def test_a_name_in_two_groups_means_one_thing() -> None:
    both = set(choices_of("conversion")) & set(choices_of("experiment"))
    assert "rueckauer2016" in both
    for name in both:
        assert composed([f"conversion={name}"]).conversion == (
            composed([f"experiment={name}"]).conversion
        )


def test_no_named_choice_repeats_another() -> None:
    said: dict[Path, set[str]] = {}
    for path in sorted((ROOT / "conf").glob("[!h]*/*.yaml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        content.pop("defaults", None)  # Hydra's own: which other choices it takes
        groups = content.items() if path.parent.name == "experiment" else [("", content)]
        said[path] = {
            f"{group}.{toggle}={value}"
            for group, toggles in groups
            for toggle, value in toggles.items()
        }
    assert len(said) > 10
    for one, other in itertools.combinations(said, 2):
        assert len(said[one] & said[other]) < 3, f"{one} and {other}"


def test_the_default_run_has_the_defaults_of_the_dataclasses() -> None:
    assert composed([]).conversion == ConversionSettings()
    assert composed(["experiment=rueckauer2016"]).conversion == (
        ConversionSettings(pooling="inverse_time")
    )


def test_no_hydra_application_reads_the_command_line_or_hydras_internals() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")}
    assert len(sources) > 100
    for path, text in sources.items():
        assert "hydra._internal" not in text, path
        # neither the commands nor the package itself is a Hydra application
        other = path.parent.name == "commands" or path == ROOT / "src" / "ann2snn" / "__init__.py"
        assert other or "sys.argv" not in text, path


def test_named_choices_repeat_no_default() -> None:
    """A value in conf/ that is the default says nothing, except where the file is that choice."""
    for group in ("conversion", "simulation", "data", "ann"):
        defaults = GROUPS[group]()
        for path in (ROOT / "conf" / group).glob("*.yaml"):
            values = yaml.safe_load(path.read_text(encoding="utf-8"))
            for name in values.keys() - {"defaults"}:  # Hydra's own: which other choices it takes
                assert hasattr(defaults, name), f"{path}: {name}"


def test_an_override_reaches_the_settings_with_its_type() -> None:
    settings = composed(["conversion.percentile=95", "simulation.steps=7", "conversion.reset=zero"])
    assert settings.conversion.percentile == 95.0
    assert type(settings.conversion.percentile) is float
    assert settings.simulation.steps == 7
    assert settings.conversion.reset == "zero"


def test_whole_and_broken_numbers_of_one_value_have_one_key() -> None:
    keys = {
        run_key("c", shaping_values(composed([f"conversion.percentile={text}"]).conversion), {}, "")
        for text in ("100", "100.0", "1e2")
    }
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("conversion.reset=half", "conversion.reset must be one of subtract, zero, got 'half'"),
        ("conversion.percentile=0", r"conversion.percentile must be in \(0, 100\], got 0"),
        ("conversion.percentile=101", r"conversion.percentile must be in \(0, 100\], got 101"),
        ("conversion.percentile=high", "conversion.percentile must be a number, .* got 'high'"),
        ("simulation.steps=0", "simulation.steps must be .*, got 0"),
        ("ann.learning_rate=inf", "ann.learning_rate must be at most 1000000000, got inf"),
        ("simulation.exit_margin=nan", "exit_margin must be at least 0, got nan"),
        ("ann.threads=1000000", r"ann.threads must be in \[1, 1024\], got 1000000"),
        (f"ann.batch_size={10**30}", "ann.batch_size must be at most 1000000000, got 10{30}"),
        ("simulation.steps=1.5", "simulation.steps must be a whole number, .* got 1.5"),
        (
            "conversion.persentile=99",
            "no toggle 'conversion.persentile'; did you mean conversion.percentile",
        ),
        ("percentile=99", "no toggle 'percentile'; did you mean conversion.percentile"),
        ("conversion.reset=subtract,half", "conversion.reset must be one of .* got 'half'"),
        ("+conversion.extra=1", "cannot be added; there is no toggle 'conversion.extra'"),
        ("++conversion.reset=zero", "cannot be added; conversion.reset is set by"),
        ("~conversion.reset", "cannot be removed"),
        ("conversion.percentile@x=99", "have no packages; write conversion.percentile=value"),
        ("data=mnits", "data must be one of .*did you mean mnist"),
        ("experiment=none", "experiment must be one of"),
        ("experiment=null", "experiment must be one of .* got None"),
        ("simulation.steps", "is not an override: write key=value"),
    ],
)
def test_a_wrong_override_is_told_by_key_value_and_rule(override: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        check_overrides([override])


def wrong_overrides(count: int) -> list[str]:
    """Misspelt keys, wrong types, values out of range, unknown choices and added keys."""
    draw = random.Random(0)
    toggles = [
        (f"{group}.{toggle.name}", toggle)
        for group, kind in GROUPS.items()
        for toggle in dataclasses.fields(kind)
    ]
    wrong: list[str] = []
    while len(wrong) < count:
        key, toggle = draw.choice(toggles)
        rule, default = rule_of(toggle), toggle.default
        place = draw.randrange(1, len(key))
        made = [f"{key[:place]}_{key[place:]}={default}", f"+{key}_x=1", f"++{key}={default}"]
        if not isinstance(default, str):
            made.append(f"{key}=wrong")
        if isinstance(default, bool | int):
            made.append(f"{key}=0.5")
        if rule.choices:
            made.append(f"{key}={rule.choices[0]}x")
        if rule.low is not None:
            made.append(f"{key}={int(rule.low) - 1}")
        if rule.high is not None:
            made.append(f"{key}={int(rule.high) + 1}")
        made.append(
            f"{draw.choice(['data', 'ann', 'conversion', 'experiment'])}=unknown{len(wrong)}"
        )
        wrong.append(draw.choice(made))
    return wrong


PROBE = """
import contextlib, io, sys, time
from ann2snn.pipeline.application import run
slowest = 0.0
for line in sys.stdin.read().splitlines():
    sys.argv = ["stage", *line.split("\\t")]
    started, said = time.monotonic(), io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            run("simulation")
        print("ran", line)
    except SystemExit as end:
        key = line.split("\\t")[0].lstrip("+~").partition("=")[0]
        value = line.partition("=")[2]
        text = said.getvalue()
        if end.code != 2 or not text.startswith("error: ") or text.count("\\n") != 1:
            print("badly told", line, end.code, text)
        if key not in text:
            print("key not named", line, text)
    slowest = max(slowest, time.monotonic() - started)
print(sorted({"torch", "pytorch_lightning", "mlflow"} & set(sys.modules)), slowest < 2)
"""


@pytest.mark.timed
def test_two_hundred_wrong_overrides_are_refused_before_torch_is_imported() -> None:
    lines = wrong_overrides(200)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        input="\n".join(lines), capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["[] True"]


@pytest.mark.timed
def test_a_wrong_override_ends_the_program_with_one_line_and_code_2() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "ann2snn.pipeline.conversion", "conversion.resett=zero"],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        "error: there is no toggle 'conversion.resett'; did you mean conversion.reset?\n"
    )
    assert done.stdout == ""
    assert time.monotonic() - started < 30


def test_the_program_needs_the_project_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingError, match="start the program in the project's folder"):
        composed([])


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["conversion.percentile=95", "conversion.percentile=99"],
        ["experiment=cao2015", "conversion.percentile=95", "simulation.steps=7"],
        ["conversion.percentile=95", "experiment=cao2015", "ann.network=cifar10_cnn"],
        ["data=mnist", "ann=mnist_cnn", "ann.weights='a b=c'", "run.track=false"],
        ["simulation.steps=${ann.epochs}", "ann.epochs=9"],
        ["ann.learning_rate=1", "simulation.block=100", "conversion=rueckauer2016"],
    ],
)
def test_values_set_over_named_choices_are_those_that_hydra_composes(overrides: list[str]) -> None:
    register_schema()
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        whole = typed(compose("config", overrides))
    assert composed(overrides) == whole
