"""Every figure of the report: a module here with a function `charts(results)` is drawn."""

import importlib
import pkgutil
from collections.abc import Iterator

from ann2snn.report.chart import Chart
from ann2snn.report.reading import Results


def all_charts(results: Results) -> Iterator[Chart]:
    """The charts of all modules of this package for which `results` hold the data."""
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        yield from importlib.import_module(f"{__name__}.{module.name}").charts(results)
