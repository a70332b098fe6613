"""Studies and sweeps: runs that belong together, shown under one parent."""

import json
from dataclasses import dataclass
from pathlib import Path

from ann2snn.records import Json


@dataclass(frozen=True)
class Group:
    """A study or a sweep at one step: names and keys of its points, in order. `title` begins with
    what tells it from its neighbours."""

    kind: str
    name: str
    title: str
    step: str
    points: tuple[tuple[str, str], ...]
    labels: dict[str, str]
    description: str
    files: dict[str, bytes | Path]
    best: tuple[str, ...] | None = None
    """Keys of the best points, where the group itself has said which these are, as a search has."""

    @property
    def key(self) -> str:
        """Takes the place that a run key has for results."""
        return f"{self.kind}/{self.step}/{self.name}"

    @property
    def keys(self) -> list[str]:
        return [key for _, key in self.points]

    def label(self, key: str) -> str:
        """The words for the point with that key."""
        name = next(name for name, own in self.points if own == key)
        return self.labels.get(name, name)


def groups_of(project: Path) -> list[Group]:
    """The project's studies by name, then its sweeps.

    A run that is in several is nested under the first, wherever it was computed.

    Raises:
        ValueError: a study.json or sweep.json cannot be read; it is named.
    """
    studies = sorted((project / "artifacts").glob("*/*/study.json"))
    sweeps = sorted((project / "store" / "sweeps").glob("*/sweep.json"))
    return [_study(path, project) for path in studies] + [_sweep(path) for path in sweeps]


def _study(path: Path, project: Path) -> Group:
    content = _read(path, ("study", "title", "kind", "dataset", "order", "labels"))
    step = path.parent.parent.name
    figures = [
        path
        for path in sorted((project / "report" / "figures").glob("*"))
        if path.stem == content["study"] or path.stem.startswith(f"{content['study']}-")
    ]
    name, network = content["study"], content.get("network", "")
    short = name.removeprefix(f"{network}-")
    return Group(
        kind="study",
        name=name,
        title=f"{short} · study {name}" if short != name else f"{name} · study",
        step=step,
        points=tuple((name, key) for name, key in content["order"]),
        labels=content["labels"],
        description=f"{content['title']} ({content['dataset']}, {content['kind']})",
        files={f"figures/{p.name}": p for p in figures} if step == "simulation" else {},
    )


def _sweep(path: Path) -> Group:
    content = _read(path, ("name", "step", "overrides", "points"))
    done: dict[str, tuple[str, str]] = {}
    for point in content["points"]:
        if point["status"] == "done":  # the first of equal ones stands for all
            done.setdefault(point["key"], (point["label"], point["key"]))
    holes = [point for point in content["points"] if point["status"] != "done"]
    missing = "".join(f"\n- {p['label']}: {p['error'] or p['status']}" for p in holes)
    return Group(
        kind="sweep",
        name=content["name"],
        title=f"{content['name']} · sweep",
        step=content["step"],
        points=tuple(done.values()),
        labels={},
        description=" ".join(content["overrides"]) + (f"\n\nMissing:{missing}" if missing else ""),
        files={p.name: p for p in sorted(path.parent.iterdir()) if p.is_file()},
        best=tuple(content["best"]) if "best" in content else None,
    )


def _read(path: Path, names: tuple[str, ...]) -> Json:
    try:
        content: Json = json.loads(path.read_text(encoding="utf-8"))
        missing = [name for name in names if name not in content]
    except (TypeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    if missing:
        raise ValueError(f"{path} cannot be read: it lacks {', '.join(missing)}")
    return content
