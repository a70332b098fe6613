"""Imports run one way, heavy libraries stay in their rooms, DVC knows what stages use."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_dir

from ann2snn.config.composition import composed, register_schema
from ann2snn.pipeline.chain import PARENTS
from ann2snn.pipeline.code_identity import COMPUTING_NOTHING, ON_DEMAND, sources
from ann2snn.pipeline.code_identity import ROOMS as ROOMS_OF
from ann2snn.pipeline.study_file import default_studies, read_params, read_study
from tests.pipeline.project import ROOT, environment, make_project, stage_command

PACKAGE = ROOT / "src" / "ann2snn"
ROOMS = {"data", "ann", "conversion", "simulation", "report"}
GROUND = {
    "errors", "mechanisms", "noted_files", "numerics", "plots", "progress", "records", "settings",
    "stopping", "tables",
}  # fmt: skip
COMPUTE_NOTHING = {
    "commands", "config", "errors.py", "exchange", "progress.py", "stopping.py", "sweep",
    "tracking",
}  # imports of these are no deps  # fmt: skip
SHARED = {"spec"} | GROUND
ALLOWED = {
    **dict.fromkeys(ROOMS, SHARED),
    "commands": ROOMS | SHARED | {"config", "pipeline", "sweep", "tracking"},
    "sweep": ROOMS | SHARED | {"config", "pipeline", "tracking"},
    "pipeline": ROOMS | SHARED | {"config", "tracking"},
    "config": ROOMS | SHARED,
    "exchange": {"ann", "conversion", "simulation"} | SHARED,
    "tracking": SHARED | {"__init__"},  # a model that MLflow serves is a user of the library
    "spec": {"mechanisms", "numerics", "tables"},
    "noted_files": {"numerics"},
    "records": {"noted_files"},
    "settings": set(),
    "errors": {"settings", "stopping"},
    "stopping": set(),
    "progress": set(),
    "mechanisms": {"numerics", "settings", "tables"},
    "tables": {"settings"},
    "numerics": set(),
    "plots": set(),
    "__init__": {"ann", "conversion", "exchange", "simulation", "spec", "stopping"},
    "examples": set(),
    "__main__": {"commands"},
}


def imports_of(path: Path) -> Iterator[tuple[str, bool]]:
    """Every module that a file imports, and whether that happens when the file itself is."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    late: set[ast.AST] = set()
    for node in ast.walk(tree):
        inner = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if inner or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)):
            late.update(ast.walk(node))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield name.name, node not in late
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a name comes from"
            yield node.module or "", node not in late


def sources_in_package() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def test_rooms_import_only_what_the_design_allows() -> None:
    seen = set()
    for path in sources_in_package():
        parts = path.relative_to(PACKAGE).parts
        room = parts[0] if len(parts) > 1 else path.stem
        for module, _ in imports_of(path):
            if module == "ann2snn" or module.startswith("ann2snn."):
                other = module.split(".")[1] if "." in module else "__init__"
                assert other == room or other in ALLOWED[room], f"{path} imports {module}"
                seen.add((room, other))
    assert ("pipeline", "conversion") in seen


@pytest.mark.parametrize(
    ("library", "places"),
    [
        ("mlflow", {"tracking"}),
        ("pytorch_lightning", {"ann"}),
        ("hydra", {"config", "pipeline", "sweep"}),
        ("numba", {"simulation", "numerics"}),
    ],
)
def test_a_heavy_library_is_imported_only_where_it_belongs(library: str, places: set[str]) -> None:
    users = set()
    for path in sources_in_package():
        for module, early in imports_of(path):
            if module.split(".")[0] == library:
                users.add(path.relative_to(PACKAGE).parts[0])
                assert not early or library in ("hydra", "numba"), f"{path} imports {library} early"
    assert users == places


def test_the_package_and_all_settings_load_without_anything_heavy() -> None:
    modules = [
        f"ann2snn.{path.parent.name}" + (".settings" if path.stem == "settings" else "")
        for path in sources_in_package()
        if path.parent.name in ROOMS and path.stem in ("settings", "__init__")
    ]
    heavy = "{'torch', 'mlflow', 'pytorch_lightning', 'matplotlib', 'hydra', 'numpy'}"
    code = f"import sys\nimport {', '.join(modules)}\nprint({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(modules) >= 8
    assert done.stdout.strip() == "set()"


def stage_entries(file: str = "dvc.yaml") -> dict[str, dict[str, Any]]:
    content = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))
    return {name: entry.get("do", entry) for name, entry in content["stages"].items()}


def code_deps(step: str, file: str = "dvc.yaml") -> list[str]:
    """The files and folders of code that a step's stage depends on, itself or by its inputs, whose
    records say what code they come from."""
    entries = {**stage_entries(), **stage_entries(file)}
    steps = (*PARENTS[step], step) if step in PARENTS else (step,)
    deps = [dep for name in steps if name in entries for dep in entries[name]["deps"]]
    return [dep for dep in deps if dep.startswith("src/")]


@pytest.mark.parametrize("file", ["dvc.yaml", "on-request/dvc.yaml"])
def test_all_code_that_computes_a_step_is_a_dep_of_its_stage(file: str) -> None:
    for step in [step for step in stage_entries(file) if step in ROOMS_OF]:
        own = {path for parent in (*PARENTS[step], step) for path in code_of(parent)}
        missing = sorted(name for name in own if not covered(name, code_deps(step, file)))
        assert not missing, f"{step} is computed by what its deps do not name"


def code_of(step: str) -> set[str]:
    """All files that can compute a step, whatever the settings name."""
    rows = [path for folder in ON_DEMAND for path in (PACKAGE / folder).glob("*.py")]
    in_rooms = [path for path in rows if path.parts[-3] in ROOMS_OF[step]]
    return {path.relative_to(ROOT).as_posix() for path in sources(step, in_rooms)}


@pytest.mark.parametrize("file", ["dvc.yaml", "on-request/dvc.yaml"])
def test_a_comment_where_nothing_is_computed_touches_no_stage_but_the_reports(file: str) -> None:
    touched = set()
    for step, entry in stage_entries(file).items():
        for path in sources_of_the_package():
            room = path.removeprefix("src/ann2snn/").partition("/")[0]
            if room in COMPUTE_NOTHING | {"report"} and covered(path, entry["deps"]):
                touched.add((step, room))
    assert touched == ({("report", "report")} if file == "dvc.yaml" else set())


def sources_of_the_package() -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in sources_in_package()]


PROBE = """
import runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_module(sys.argv[0], run_name="__main__")
finally:
    for name, module in sorted(sys.modules.items()):
        if name.startswith("ann2snn") and getattr(module, "__file__", None):
            print("IMPORTED", module.__file__)
"""


def covered(file: str, deps: list[str]) -> bool:
    return any(file == dep or file.startswith(f"{dep}/") for dep in deps)


def imported_by(project: Path, *command: str) -> set[str]:
    """The files of the package that a module imports as it runs in a project."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *command],
        cwd=project, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("IMPORTED ")]
    return {Path(line.removeprefix("IMPORTED ")).relative_to(ROOT).as_posix() for line in lines}


@pytest.mark.parametrize("step", ["data", "ann", "conversion", "simulation", "report"])
def test_the_deps_of_a_stage_are_what_it_really_imports(step: str, tmp_path: Path) -> None:
    """Runs each stage for digits on a copy of the committed artifacts, the steps before it done,
    but for its own results. What the settings of all rooms import gives only Hydra's keys.
    """
    entry = stage_entries()[step]
    project = make_project(tmp_path / "project")
    own = shutil.ignore_patterns(step)
    shutil.copytree(ROOT / "artifacts", project / "artifacts", ignore=own)
    command = entry["cmd"].split(" -m ")[1]
    values = {
        "${item}": "digits",
        "${item.data}": "digits",
        "${item.ann}": "digits_cnn",
        "${item.from}": "data/digits",
        "${key}": "digits-ablation" if step in ("conversion", "simulation") else "digits",
    }
    for old, new in values.items():
        command = command.replace(old, new)
    data = stage_command("data", "data=digits", "run.track=false")
    warm = {
        "ann": [data],
        "conversion": [data, stage_command("ann", "data=digits", "run.track=false")],
        "simulation": [data, stage_command("conversion", "run.study=digits-ablation")],
    }
    for before in warm.get(step, []):
        subprocess.run(before, cwd=project, env=environment(), check=True, capture_output=True)
    imported = imported_by(project, *command.split()) | {f"src/ann2snn/pipeline/{step}.py"}
    needed = {
        file
        for file in imported - imported_by(project, "ann2snn.config.schema")
        if Path(file).name != "__init__.py"
        and ROOT / file not in COMPUTING_NOTHING
        and file.split("/")[2] not in COMPUTE_NOTHING
    }
    missing = sorted(file for file in needed if not covered(file, code_deps(step)))
    assert not missing, f"{step} imports what its deps do not name"
    deps = [dep for dep in entry["deps"] if dep.startswith("src/")]
    unused = [dep for dep in deps if not any(covered(file, [dep]) for file in imported)]
    assert not unused, f"{step} names deps that it does not import"


def test_every_override_of_dvc_and_params_composes() -> None:
    """Nothing stands in both dvc.yaml and params.yaml, and all of it is right."""
    params = read_params(ROOT)
    for name, network in params["networks"].items():
        ann = composed([f"data={network['data']}", f"ann={network['ann']}"]).ann
        (weights,) = {ann.start, ann.weights} - {""} or {f"artifacts/data/{network['data']}/x"}
        assert Path(weights).parent == Path("artifacts", network["from"]), name
    for name in (*params["studies"], *params["on_request"]):
        for overrides in read_study(ROOT, name).points.values():
            keys = [line.partition("=")[0] for line in overrides]
            assert len(keys) == len(set(keys)), f"{name} says a key twice: {overrides}"
            composed(overrides)
    for name, entry in stage_entries().items():
        words = entry["cmd"].split(" -m ")[1].split()[1:]
        given = {word.partition("=")[0] for word in words}
        assert given <= {"data", "ann", "run.publish", "run.study"}, name


def conf_files(overrides: list[str]) -> dict[str, set[str]]:
    """The files of conf/ that a point is composed of, by group."""
    register_schema()
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        choices = compose("config", overrides, return_hydra_config=True).hydra.runtime.choices
    files = {"config": {"conf/config.yaml"}}
    for group, choice in choices.items():
        if choice and (ROOT / "conf" / group / f"{choice}.yaml").is_file():
            files[group] = built_on(group, choice)
    return files


def built_on(group: str, choice: str) -> set[str]:
    """The file of a choice, and those of the choices of its group that it is built on; what it says
    of another group is among Hydra's choices."""
    file = f"conf/{group}/{choice}.yaml"
    defaults = yaml.safe_load((ROOT / file).read_text(encoding="utf-8")).get("defaults", [])
    names = [name for name in defaults if isinstance(name, str) and name != "_self_"]
    others = [built_on(group, name) for name in names]
    return {file}.union(*others)


def deps_of_study(step: str, name: str, network: dict[str, str]) -> list[str]:
    """What a study's stage depends on, and the stages of data and network whose outs it takes."""
    entries = stage_entries()
    values = {
        "${key}": name, "${item}": network["data"], "${item.data}": network["data"],
        "${item.ann}": network["ann"], "${item.from}": network["from"],
    }  # fmt: skip
    found = []
    for dep in [dep for each in ("data", "ann", step) for dep in entries[each]["deps"]]:
        for old, new in values.items():
            dep = dep.replace(old, new)
        found.append(dep)
    return found


def test_every_file_of_conf_that_a_point_is_composed_of_is_a_dep_of_its_stages() -> None:
    """The settings of a simulation shape no conversion, and hydra's own shape nothing."""
    networks = read_params(ROOT)["networks"]
    seen = set()
    for name, study in default_studies(ROOT).items():
        for overrides in study.points.values():
            files = conf_files(overrides)
            seen |= set(files)
            for step in ("conversion", "simulation"):
                deps = deps_of_study(step, name, networks[study.network])
                for group, its_files in files.items():
                    apart = group.startswith("hydra/") or (step, group) in (
                        ("conversion", "simulation"),
                        ("simulation", "conversion"),
                    )
                    for file in its_files:
                        reached = apart or covered(file, deps)
                        assert reached, f"{step}@{name} is composed of {file}"
    assert seen >= {"config", "data", "ann", "conversion", "simulation", "experiment"}
