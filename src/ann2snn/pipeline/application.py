"""The Hydra application of each step: a single run, or all points of a study.

Overrides are checked before Hydra composes and before anything heavy is imported. Multiruns and
plans are made by the callback that conf/config.yaml names (`ann2snn.sweep.callback`).
"""

import argparse
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from ann2snn.config.checks import check_overrides
from ann2snn.config.composition import register_schema, typed
from ann2snn.config.overrides import conf_folder, first_line, hydras_errors
from ann2snn.config.schema import GROUPS, Settings, toggle_of
from ann2snn.config.toggle_table import toggle_help
from ann2snn.errors import MISUSED, errors_are_told, require_memory
from ann2snn.pipeline.artifacts import keep_point, publish_result, publish_study
from ann2snn.pipeline.chain import PARENTS, Chain
from ann2snn.pipeline.outlook import closing, opening, remaining
from ann2snn.pipeline.preflight import require_all_ready, require_ready
from ann2snn.pipeline.studies import study_chains
from ann2snn.pipeline.study_file import Study, read_study
from ann2snn.records import Record
from ann2snn.settings import SettingError, rule_of
from ann2snn.stopping import tell_at_stop

KEPT = (
    "finished results, epochs and blocks of images are kept in store/, and the same command goes on"
    " from them"
)
HEADLINES = {"data": "train_images", "ann": "test_accuracy", "simulation": "snn_accuracy"}
SWITCHES = (
    ("--help", "-h"), ("--hydra-help",), ("--version",), ("--resolve",), ("--run", "-r"),
    ("--multirun", "-m"), ("--shell-completion", "-sc"),
)  # fmt: skip
VALUED = (
    ("--cfg", "-c"), ("--package", "-p"), ("--config-path", "-cp"), ("--config-name", "-cn"),
    ("--config-dir", "-cd"), ("--experimental-rerun",),
)  # fmt: skip


def run(step: str) -> None:
    """Runs `step` as the command line says; exits with 2 after a wrong override, 1 after a failure.

    Messages about data, files and settings are one line; anything else is a fault of the program
    and keeps its traceback.
    """
    tell_at_stop(KEPT)
    # conf/hydra/launcher sets launchers of Hydra's plugins by their own names, as it must
    warnings.filterwarnings("ignore", r"\s*'hydra/launcher/\w+' is validated against", UserWarning)
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra raises its errors, which are told here

    def task(config: DictConfig) -> None:
        with errors_end_the_program():
            settings, overrides = typed(config), list(HydraConfig.get().overrides.task)
            if settings.run.study:
                _run_study(step, settings, overrides)
            else:
                _run_single(step, settings, overrides)

    task.__module__ = f"ann2snn.pipeline.{step}"  # Hydra calls its job by the last word: the step
    flags, unknown = _hydras_flags()
    with errors_end_the_program():
        if not unknown and not flags.shell_completion:  # else Hydra has its own to say
            if flags.help:
                print(help_of(step))
                return
            _check(flags)
        register_schema()
        hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name="config")(task)()


def _hydras_flags() -> tuple[argparse.Namespace, list[str]]:
    """The command line, read by the flags that Hydra documents, and what is none of them."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("overrides", nargs="*")
    for names in SWITCHES:
        parser.add_argument(*names, action="store_true")
    for names in VALUED:
        parser.add_argument(*names)
    parser.add_argument("--info", "-i", nargs="?", const="all")
    return parser.parse_known_args()


def _check(flags: argparse.Namespace) -> None:
    overrides: list[str] = flags.overrides
    several = flags.multirun or any(
        line.startswith(("run.study=", "run.plan=", "hydra.mode=MULTIRUN")) for line in overrides
    )
    check_overrides(
        overrides, Path(flags.config_dir) if flags.config_dir else None, intervals=several
    )
    shows = flags.cfg or flags.info or flags.help or flags.hydra_help
    if several and not shows and (flags.config_name or flags.config_path or flags.config_dir):
        raise SettingError("--config-name, -path and -dir are for a single run")


def help_of(step: str) -> str:
    """What may be said on the command line of a step, by group."""
    groups = [name for name in GROUPS if name in (*PARENTS[step], step, "run")]
    return (
        f"{step}: toggles as key=value, in any order, and named choices as group=name.\n"
        "-m runs all combinations of values that are separated by commas; --cfg job shows what is"
        " composed;\n--hydra-help tells of Hydra's own flags. experiment=NAME sets toggles of"
        f" several groups.\n{toggle_help(groups)}"
    )


@contextmanager
def errors_end_the_program() -> Iterator[None]:
    """Ends the program for an error within: with 2 for a wrong setting, with 1 for any other."""
    with errors_are_told(MISUSED), hydras_errors():
        require_memory()
        yield


def _run_single(step: str, settings: Settings, overrides: list[str]) -> None:
    chain = Chain(settings)
    require_ready(step, chain)
    named = any(line.startswith(("ann=", "ann.network=", "experiment=")) for line in overrides)
    print(opening(step, chain, HydraConfig.get().runtime.choices, named), flush=True)
    record = chain.record(step)
    if settings.run.publish:
        publish_result(step, settings.run.publish, chain, Path.cwd())
    print(line_of(record), *closing(step, chain, record), sep="\n")
    if settings.run.track and not settings.run.publish:
        from ann2snn.tracking.background import sync_in_background

        try:
            sync_in_background(Path.cwd())
        except OSError as error:
            tell_waiting(error)


def asked_study(name: str, overrides: list[str]) -> Study:
    """The study that a call names.

    Raises:
        SettingError: there is no such study, or the call sets a toggle that shapes its results.
    """
    for line in overrides:
        key = line.partition("=")[0]
        if "." not in key or rule_of(toggle_of(key)).shapes_result:
            raise SettingError(
                f"{line!r}: a study's toggles stand in params.yaml; beside run.study only"
                " toggles that change no result are allowed"
            )
    return read_study(Path.cwd(), name)


def _run_study(step: str, settings: Settings, overrides: list[str]) -> None:
    project = Path.cwd()
    study = asked_study(settings.run.study, overrides)
    chains = study_chains(study, project, settings)
    require_all_ready(step, [(f"{study.name}/{point}", each) for point, each in chains.items()])
    print(f"{step} {study.name}: {remaining(step, list(chains.values()))}", flush=True)
    for point, chain in chains.items():
        record = chain.record(step)
        keep_point(study.name, point, record, project)
        print(f"{study.name}/{point}: {line_of(record)}", flush=True)
    publish_study(step, study, chains, project)


def line_of(record: Record) -> str:
    """One line about a result: its step, the start of its key, and its headline number."""
    headline = HEADLINES.get(record.step)
    words = " ".join(record.description.values())
    if headline and headline in record.metrics:
        words += f", {headline} {record.metrics[headline]:.6g}"
    return f"{record.step} {record.key[:12]} {words}"


def tell_waiting(error: Exception) -> None:
    """Prints one line about records that MLflow does not take now."""
    print(
        f"not sent to MLflow: {first_line(error)}; the records wait for python -m ann2snn.tracking",
        file=sys.stderr,
    )
