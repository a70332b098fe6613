"""The accuracies of all studies for a terminal."""

from pathlib import Path

from ann2snn.report.results import Study, read_results


def accuracy_table(artifacts: Path) -> str:
    """A table of every study: accuracy, interval, steps to 99 %, spikes.

    Raises:
        ValueError: a file is broken.
        FileNotFoundError: there is no study at all.
    """
    return "\n\n".join(map(_study_table, read_results(artifacts).studies))


def _study_table(study: Study) -> str:
    width = max(len(point.label) for point in study.points)
    heading = (
        f"{'':{width}}  {'SNN %':>7}  {'95 % interval':>15}  {'99 % of ANN':>11}  spikes/neuron"
    )
    lines = [
        f"{study.dataset}: {study.title}",
        f"{study.extent}; ANN {study.points[0].metrics['ann_accuracy']:.2f} %",
        heading,
    ]
    for point in study.points:
        found = point.metrics
        reached = found["steps_to_99"]
        lines.append(
            f"{point.label:{width}}  {found['snn_accuracy']:7.2f}"
            f"  {found['interval_low']:6.2f} to {found['interval_high']:5.2f}"
            f"  {'never' if reached is None else f'step {reached}':>11}"
            f"  {found['spikes_per_neuron']:13.2f}"
        )
    return "\n".join(lines)
