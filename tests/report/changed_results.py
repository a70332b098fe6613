"""Results of the example with other numbers."""

import dataclasses

from ann2snn.report.results import Point, Results, Study


def study_of(results: Results, kind: str) -> Study:
    (study,) = results.of_kind(kind)
    return study


def changed(point: Point, **metrics: float | None) -> Point:
    record = point.simulation
    record = dataclasses.replace(record, metrics={**record.metrics, **metrics})
    return dataclasses.replace(point, simulation=record)


def with_accuracy(study: Study, curves: list[list[float]]) -> Study:
    """The study with other accuracies over time, and so at the end."""
    points = []
    for point, curve in zip(study.points, curves, strict=True):
        record = dataclasses.replace(
            point.simulation, curves={**point.simulation.curves, "accuracy": curve}
        )
        points.append(
            changed(dataclasses.replace(point, simulation=record), snn_accuracy=curve[-1])
        )
    return dataclasses.replace(study, points=tuple(points))


def with_study(results: Results, changed_study: Study) -> Results:
    """The results with another study of this name."""
    studies = tuple(
        changed_study if study.name == changed_study.name else study for study in results.studies
    )
    return dataclasses.replace(results, studies=studies)


def with_settings(point: Point, group: str, **settings: object) -> Point:
    """The point with other settings of one step of the pipeline."""
    record = point.simulation
    found = {**record.settings, group: {**record.settings[group], **settings}}
    return dataclasses.replace(point, simulation=dataclasses.replace(record, settings=found))
