"""Wrong overrides and combinations, each wrong by a rule that a setting declares itself."""

import dataclasses
import random
from collections.abc import Callable
from dataclasses import Field
from pathlib import Path
from typing import Any

from ann2snn.config.schema import CHOSEN, GROUPS, all_keys
from ann2snn.settings import rule_of
from tests.system.campaign.calm import ARGUMENTS, called, copied
from tests.system.campaign.cases import Told

TOGGLES: dict[str, Field[Any]] = {
    f"{group}.{toggle.name}": toggle
    for group, kind in GROUPS.items()
    for toggle in dataclasses.fields(kind)
}
NUMBERS = [key for key, toggle in TOGGLES.items() if type(toggle.default) in (int, float)]
BOUNDED = [key for key in NUMBERS if rule_of(TOGGLES[key]).low is not None]
CHOICES = [key for key, toggle in TOGGLES.items() if rule_of(toggle).choices]
HUGE = ("1e400", "-1e400", "inf", "-inf", "nan", str(10**30), str(-(10**30)), str(2**64))
ODD = ("null", "''", "[]", "[1,2]", "{}", "{a:1}", "'1'", "wrong", "'a b'", "0x10", "1_0x")
ALLOWED = (
    "conversion.percentile=99", "simulation.seed=3", "ann.seed=2", "ann.learning_rate=0.1",
    "simulation.images=10", "ann.rotation=5", "data.seed=1", "run.progress=false",
)  # fmt: skip
TOGETHER = (
    "ann.flips=alternating", "ann.shift=0 ann.border=mirrored", "ann.levels=4",
    "ann.activation=quantized", "ann.weights=conf/config.yaml ann.start=conf/config.yaml",
    "ann.weights=nowhere.pt", "ann.start=nowhere.safetensors", "ann.network=unknown",
    "ann.network=no_module:factory", "ann.network=a-b:factory", "ann.network=json:",
    "ann=cifar10_fast ann.pooling=average", "ann=resnet20 ann.bias=false",
    "conversion.spikes=signed conversion.reset=zero",
    "conversion.spikes=signed conversion.pooling=running_mean",
    "conversion.normalization=squared_error", "conversion.for_steps=5",
    "conversion.calibration=bias", "conversion.calibration=both conversion.input=poisson",
    "conversion.calibration=bias conversion.for_steps=4 conversion.input=poisson",
    "conversion.output_from=3", "conversion.output_from=0 conversion.output=count",
    "conversion.normalization=squared_error conversion.for_steps=4 conversion.reset=zero",
    "simulation.compare=true simulation.exit_margin=1",
    "simulation.compare=true simulation.engine=event",
    "simulation.exit_margin=1 simulation.engine=dense",
    "simulation.engine=event simulation.device=cuda", "simulation.device=cuda:99",
    "simulation.device=cuda:x", "simulation.exit_margin=1 simulation.device=cuda",
    "simulation.images=501", "simulation.images=500 simulation.part=validation", "data.path=x",
    "data.height=8", "data.width=8", "data.channels=1", "data.channels=2", "data=folder",
    "data=folder data.path=nowhere", "data.validation=1297", "data.calibration=100000",
    "run.name=a/b", "run.name=.hidden", "run.publish=../x", "run.study=unknown",
    "run.study=digits-ablation conversion.reset=zero", "run.study=digits-ablation data=mnist",
    "-m run.study=digits-ablation conversion.percentile=98,99",
    "-m run.publish=x conversion.percentile=98,99", "-m hydra/sweeper=unknown ann.seed=1,2",
    "-m hydra/launcher=unknown ann.seed=1,2", "hydra.unknown=1", "hydra/unknown=x",
    "-m conversion.percentile=interval(1,2)", "-m conversion.percentile=glob(*)",
    "-m hydra/sweeper=optuna conversion.percentile=98,99",
    "-m hydra/sweeper=optuna simulation.part=validation ann.seed=1,2",
    "-m hydra/sweeper=optuna simulation.part=validation conversion.percentile=interval(99,98)",
    "-m hydra/sweeper=optuna hydra.sweeper.sampler=grid conversion.percentile=98,99",
    "-m ann=glob(zz*)", "-m conversion.percentile=range(1,0)", "-m conversion.percentile=98,101",
    "-m ann.seed=1,2 conversion.reset=zero conversion.spikes=binary,signed",
    "-m conversion.reset=subtract,zero conversion.spikes=signed conversion.pooling=average",
    "run.plan=true simulation.images=501", "run.plan=true conversion.for_steps=5",
)  # fmt: skip
Rule = Callable[[random.Random], list[str]]


def unknown_toggle(draw: random.Random) -> list[str]:
    key = draw.choice(list(TOGGLES))
    place = draw.randrange(1, len(key) + 1)
    wrong = draw.choice((f"{key[:place]}q{key[place:]}", f"{key}.more", f"x.{key}"))
    return [f"{wrong}={TOGGLES[key].default}"]


def off_range(draw: random.Random) -> list[str]:
    key = draw.choice(BOUNDED)
    rule, scale = rule_of(TOGGLES[key]), 10 ** draw.randrange(6)
    assert rule.low is not None
    beyond = [rule.low - scale]
    beyond += [rule.low] if rule.low_excluded else []
    if rule.high is not None:
        beyond += [rule.high + scale] if rule.high < 10**15 else [2 * rule.high]
        beyond += [rule.high] if rule.high_excluded else []
    value = draw.choice(beyond)
    whole = isinstance(TOGGLES[key].default, int)
    return [f"{key}={int(value)}" if whole else f"{key}={float(value)!r}"]


def huge_number(draw: random.Random) -> list[str]:
    return [f"{draw.choice(NUMBERS)}={draw.choice(HUGE)}"]


def wrong_kind(draw: random.Random) -> list[str]:
    key = draw.choice(list(TOGGLES))
    kind = type(TOGGLES[key].default)
    wrong = {
        str: ("3", "1.5", "true", "null", "[]", "{a:1}"),
        bool: ("3", "yes please", "null", "''", "'true'", "[true]"),
        int: (*ODD, "true", "1.5", "1e0"),
        float: (*ODD, "false"),
    }
    return [f"{key}={draw.choice(wrong[kind])}"]


def unknown_choice(draw: random.Random) -> list[str]:
    key = draw.choice([*CHOICES, *CHOSEN])
    return [f"{key}={draw.choice(('unknown', 'None', 'null', '1', 'auto2', '[a,b]', '../ann'))}"]


def no_override(draw: random.Random) -> list[str]:
    key = draw.choice(all_keys())
    return [
        draw.choice(
            (f"{key}", f"={key}", f"+{key}=1", f"++{key}=1", f"~{key}", f"{key}=[1", f"{key}={{a",
             f"{key}='", f"{key}=${{", f"{key}=${{nowhere}}", f"{key}=$(x)", f"{key}=a=b,c=[",
             f"{key}@x=1", f"{key}=\x00", f"{key}=\\", f"{key} =", f"+new_{key}=1",
             f"{key}=choice(", f"{key}=range(0,x)", f"{key}={'(' * 300}")
        )
    ]  # fmt: skip


def not_together(draw: random.Random) -> list[str]:
    return draw.choice(TOGETHER).split(" ")


RULES: tuple[Rule, ...] = (
    unknown_toggle, off_range, huge_number, wrong_kind, unknown_choice, no_override, not_together,
)  # fmt: skip


def wrong_configuration(draw: random.Random, place: Path, calm: Path) -> Told:
    """A wrong override, alone, among right ones or in a sweep, is refused before any work."""
    own = draw.choice(RULES)(draw)
    right = draw.sample(ALLOWED, draw.choice((0, 0, 1, 3)))
    switches = [line for line in own if line.startswith("-")]
    own = [line for line in own if not line.startswith("-")]
    if not switches and not any("run.study" in line for line in own) and draw.random() < 0.2:
        switches, right = ["-m"], [*right, "conversion.clock_rate=0.2,0.4"]
    if any("run.study" in line for line in own):
        right = []
    keys = {line.partition("=")[0].strip("+~") for line in own}
    right = [line for line in right if line.partition("=")[0] not in keys]
    project = place.with_name("refusals")
    if not project.is_dir():
        copied(calm, project)
    yield from refused(project, [*switches, *right, *own])


def refused(project: Path, arguments: list[str]) -> Told:
    """Whether a call ends with one line about what is wrong, and leaves every file as it is."""
    before = files_of(project)
    of_study = any("run.study=" in line for line in arguments)  # which takes no toggles beside it
    quick = ["run.track=false"] if of_study else ARGUMENTS
    code, said = called(project, "simulation", *arguments, arguments=quick)
    words = f"{' '.join(arguments)[:300]!r}: {code}: {said[-1500:]}"
    if code == 0:
        yield "silently wrong", words
    elif "Traceback" in said:
        yield "tracebacks", words
    elif not said.splitlines()[-1].startswith("error: ") or said.count("error: ") != 1:
        yield "tracebacks", f"not one clear line: {words}"
    changed = sorted(set(before.items()) ^ set(files_of(project).items()))
    if changed:
        yield "silently wrong", f"changed {sorted({name for name, _ in changed})}: {words}"


def files_of(project: Path) -> dict[str, tuple[int, int]]:
    """Names, sizes and times of all files of a project."""
    return {
        str(path.relative_to(project)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in project.rglob("*")
        if path.is_file() and "times" not in path.parts  # an index that reading renews
    }
