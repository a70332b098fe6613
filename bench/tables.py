"""Rows of the results, tables for people, and the bar chart."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bench.growth import Growth
from bench.mode import EVENT
from bench.network import Measured
from bench.timing import Timed

Row = dict[str, Any]


def peer_rows(
    timed: list[Timed],
    network: Measured,
    threads: int,
    rate: float,
    extra: Mapping[int, Row],
) -> list[Row]:
    """A row a mode; `ratio` is R, its time an image and step in ANN forward passes."""
    forward = timed[0].microseconds
    return [
        {
            "table": "peers",
            "tool": each.mode.tool,
            "mode": each.mode.mode,
            "precision": each.mode.precision,
            "threads": threads,
            "network": network.name,
            "dataset": network.dataset,
            "steps": each.mode.steps,
            "images": each.batch,
            "microseconds": round(each.microseconds, 2),
            "ratio": round(each.microseconds / forward, 4),
            "mean_rate": round(rate, 4) if each.mode.tool == "ann2snn" else None,
            **extra.get(id(each), {}),
        }
        for each in timed
    ]


def growth_rows(found: Iterable[Growth], network: Measured) -> list[Row]:
    """A row a measurement of the event engine."""
    return [
        {
            "table": "growth",
            "tool": "ann2snn",
            "mode": "event",
            "precision": EVENT.precision,
            "threads": each.threads,
            "network": network.name,
            "varies": each.varies,
            "value": each.value,
            "steps": each.steps,
            "images": each.images,
            "microseconds": round(each.microseconds, 2),
            "mean_rate": round(each.mean_rate, 4),
        }
        for each in found
    ]


def print_tables(content: Mapping[str, Any]) -> None:
    """Everything that was measured."""
    print(f"{content['machine']['processor']}, {content['machine']['cores']} cores")
    for tool, reason in content["missing"].items():
        print(f"{tool}: {reason}")
    print(f"{'tool':14}{'mode':28}{'threads':>8}{'us':>10}{'R':>9}{'accuracy':>10}{'MB':>8}")
    for row in content["rows"]:
        if row["table"] == "peers":
            accuracy, peak = _if_there(row, "accuracy", 1), _if_there(row, "peak_mb", 0)
            print(
                f"{row['tool']:14}{row['mode']:28}{row['threads']:8}{row['microseconds']:10.1f}"
                f"{row['ratio']:9.3f}{accuracy:>10}{peak:>8}"
            )
    print(f"\n{'varies':12}{'value':>8}{'threads':>8}{'steps':>7}{'images':>8}{'us':>9}{'rate':>8}")
    for row in content["rows"]:
        if row["table"] == "growth":
            print(
                f"{row['varies']:12}{row['value']:8g}{row['threads']:8}{row['steps']:7}"
                f"{row['images']:8}{row['microseconds']:9.1f}{row['mean_rate']:8.4f}"
            )
    print(f"\n{'network':24}{'tool':14}{'threads':>8}{'us':>10}{'R':>9}{'ps':>7}{'MB':>7}")
    for row in content["rows"]:
        if row["table"] == "networks":
            ps, peak = _if_there(row, "picoseconds", 0), _if_there(row, "peak_mb", 0)
            print(
                f"{row['network']:24}{row['tool']:14}{row['threads']:8}{row['microseconds']:10.1f}"
                f"{row['ratio']:9.3f}{ps:>7}{peak:>7}"
            )
    print(f"\n{'tool':14}{'mode':40}{'steps':>6}{'accuracy':>10}{'ANN passes':>12}")
    for row in content["rows"]:
        if row["table"] == "answers":
            print(
                f"{row['tool']:14}{row['mode']:40}{row['steps'] or '-':>6}{row['accuracy']:10.2f}"
                f"{row['passes'] or '-':>12}"
            )
    print()
    for name, value in content["facts"].items():
        print(f"{name}: {value}")


def _if_there(row: Row, name: str, digits: int) -> str:
    """A number of a row with so many digits behind the point; empty where it has none."""
    return f"{row[name]:.{digits}f}" if name in row else ""


def chart(rows: list[Row], path: Path) -> None:
    """Time per image and step by tool and mode, on one thread, on a logarithmic axis."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    shown = sorted(
        (row for row in rows if row["threads"] == 1), key=lambda row: -row["microseconds"]
    )
    with mpl.rc_context({"svg.hashsalt": "ann2snn", "font.family": "DejaVu Sans"}):
        figure = Figure((8, 4.6), dpi=150, layout="constrained")
        axes = figure.subplots()
        names = [f"{row['tool']}, {row['mode']}" for row in shown]
        colours = ["#2b6cb0" if row["tool"] == "ann2snn" else "#c0c6cf" for row in shown]
        bars = axes.barh(names, [row["microseconds"] for row in shown], color=colours)
        axes.bar_label(bars, [f"{row['microseconds']:.0f}" for row in shown], padding=3)
        axes.set_xscale("log")
        axes.set_xlabel("microseconds per image and step, one thread")
        axes.spines[["top", "right"]].set_visible(False)
        for kind in ("png", "svg"):
            figure.savefig(path.with_suffix(f".{kind}"), metadata=_undated(kind))


def _undated(kind: str) -> dict[str, Any]:
    return {"Date": None} if kind == "svg" else {"Software": None}
