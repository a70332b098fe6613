"""The digits part of the pipeline from nothing, in a project folder of its own.

`ann2snn demo FOLDER` copies code and configuration there, keeps of params.yaml
what concerns digits, and runs DVC on it; nothing committed is read or changed.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml

from ann2snn.errors import errors_are_told
from ann2snn.pipeline.report import DEMO
from ann2snn.pipeline.study_file import default_studies, read_params

COPIED = ("src", "conf", "dvc.yaml", ".dvcignore")
NETWORK = "digits"


def prepare(project: Path, folder: Path, *, tracked: bool = True) -> None:
    """Makes `folder` a fresh DVC project with the digits studies; what was there goes. Unless
    `tracked`, its stages leave MLflow alone.

    Raises:
        ValueError: `folder` is not empty and not an earlier demo, or params.yaml is wrong.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / DEMO).is_file():
        raise ValueError(f"{folder} is not empty and not an earlier demo: name another folder")
    names = [name for name, s in default_studies(project).items() if s.network == NETWORK]
    params = read_params(project)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / DEMO).touch()
    for name in COPIED:
        source = project / name
        if source.is_dir():
            shutil.copytree(
                source,
                folder / name,
                ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"),
            )
        else:
            shutil.copyfile(source, folder / name)
    if not tracked:
        _leave_mlflow_alone(folder / "dvc.yaml")
    content = {
        "data": [NETWORK],
        "networks": {NETWORK: params["networks"][NETWORK]},
        "studies": {name: params["studies"][name] for name in names},
    }
    text = yaml.safe_dump(content, sort_keys=False)
    (folder / "params.yaml").write_text(text, encoding="utf-8")
    dvc(folder, "init", "--no-scm", "--quiet", "--force")
    # the folder is no repository of its own, and git ignores it
    settings = (project / ".dvc" / "config").read_text(encoding="utf-8")
    alone = settings.replace("[core]\n", "[core]\n    no_scm = true\n")
    (folder / ".dvc" / "config").write_text(alone, encoding="utf-8")


def _leave_mlflow_alone(file: Path) -> None:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    for entry in content["stages"].values():
        stage = entry.get("do", entry)
        if " run." in stage["cmd"]:
            stage["cmd"] += " run.track=false"
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def environment(folder: Path) -> dict[str, str]:
    """What programs in `folder` run with: this interpreter's programs, the folder's own code, and
    its own MLflow, whatever server MLFLOW_TRACKING_URI names."""
    programs = Path(sys.executable).parent
    own = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    return {
        **own,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder / "src"),
    }


def dvc(folder: Path, *arguments: str) -> None:
    """Runs DVC in `folder` and its environment.

    Raises:
        subprocess.CalledProcessError: DVC failed; it has said why.
    """
    command = [sys.executable, "-m", "dvc", *arguments]
    subprocess.run(command, cwd=folder, env=environment(folder), check=True)


def main() -> None:
    """Runs the demo and prints its table."""
    from ann2snn.report.terminal_table import accuracy_table

    parser = argparse.ArgumentParser(description="The digits part of the pipeline, from nothing.")
    parser.add_argument("folder", nargs="?", default="demo", help="made anew; by default demo")
    folder = Path(parser.parse_args().folder).absolute()
    started = time.monotonic()
    with errors_are_told():
        prepare(Path.cwd(), folder)
        dvc(folder, "repro")
        command = [sys.executable, "-m", "ann2snn.tracking"]
        subprocess.run(command, cwd=folder, env=environment(folder), check=True)
    print(accuracy_table(folder / "artifacts"))
    shown = os.path.relpath(folder)
    print(f"\nfigures and tables: {shown}/report")
    print(f"runs in MLflow:     make ui PROJECT={shown}, or ann2snn ui in that folder")
    print(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
