"""Studies: the named points of `params.yaml`, run in one process, published in `artifacts`."""

import dataclasses
import os
import re
import shutil
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ann2snn.config.checks import named
from ann2snn.config.composition import composed
from ann2snn.config.schema import Settings
from ann2snn.pipeline.chain import Chain
from ann2snn.pipeline.provenance import note_machine
from ann2snn.records import Record, Store, write_json
from ann2snn.settings import SettingError, rule_of

SECTIONS = ("studies", "on_request")
FIELDS = ("title", "kind", "network", "shared", "points", "labels")
POINT = re.compile(r"[\w+-][\w.+-]*")
TAKEN = ("study", "statistics")  # files of publish_study beside those of the points


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
        SettingError: it is not there, no YAML, or not a mapping.
    """
    path = project / "params.yaml"
    if not path.is_file():
        raise SettingError(f"params.yaml is not in {project}: start in the project's folder")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SettingError(f"params.yaml is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise SettingError("params.yaml must be a mapping with data, networks and studies")
    return content


def read_study(project: Path, name: str) -> Study:
    """The study of that name, default or on request; its network's and its shared overrides stand
    before each point's own.

    Raises:
        SettingError: there is no such study, or its entry in params.yaml is not as it must be.
    """
    params = read_params(project)
    sections = {section: _mapping(section, params.get(section)) for section in SECTIONS}
    for section, entries in sections.items():
        if name in entries:
            return _study(section, name, entries[name], _networks(params))
    names = [each for entries in sections.values() for each in entries]
    raise SettingError(f"run.study must be one of {', '.join(names)}, got {name!r}")


def default_studies(project: Path) -> dict[str, Study]:
    """The studies that `dvc repro` runs, by name.

    Raises:
        SettingError: an entry in params.yaml is not as it must be.
    """
    params = read_params(project)
    networks = _networks(params)
    entries = _mapping("studies", params.get("studies"))
    return {name: _study("studies", name, entry, networks) for name, entry in entries.items()}


def _networks(params: dict[str, Any]) -> dict[str, dict[str, str]]:
    networks = _mapping("networks", params.get("networks"))
    return {name: _texts(f"networks.{name}", groups) for name, groups in networks.items()}


def _study(section: str, name: str, entry: Any, networks: dict[str, dict[str, str]]) -> Study:
    """An entry of params.yaml, held to its shape: each message names the field and the value."""
    where = f"{section}.{name}"
    fields = _mapping(where, entry)
    for field in fields:
        if field not in FIELDS:
            raise SettingError(f"{where}.{field}: the fields of a study are {', '.join(FIELDS)}")
    network = fields.get("network")
    if not isinstance(network, str) or network not in networks:
        raise SettingError(f"{where}.network must be one of {', '.join(networks)}, got {network!r}")
    before = [f"{group}={choice}" for group, choice in networks[network].items()]
    before += _overrides(f"{where}.shared", fields.get("shared"))
    points = _mapping(f"{where}.points", fields.get("points"))
    if not points:
        raise SettingError(f"{where}.points must name at least one point, got none")
    for point in points:
        if not POINT.fullmatch(point) or point in TAKEN:
            raise SettingError(
                f"{where}.points: a point's name must be of letters, digits and ._+-, for a file is"
                f" called so, and none of {', '.join(TAKEN)}, got {point!r}"
            )
    labels = _texts(f"{where}.labels", fields.get("labels"))
    for point in labels:
        if point not in points:
            raise SettingError(f"{where}.labels.{point}: the points are {', '.join(points)}")
    return Study(
        name=name,
        title=_text(f"{where}.title", fields.get("title")),
        kind=_text(f"{where}.kind", fields.get("kind")),
        network=network,
        points={
            point: before + _overrides(f"{where}.points.{point}", own)
            for point, own in points.items()
        },
        labels=labels,
    )


def _mapping(where: str, value: Any) -> dict[str, Any]:
    """A mapping by names; empty for null."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SettingError(f"{where} must be a mapping by names, got {value!r}")
    for name in value:
        if not isinstance(name, str):
            raise SettingError(f"{where} must be a mapping by names: put {name!r} in quotes")
    return value


def _texts(where: str, value: Any) -> dict[str, str]:
    return {name: _text(f"{where}.{name}", each) for name, each in _mapping(where, value).items()}


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise SettingError(f"{where} must be text, got {value!r}")
    return value


def _overrides(where: str, value: Any) -> list[str]:
    """A list of overrides; empty for null."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise SettingError(
            f"{where} must be a list of overrides such as [conversion.reset=zero], got {value!r}"
        )
    return value


def study_chains(study: Study, project: Path, settings: Settings) -> dict[str, Chain]:
    """A chain for each point, with the call's own toggles that shape no result."""
    chains = {}
    for point, overrides in study.points.items():
        with named(f"{study.name}/{point}"):
            chains[point] = Chain(_with_free_toggles(composed(overrides), settings), project)
    return chains


def _with_free_toggles(chosen: Settings, call: Settings) -> Settings:
    """The settings of a point with every toggle that shapes no result as the call says it; where
    the call leaves the default, the point's own stands."""
    groups = {}
    for group in dataclasses.fields(Settings):
        said = getattr(call, group.name)
        free = {
            toggle.name: getattr(said, toggle.name)
            for toggle in dataclasses.fields(said)
            if not rule_of(toggle).shapes_result and getattr(said, toggle.name) != toggle.default
        }
        try:
            groups[group.name] = dataclasses.replace(getattr(chosen, group.name), **free)
        except SettingError as error:
            raise SettingError(f"{group.name}.{error}") from error
    return dataclasses.replace(chosen, **groups)


def keep_point(study: str, point: str, record: Record, project: Path) -> None:
    """Writes a point's record to `artifacts/<step>/<study>` as soon as it is there: git can keep
    it, and a study of many hours goes on from it where the store is empty."""
    with _alone(project, record.step, study):
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
    wanted = {"study.json"} | {f"{point}.json" for point in records}
    copied = {}
    if step == "conversion":
        first = next(iter(chains.values()))
        copied["statistics.json"] = first.obtain("statistics") / "summary.json"
    with _alone(project, step, study.name):
        write_json(folder / "study.json", content)
        for name, source in copied.items():
            _copy(source, folder / name)
        for path in folder.iterdir():
            if path.name not in wanted | set(copied):
                path.unlink()
    made = [chain.obtain(step) for chain in chains.values()]
    note_machine(project, f"{step}/{study.name}", made)


def publish_result(step: str, name: str, chain: Chain, project: Path) -> None:
    """Copies a data or ann result's record and kept files to `artifacts/<step>/<name>`."""
    source = chain.result(step)
    record = Record.read(source / "record.json")
    folder = project / "artifacts" / step / name
    names = list(record.details.get("files", {}))
    if step == "data":
        names = ["manifest.json"]
    with _alone(project, step, name):
        for file in names:
            _copy(source / file, folder / file)
        record.write(folder / "record.json")
    note_machine(project, f"{step}/{name}", [source])


def _alone(project: Path, step: str, name: str) -> AbstractContextManager[None]:
    """Holds `artifacts/<step>/<name>` against other processes that write there."""
    return Store(project / "store").lock("artifacts", f"{step}-{name}")


def _copy(source: Path, target: Path) -> None:
    """Copies a file at once or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        shutil.copyfile(source, temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
