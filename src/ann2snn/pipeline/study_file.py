"""Studies as params.yaml names them: their points as lists of overrides, held to their shape."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ann2snn.settings import SettingError

SECTIONS = ("studies", "on_request")
OF_NETWORKS = ("data", "ann", "from")
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
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
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
    """Named choices of data and network, and what the weights come from, of each network."""
    networks = {}
    for name, entry in _mapping("networks", params.get("networks")).items():
        where = f"networks.{name}"
        fields = _texts(where, entry)
        for field in {*fields, *OF_NETWORKS}:
            if field not in fields or field not in OF_NETWORKS:
                raise SettingError(
                    f"{where} must have the fields {', '.join(OF_NETWORKS)}, got"
                    f" {', '.join(fields) or 'none'}"
                )
        networks[name] = fields
    return networks


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
    before = [f"{group}={networks[network][group]}" for group in ("data", "ann")]
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
