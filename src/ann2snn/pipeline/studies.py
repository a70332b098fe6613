"""The points of a study as chains."""

import dataclasses
from pathlib import Path

from ann2snn.config.checks import named, prefixed
from ann2snn.config.composition import composed
from ann2snn.config.schema import Settings
from ann2snn.pipeline.chain import Chain
from ann2snn.pipeline.study_file import Study
from ann2snn.settings import rule_of


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
        with prefixed(f"{group.name}."):
            groups[group.name] = dataclasses.replace(getattr(chosen, group.name), **free)
    return dataclasses.replace(chosen, **groups)
