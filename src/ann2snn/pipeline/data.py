"""Step data: a data set as arrays with fixed splits and a manifest."""

from pathlib import Path
from typing import TYPE_CHECKING

from ann2snn.records import Record

if TYPE_CHECKING:
    from ann2snn.pipeline.chain import Chain


def produce(chain: "Chain", folder: Path, partial: Path) -> Record:  # noqa: ARG001
    from ann2snn.data.dataset import load, save

    dataset = load(chain.settings.data, chain.data.root)
    save(dataset, folder)
    return chain.data.record_of(dict(dataset.manifest))


if __name__ == "__main__":
    from ann2snn.pipeline.application import run

    run("data")
