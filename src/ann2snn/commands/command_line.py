"""The command `ann2snn`: a row of COMMANDS for each of its words.

Nothing heavy is imported before the word is known, so help and completion come at once.
"""

import importlib
import os
import sys
from dataclasses import dataclass
from importlib import metadata

from ann2snn.errors import MISUSED
from ann2snn.settings import nearest
from ann2snn.stopping import watch

OVERRIDES = "[key=value ...]"
PARSED = "..."  # the function reads the words itself, --help too


@dataclass(frozen=True)
class Command:
    """What `ann2snn NAME` calls: `function`, as module:name, of the arguments `of`.

    `words` are put before those of the user, and `takes` shows which these may be: none if empty.
    """

    name: str
    meaning: str
    function: str
    takes: str = ""
    of: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


RUN = "ann2snn.pipeline.application:run"
ROWS = (
    Command("demo", "the whole pipeline on digits, from nothing, in a folder of its own",
            "ann2snn.commands.demo:main", PARSED),
    Command("data", "load a data set", RUN, OVERRIDES, ("data",)),
    Command("train", "train the analog network", RUN, OVERRIDES, ("ann",)),
    Command("convert", "convert it into a spiking one", RUN, OVERRIDES, ("conversion",)),
    Command("simulate", "simulate that on the test images", RUN, OVERRIDES, ("simulation",)),
    Command("sweep", "simulate all combinations of values, as conversion.percentile=99,99.9, or"
            " search them: hydra/sweeper=optuna",
            RUN, OVERRIDES, ("simulation",), ("-m",)),
    Command("plan", "say of a sweep or a study what is done and how long the rest will take",
            "ann2snn.commands.plan:main", OVERRIDES),
    Command("ui", "MLflow's pages over all results, on this machine",
            "ann2snn.tracking.__main__:main", PARSED, (), ("ui",)),
    Command("sync", "send all results to MLflow", "ann2snn.tracking.__main__:main", PARSED,
            (), ("sync",)),
    Command("toggles", "print toggles with default, range and meaning",
            "ann2snn.commands.toggles:main", PARSED),
    Command("report", "draw figures, tables and the page from all results",
            "ann2snn.pipeline.report:main"),
    Command("reproduce", "compute the result of a run key anew and compare it, bit by bit",
            "ann2snn.commands.reproduce:main", PARSED),
    Command("verify", "compute digits, a point per network and the report anew in a clone",
            "ann2snn.commands.verify:main"),
    Command("check", "go over store, artifacts and report and say what is damaged",
            "ann2snn.commands.check:main", PARSED),
    Command("gc", "show, and remove on request, what no study, sweep or record needs",
            "ann2snn.commands.gc:main", PARSED),
    Command("completion", "print what makes bash complete this command",
            "ann2snn.commands.completion:main", PARSED),
)  # fmt: skip
COMMANDS = {command.name: command for command in ROWS}


def main() -> None:
    """Runs the command that the first word names; exits with 2 if there is none."""
    watch()
    name, *words = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help", "help"):
        print(overview())
    elif name == "--version":
        print(f"ann2snn {metadata.version('ann2snn')}")
    elif name in COMMANDS:
        try:
            call(COMMANDS[name], words)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader, such as `head`, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    else:
        refuse(f"there is no command {name!r}{nearest(name, list(COMMANDS))}; ann2snn --help"
               " lists them")  # fmt: skip


def call(command: Command, words: list[str]) -> None:
    """Calls a command's function with the words as its command line."""
    if not command.takes and words:
        if words[0] in ("-h", "--help"):
            print(f"ann2snn {command.name}: {command.meaning}")
            return
        refuse(f"ann2snn {command.name} takes no arguments, got {words[0]!r}")
    sys.argv = [f"ann2snn {command.name}", *command.words, *words]
    module, _, name = command.function.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "ann2snn":
            raise
        refuse(f"ann2snn {command.name} needs {error.name}: pip install 'ann2snn[pipeline]'")
    function(*command.of)


def overview() -> str:
    """All commands with their meanings."""
    lines = [f"  ann2snn {c.name:<11}{c.meaning}" for c in COMMANDS.values()]
    return "\n".join(
        [
            "Converts trained networks into spiking ones. In the project's folder:",
            "",
            *lines,
            "",
            "ann2snn COMMAND --help shows what a command takes. As toggles shape a run:",
            "  ann2snn simulate data=mnist conversion.reset=zero simulation.steps=100",
        ]
    )


def refuse(message: str) -> None:
    """Ends the program with one line."""
    print(f"error: {message}", file=sys.stderr)
    sys.exit(MISUSED)
