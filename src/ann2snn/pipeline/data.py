"""Step data: a data set as arrays with fixed splits and a manifest."""

from pathlib import Path
from typing import TYPE_CHECKING

from ann2snn.records import Json, Record
from ann2snn.settings import shaping_values

if TYPE_CHECKING:
    from ann2snn.config.schema import Settings
    from ann2snn.pipeline.chain import Chain


def settings(settings: "Settings") -> Json:
    return shaping_values(settings.data)


def produce(chain: "Chain", folder: Path, partial: Path) -> Record:  # noqa: ARG001
    from ann2snn.data.dataset import load, save
    from ann2snn.pipeline.chain import data_root

    dataset = load(chain.settings.data, data_root())
    save(dataset, folder)
    return chain.data_record(dataset.manifest)


if __name__ == "__main__":
    from ann2snn.pipeline.application import run

    run("data")
