"""Studies: the named points of `params.yaml`, run in one process, published in `artifacts`."""

import dataclasses
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ann2snn.records import Record, write_json
from ann2snn.settings import SettingError
from ann2snn.stages.chain import Chain
from ann2snn.stages.configuration import Settings, composed
from ann2snn.stages.provenance import note_machine


@dataclass(frozen=True)
class Study:
    """One entry of `studies` in params.yaml: its points as lists of overrides, in order."""

    name: str
    title: str
    kind: str
    network: str
    points: dict[str, list[str]]
    labels: dict[str, str]


def read_params(project: Path) -> dict[str, Any]:
    """The content of `params.yaml`.

    Raises:
        SettingError: it is not there, or not a mapping.
    """
    path = project / "params.yaml"
    if not path.is_file():
        raise SettingError(f"params.yaml is not in {project}: start in the project's folder")
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise SettingError("params.yaml must be a mapping with data, networks and studies")
    return content


def read_study(project: Path, name: str) -> Study:
    """The study of that name, default or on request; its network's and its shared overrides stand
    before each point's own.

    Raises:
        SettingError: there is no such study, or it names no network of params.yaml.
    """
    params = read_params(project)
    studies = {**(params.get("studies") or {}), **(params.get("on_request") or {})}
    if name not in studies:
        raise SettingError(f"run.study must be one of {', '.join(studies)}, got {name!r}")
    entry = studies[name]
    networks = params.get("networks") or {}
    if entry.get("network") not in networks:
        raise SettingError(
            f"studies.{name}.network must be one of {', '.join(networks)},"
            f" got {entry.get('network')!r}"
        )
    network = networks[entry["network"]]
    before = [f"{group}={choice}" for group, choice in network.items()]
    before += entry.get("shared") or []
    return Study(
        name=name,
        title=entry["title"],
        kind=entry["kind"],
        network=entry["network"],
        points={point: before + (own or []) for point, own in entry["points"].items()},
        labels=entry.get("labels") or {},
    )


def study_chains(study: Study, project: Path, settings: Settings) -> dict[str, Chain]:
    """A chain for each point, with the call's own toggles that shape no result."""
    chains = {}
    for point, overrides in study.points.items():
        chosen = composed(overrides)
        simulation = dataclasses.replace(
            chosen.simulation,
            **{
                field.name: getattr(settings.simulation, field.name)
                for field in dataclasses.fields(chosen.simulation)
                if not field.metadata["rule"].shapes_result
            },
        )
        chains[point] = Chain(dataclasses.replace(chosen, simulation=simulation), project)
    return chains


def keep_point(study: str, point: str, record: Record, project: Path) -> None:
    """Writes a point's record to `artifacts/<step>/<study>` as soon as it is there: git can keep
    it, and a study of many hours goes on from it where the store is empty."""
    record.write(project / "artifacts" / record.step / study / f"{point}.json")


def publish_study(step: str, study: Study, chains: dict[str, Chain], project: Path) -> None:
    """Names the records of all points in `study.json` beside them, and removes others there."""
    records = {point: chain.record(step) for point, chain in chains.items()}
    folder = project / "artifacts" / step / study.name
    content = {
        "study": study.name,
        "title": study.title,
        "kind": study.kind,
        "network": study.network,
        "dataset": next(iter(records.values())).description["dataset"],
        "order": [[point, record.key] for point, record in records.items()],
        "points": {point: record.key for point, record in records.items()},
        "labels": {point: study.labels.get(point, point) for point in records},
    }
    write_json(folder / "study.json", content)
    wanted = {"study.json"} | {f"{point}.json" for point in records}
    if step == "conversion":
        first = next(iter(chains.values()))
        shutil.copyfile(first.obtain("statistics") / "summary.json", folder / "statistics.json")
        wanted.add("statistics.json")
    for path in folder.iterdir():
        if path.name not in wanted:
            path.unlink()
    made = [chain.obtain(step) for chain in chains.values()]
    note_machine(project, f"{step}/{study.name}", made)


def publish_result(step: str, name: str, chain: Chain, project: Path) -> None:
    """Copies a data or ann result's record and kept files to `artifacts/<step>/<name>`."""
    source = chain.obtain(step)
    record = Record.read(source / "record.json")
    folder = project / "artifacts" / step / name
    folder.mkdir(parents=True, exist_ok=True)
    names = list(record.details.get("files", {}))
    if step == "data":
        names = ["manifest.json"]
    for file in names:
        temporary = folder / f".{file}.tmp"
        shutil.copyfile(source / file, temporary)
        temporary.replace(folder / file)
    record.write(folder / "record.json")
    note_machine(project, f"{step}/{name}", [source])
